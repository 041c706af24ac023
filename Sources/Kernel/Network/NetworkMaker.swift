import CLinux

/// A network namespace in the making. It takes the kernel three times as long as all the other namespaces of a jail
/// together, so a process of its own makes it while the caller goes on.
///
/// That process runs nothing of Swift. It is the caller's child: as pid 1 of a pid namespace the caller takes it along
/// when it ends.
package struct NetworkMaker: Sendable {
    private let process: Int32

    /// Begins. Where there is no room for a process the caller itself makes the namespace, and is in it. The corresponding C
    /// functions are `clone` with `CLONE_VM`, and `unshare`.
    package static func start() -> NetworkMaker { NetworkMaker(process: linux_begin_network()) }

    /// Waits for the namespace and moves the caller into it. Fails with what has failed in making it. The corresponding C
    /// functions are `waitpid` and `setns`.
    package func enter() throws(KernelError) {
        var step = linux_network_wait
        guard unsafe linux_enter_network(process, &step) < 0 else { return }
        let errno = Errno.current
        switch step {
        case linux_network_unshare: throw KernelError(.unshare, errno)
        case linux_network_socket: throw KernelError(.socket, errno)
        case linux_network_ask: throw KernelError(.ioctl, errno, path: "SIOCGSKNS")
        case linux_network_join: throw KernelError(.setns, errno)
        default: throw KernelError(.wait, errno)
        }
    }
}
