import CLinux

/// A port of this host, or of a namespace, at which a socket receives.
package struct Port: Equatable, Sendable {
    /// 4 or 16 bytes; all 0 for every address of the host.
    package let address: [UInt8]
    package let number: UInt16
    /// UDP in place of TCP.
    package let isDatagram: Bool

    package init(address: [UInt8], number: UInt16, isDatagram: Bool) {
        (self.address, self.number, self.isDatagram) = (address, number, isDatagram)
    }

    /// A socket that receives there, in the caller's network namespace; its reads do not wait. The corresponding C functions are
    /// `socket`, `setsockopt`, `bind` and `listen`.
    package func open() throws(KernelError) -> Descriptor {
        var step = linux_port_socket
        let socket = unsafe linux_open_port(address, Int32(address.count), number, isDatagram ? 1 : 0, &step)
        if socket >= 0 { return Descriptor(owning: socket) }
        let errno = Errno.current
        switch step {
        case linux_port_socket: throw KernelError(.socket, errno)
        case linux_port_bind: throw KernelError(.bind, errno)
        case linux_port_listen: throw KernelError(.listen, errno)
        default: throw KernelError(.setsockopt, errno)
        }
    }

    /// Whether the kernel says that the socket receives there. The corresponding C functions are `getsockname` and `getsockopt`.
    package func isReceived(by socket: Int32) throws(KernelError) -> Bool {
        try attempt(.getsockname) {
            unsafe linux_is_port(socket, address, Int32(address.count), number, isDatagram ? 1 : 0)
        } == 1
    }
}

/// Whether sockets of this process belong to the network namespace behind an open file of it; asks for `CAP_NET_ADMIN` there.
/// The corresponding C call is `ioctl(SIOCGSKNS)`, Linux 4.9.
package func makesSockets(in network: Int32) throws(KernelError) -> Bool {
    try attempt(.ioctl, "SIOCGSKNS") { linux_is_socket_of(network) } == 1
}

/// The next connection of a listener; nil where none is there (any more). A want of descriptors or memory is an error: the listener
/// stays readable. The corresponding C function is `accept4`.
package func accept(_ listener: Int32) throws(KernelError) -> Int32? {
    try accepted { () throws(KernelError) in try persist(.socket) { linux_accept(listener) } }
}

/// accept(2): errors of the network, and of a connection that is gone, are those of one connection.
func accepted(_ next: () throws(KernelError) -> Int32) throws(KernelError) -> Int32? {
    do throws(KernelError) {
        return try next()
    } catch {
        if [.tooManyOpen, .noMemory, .tableFull, .noBuffers].contains(error.errno) { throw error }
        return nil
    }
}

/// A socket on its way to a port of the loopback interface of the caller's namespace, 127.0.0.1 or ::1: writable once it is there, unless it is
/// at once. The corresponding C functions are `socket` and `connect`.
package func connectToLoopback(
    isIPv6: Bool, port: UInt16, isDatagram: Bool
) throws(KernelError) -> (socket: Int32, isThere: Bool) {
    var there: Int32 = 0
    let socket = try attempt(.connect) {
        unsafe linux_connect_loopback(isIPv6 ? 1 : 0, port, isDatagram ? 1 : 0, &there)
    }
    return (socket, there != 0)
}

/// What has befallen a socket since it was asked last; nil for nothing. The corresponding C call is `getsockopt(SO_ERROR)`.
package func takeError(of socket: Int32) -> Errno? {
    let error = linux_socket_error(socket)
    return error == 0 ? nil : Errno(rawValue: error)
}

/// Closes a connection so that its other end is told of a failure, not of an end. The corresponding C call is
/// `setsockopt(SO_LINGER)`.
package func abortConnection(_ socket: Int32) { linux_abort_connection(socket) }

/// Says that nothing more will be written. The corresponding C function is `shutdown`.
package func endWriting(to socket: Int32) { _ = CLinux.shutdown(socket, Int32(SHUT_WR)) }

/// What became of bytes that were to be carried on.
package enum Carried {
    /// All that had come.
    case all
    /// The rest is held back until the other end takes more.
    case held
    /// No more will come.
    case ended
    /// One of the two ends is gone.
    case failed
}

/// Carries what has come at one stream to another, neither of which waits: first what was held back, then at most about 1 MiB. An end
/// behind the last of it is found the next time, or now, `untilEnd`. The corresponding C functions are `recv` and `send`.
package func carry(
    from source: Int32, to target: Int32, holding held: inout [UInt8], untilEnd: Bool
) -> Carried {
    let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
    return unsafe withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { buffer in
        for _ in 0..<16 {
            if !held.isEmpty {
                let sent = unsafe held.withUnsafeBytes { unsafe send(target, $0.baseAddress, $0.count, flags) }
                if sent < 0 { return isWaiting ? .held : .failed }
                held.removeFirst(sent)
                if !held.isEmpty { return .held }
            }
            let count = unsafe recv(source, buffer.baseAddress, buffer.count, flags)
            if count < 0 { return isWaiting ? .all : .failed }
            if count == 0 { return .ended }
            let sent = unsafe send(target, buffer.baseAddress, count, flags)
            if sent < 0, !isWaiting { return .failed }
            if sent < count { held = unsafe [UInt8](buffer[max(0, sent)..<count]) }
            // There was no more just now.
            if count < buffer.count && held.isEmpty && !untilEnd { return .all }
        }
        return held.isEmpty ? .all : .held
    }
}

private var isWaiting: Bool {
    let errno = linux_errno()
    return errno == EAGAIN || errno == EINTR
}

/// Who has sent a datagram, and at which address of this host.
package struct DatagramPeer: Hashable, Sendable {
    fileprivate var peer: linux_peer

    private var bytes: [UInt8] { unsafe withUnsafeBytes(of: peer) { unsafe Array($0) } }
    package static func == (one: DatagramPeer, other: DatagramPeer) -> Bool { one.bytes == other.bytes }
    package func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

/// The next datagram; nil where none is there. The corresponding C function is `recvmsg`.
package func receiveDatagram(_ socket: Int32) throws(KernelError) -> (bytes: [UInt8], peer: DatagramPeer)? {
    var peer = linux_peer()
    do throws(KernelError) {
        let bytes = unsafe try filled(.recvmsg, upTo: 1 << 16) { buffer, room in
            unsafe linux_receive_by_port(socket, buffer, room, &peer)
        }
        return (bytes, DatagramPeer(peer: peer))
    } catch {
        guard error.errno == .again else { throw error }
        return nil
    }
}

/// Sends a datagram to a peer from the address at which it came, or where there is none to whom the socket is connected. Like every
/// datagram it may be lost. The corresponding C function is `sendmsg`.
package func sendDatagram(_ bytes: [UInt8], over socket: Int32, to peer: DatagramPeer? = nil) {
    if let peer {
        unsafe withUnsafePointer(to: peer.peer) { unsafe _ = linux_send_by_port(socket, bytes, bytes.count, $0) }
    } else {
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        unsafe _ = CLinux.send(socket, bytes, bytes.count, flags)
    }
}
