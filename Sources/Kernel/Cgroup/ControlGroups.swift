import CLinux

/// Forks into new namespaces and, where `cgroup` is an open directory of the version 2 hierarchy, into that cgroup: the
/// child is never anywhere else, and a cgroup namespace made with it has that cgroup as its root (`cgroup_post_fork`). The
/// corresponding C call is `clone3` with `CLONE_INTO_CGROUP`; −1 forks into the caller's own cgroup.
package func fork(into namespaces: NamespaceFlags, cgroup: Int32) throws(KernelError) -> ForkSide {
    let child = try attempt(.clone3) { linux_clone3(namespaces.rawValue, nil, SIGCHLD, cgroup) }
    return child == 0 ? .child : .parent(child: Int32(child))
}

/// Removes an empty directory. The corresponding C call is `unlinkat(AT_REMOVEDIR)`.
package func removeDirectory(_ path: String, at directory: Int32) throws(KernelError) {
    try attempt(.unlinkat, path) { unsafe path.withKernelText { unsafe unlinkat(directory, $0, AT_REMOVEDIR) } }
}

/// Locks an open file for this open file description only; EAGAIN where somebody else has it. The corresponding C call is
/// `flock(LOCK_EX | LOCK_NB)`.
package func lock(_ descriptor: Int32) throws(KernelError) {
    try persist(.flock) { flock(descriptor, LOCK_EX | LOCK_NB) }
}

/// Whether a file has that extended attribute. The corresponding C function is `getxattr`.
package func hasAttribute(_ name: String, _ path: String) -> Bool {
    unsafe path.withKernelText { file in unsafe name.withKernelText { unsafe getxattr(file, $0, nil, 0) } } >= 0
}

/// Waits until a file of cgroupfs such as cgroup.events has changed since it was last read; false past `milliseconds`. The
/// corresponding C call is `poll(POLLPRI)`.
package func waitForChange(of descriptor: Int32, milliseconds: Int32) throws(KernelError) -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(POLLPRI), revents: 0)
    return try persist(.poll) { unsafe CLinux.poll(&request, 1, milliseconds) } > 0
}
