package import SpecFile

/// `[network]`: what the jail reaches.
package struct Network: Equatable, Sendable {
    package enum Mode: String, CaseIterable, Equatable, Sendable {
        case none, host, user, veth, macvlan
    }

    /// nil where not written: "none", or "host" where the net namespace is the host's.
    package var mode: Located<Mode>?
    /// As written; validated for form, and refused at launch until a mode implements them.
    package var publish: [Located<String>] = []
    package var allow: [Located<String>] = []
    package var dns: [Located<String>] = []

    package init() {}
}
