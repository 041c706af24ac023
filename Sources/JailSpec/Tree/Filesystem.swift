package import SpecFile

/// `[filesystem]` and every `[[mount]]`: what the jail sees as its tree.
package struct Filesystem: Equatable, Sendable {
    /// What becomes `/`.
    package enum Root: Equatable, Sendable {
        /// A private root with the host's `/usr` and `/etc`, read-only.
        case system
        /// The host's whole tree, read-only.
        case host
        /// Nothing but what the spec mounts.
        case empty
        /// That directory of the host, as an absolute path.
        case directory(String)
    }

    /// What stands on `/dev`.
    package enum Devices: String, CaseIterable, Equatable, Sendable {
        case none, minimal, host
    }

    package var root = Located(Root.system)
    /// Whether a directory root may be written to.
    package var writable = Located(false)
    package var proc = Located(true)
    package var devices = Located(Devices.minimal)
    /// The size in bytes of the private tmpfs on `/tmp`; a nil value stands for `tmp = false`.
    package var tmp = Located<UInt64?>(64 << 20)
    /// `ro`, `rw`, `hide` and `[[mount]]` in one list; the order carries no meaning.
    package var mounts: [Mount] = []

    package init() {}
}
