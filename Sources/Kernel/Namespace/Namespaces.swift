import CLinux

/// Kinds of namespaces(7) as the flags of clone(2).
package struct NamespaceFlags: OptionSet, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The default goes through an existential collection, which the launch has no time for.
    package init(arrayLiteral elements: NamespaceFlags...) { rawValue = elements.reduce(0) { $0 | $1.rawValue } }

    package static let user = NamespaceFlags(rawValue: UInt64(CLONE_NEWUSER))
    package static let mount = NamespaceFlags(rawValue: UInt64(CLONE_NEWNS))
    package static let pid = NamespaceFlags(rawValue: UInt64(CLONE_NEWPID))
    package static let net = NamespaceFlags(rawValue: UInt64(CLONE_NEWNET))
    package static let ipc = NamespaceFlags(rawValue: UInt64(CLONE_NEWIPC))
    package static let uts = NamespaceFlags(rawValue: UInt64(CLONE_NEWUTS))
    package static let cgroup = NamespaceFlags(rawValue: UInt64(CLONE_NEWCGROUP))
    package static let time = NamespaceFlags(rawValue: UInt64(CLONE_NEWTIME))
}

/// Which side of a fork the caller finds itself on.
package enum ForkSide: Sendable {
    case parent(child: Int32)
    case child
}

/// Forks into new namespaces, all made at once, so that the user namespace owns the others. The corresponding C function
/// is `clone3`. A multi-threaded caller would carry only this thread over; immure never has a second one.
package func fork(into namespaces: NamespaceFlags) throws(KernelError) -> ForkSide {
    let child = try attempt(.clone3) { linux_clone3(namespaces.rawValue, nil, SIGCHLD, -1) }
    return child == 0 ? .child : .parent(child: Int32(child))
}

/// As `fork`, with a descriptor of the child (a pidfd) that becomes readable when it ends: −1 in the child itself. The
/// corresponding C function is `clone3` with `CLONE_PIDFD`.
package func forkWatched(
    into namespaces: NamespaceFlags = []
) throws(KernelError) -> (side: ForkSide, process: Int32) {
    var descriptor: Int32 = -1
    let child = try attempt(.clone3) { unsafe linux_clone3(namespaces.rawValue, &descriptor, SIGCHLD, -1) }
    return child == 0 ? (.child, -1) : (.parent(child: Int32(child)), descriptor)
}

/// Moves the caller itself into new namespaces. The corresponding C function is `unshare`.
package func unshare(_ namespaces: NamespaceFlags) throws(KernelError) {
    try attempt(.unshare) { CLinux.unshare(Int32(namespaces.rawValue)) }
}

/// Whether the namespaces of those kinds that the caller is in belong to its own user namespace, or to one below it.
///
/// To join once more what one is in changes nothing, and takes `CAP_SYS_ADMIN` in the user namespace that owns each
/// (kernel/nsproxy.c, `validate_nsset`): of a host's namespace no one has that in a user namespace of its own. The
/// corresponding C functions are `pidfd_open` and `setns`, Linux 5.8.
package func ownsNamespaces(_ kinds: NamespaceFlags) throws(KernelError) -> Bool {
    let own = Descriptor(owning: try attempt(.pidfdOpen) { pidfd_open(getpid(), 0) })
    do throws(KernelError) {
        try join(own.number, kinds)
        return true
    } catch {
        guard error.errno == .notPermitted else { throw error }
        return false
    }
}

/// Whether it is the kernel that answers what `ownsNamespaces` asks, and not a filter of system calls: both calls are made
/// with what the kernel itself refuses before it looks at anything else.
package func isOwnershipAnswered(for kinds: NamespaceFlags) -> Bool {
    guard CLinux.setns(-1, Int32(kinds.rawValue)) < 0, linux_errno() == EBADF else { return false }
    return pidfd_open(0, 0) < 0 && linux_errno() == EINVAL
}

/// Joins the namespace behind an open namespace file, which must be of that kind. The corresponding C function is `setns`.
package func join(_ namespace: Int32, _ kind: NamespaceFlags) throws(KernelError) {
    try attempt(.setns) { CLinux.setns(namespace, Int32(kind.rawValue)) }
}
