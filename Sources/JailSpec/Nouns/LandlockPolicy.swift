package import SpecFile

/// `[landlock]`: paths inside the jail and what may be done below them, landlock(7).
package struct LandlockPolicy: Equatable, Sendable {
    package enum Scope: String, CaseIterable, Hashable, Sendable {
        case signal
        case abstractUnixSocket = "abstract_unix_socket"
    }

    package var ro: [Located<String>] = []
    package var rx: [Located<String>] = []
    package var rw: [Located<String>] = []
    package var rwx: [Located<String>] = []
    /// Ports; nil where the key is absent (not restricted).
    package var bindTCP: Located<[UInt16]>?
    package var connectTCP: Located<[UInt16]>?
    package var scope: [Located<Scope>] = []
    package var minimumABI: Located<Int>?

    package init() {}
}
