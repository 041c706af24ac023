package import SpecFile

/// `[identity]`: who the command is, inside.
package struct Identity: Equatable, Sendable {
    /// A user or group as it was written: a number, or a name that the plan looks up in the jail's own files.
    package enum Account: Hashable, Sendable {
        case id(UInt32)
        case name(String)
    }

    /// One line of uid_map or gid_map, user_namespaces(7).
    package struct Range: Equatable, Sendable {
        package var inside: UInt32
        package var outside: UInt32
        package var count: UInt32

        package init(inside: UInt32, outside: UInt32, count: UInt32) {
            self.inside = inside
            self.outside = outside
            self.count = count
        }
    }

    package enum IdentityMap: Equatable, Sendable {
        /// The caller's ranges in /etc/subuid or /etc/subgid, from 0 upwards.
        case automatic
        case ranges([Range])
    }

    package var user: Located<Account>?
    package var group: Located<Account>?
    /// Supplementary groups; nil where not written.
    package var groups: Located<[Account]>?
    package var umask: Located<UInt32>?
    package var uidMap: Located<IdentityMap>?
    package var gidMap: Located<IdentityMap>?

    /// Whether a map is to be made of /etc/subuid or /etc/subgid.
    package var asksForSubordinates: Bool {
        if case .automatic? = uidMap?.value { return true }
        if case .automatic? = gidMap?.value { return true }
        return false
    }

    package init() {}
}
