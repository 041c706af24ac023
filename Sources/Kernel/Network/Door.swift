import CLinux

/// A socket that keeps message boundaries and listens by an abstract name of the network namespace, which goes with it; a name
/// begins with `@`. The corresponding C functions are `socket`, `bind` and `listen`.
package func listen(as name: String) throws(KernelError) -> Descriptor {
    let door = try makeSequenceSocket(waits: false)
    let number = door.number
    try attempt(.bind, name) { unsafe name.withKernelText { unsafe linux_bind_path(number, $0) } }
    try attempt(.listen, name) { CLinux.listen(number, 4) }
    return door
}

/// A socket connected to the one of that abstract name. The corresponding C functions are `socket` and `connect`.
package func connect(to name: String) throws(KernelError) -> Descriptor {
    let socket = try makeSequenceSocket(waits: true)
    let number = socket.number
    try persist(.connect, name) { unsafe name.withKernelText { unsafe linux_connect_path(number, $0) } }
    return socket
}

/// Who made the other end, or listens there: as they were when they did. The corresponding C function is `getsockopt` with
/// `SO_PEERCRED`.
package func peer(of socket: Int32) throws(KernelError) -> (process: Int32, user: UInt32) {
    var process: Int32 = 0
    var user: UInt32 = .max
    try attempt(.getsockopt) { unsafe linux_peer(socket, &process, &user) }
    return (process, user)
}

private func makeSequenceSocket(waits: Bool) throws(KernelError) -> Descriptor {
    let flags = Int32(SOCK_CLOEXEC.rawValue) | (waits ? 0 : Int32(SOCK_NONBLOCK.rawValue))
    return Descriptor(
        owning: try attempt(.socket) { socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue) | flags, 0) })
}
