/// Whether a jail has a cgroup inside the one that is limited, and whose that is.
package enum CgroupDelegation: Equatable, Sendable {
    /// The limited one is its own.
    case none
    /// One inside, owned by the caller.
    case inner
    /// One inside, owned by this user and group of the host.
    case owned(user: UInt32, group: UInt32)
}
