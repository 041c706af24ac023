package import JailSpec

/// Who writes uid_map and gid_map, and what, user_namespaces(7).
package struct IdentityMaps: Equatable, Sendable {
    package enum Writer: String, Equatable, Sendable {
        /// The process in the namespace: one line that maps its own id.
        case itself
        /// The launcher, privileged in the parent namespace.
        case launcher
        /// newuidmap(1) and newgidmap(1), by the caller's ranges in /etc/subuid and /etc/subgid.
        case helpers
    }

    package let users: [Identity.Range]
    package let groups: [Identity.Range]
    package let writer: Writer
    /// Whether the process in the namespace writes them, without anybody's help.
    package var isWrittenInside: Bool { if case .itself = writer { true } else { false } }
    /// An unprivileged writer must give up setgroups(2) before gid_map, or the kernel refuses the map.
    package let denySetgroups: Bool

    package init(users: [Identity.Range], groups: [Identity.Range], writer: Writer, denySetgroups: Bool) {
        (self.users, self.groups, self.writer, self.denySetgroups) = (users, groups, writer, denySetgroups)
    }
}
