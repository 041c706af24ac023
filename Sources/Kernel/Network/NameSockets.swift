import CLinux

/// Who sent a datagram of IPv4.
package struct Peer: Equatable, Sendable {
    fileprivate var name = sockaddr_in()

    package static func == (one: Peer, other: Peer) -> Bool {
        one.name.sin_addr.s_addr == other.name.sin_addr.s_addr && one.name.sin_port == other.name.sin_port
    }
}

/// Whether a socket keeps messages apart or is a stream.
package enum SocketType: Sendable {
    case datagrams, stream

    fileprivate var number: Int32 {
        switch self {
        case .datagrams: Int32(SOCK_DGRAM.rawValue)
        case .stream: Int32(SOCK_STREAM.rawValue)
        }
    }
}

/// Whether a call failed because it would have had to wait.
private func wouldWait(_ error: KernelError) -> Bool { error.errno == .again }

/// A socket bound to an IPv4 address of the caller's network namespace, whether or not that is there yet; a stream listens. None of
/// its calls waits. The corresponding C functions are `socket`, `bind` and `listen`.
package func serve(_ type: SocketType, at address: [UInt8], port: UInt16) throws(KernelError) -> Int32 {
    var storage = sockaddr_storage()
    _ = unsafe linux_fill_address(&storage, address, 4, port)
    return try attempt(.bind) {
        unsafe withUnsafePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                unsafe linux_serve_names(type.number, $0)
            }
        }
    }
}

/// A socket that gives to, and takes from, that address only: 4 or 16 bytes. None of its calls waits, and a connection of a stream is
/// there once it can be written to. The corresponding C functions are `socket` and `connect`.
package func openSocket(
    _ type: SocketType, towards address: [UInt8], port: UInt16
) throws(KernelError) -> Int32 {
    try attempt(.connect) { unsafe linux_open_towards(type.number, address, Int32(address.count), port) }
}

/// The next datagram and who sent it; nil where there is none now. One longer than `limit` comes as nothing at all. The corresponding
/// C function is `recvfrom`.
package func receiveDatagram(
    from socket: Int32, limit: Int
) throws(KernelError) -> (bytes: [UInt8], sender: Peer)? {
    var peer = Peer()
    do throws(KernelError) {
        var length = 0
        var bytes = try unsafe filled(.recvmsg, upTo: limit) { place, room in
            length = unsafe linux_receive_from(socket, place, room, &peer.name)
            return min(length, room)
        }
        if length > limit { bytes = [] }
        return (bytes, peer)
    } catch {
        guard wouldWait(error) else { throw error }
        return nil
    }
}

/// The datagram of IPv4 or IPv6 that waits at a socket of another process, of at most `limit` bytes, and the port that it came from. It stays
/// there. nil where none waits. The corresponding C functions are `pidfd_getfd` and `recvfrom` with `MSG_PEEK`.
package func peekDatagram(
    at number: Int32, of process: Int32, limit: Int
) throws(KernelError) -> (bytes: [UInt8], port: UInt16)? {
    var port: UInt16 = 0
    do throws(KernelError) {
        let bytes = try unsafe filled(.recvmsg, upTo: limit) {
            unsafe linux_peek_datagram(process, number, $0, $1, &port)
        }
        return (bytes, port)
    } catch {
        guard wouldWait(error) else { throw error }
        return nil
    }
}

/// Sends a datagram; one that is not taken at once is lost, as any may be. The corresponding C function is `sendto`.
package func sendDatagram(_ bytes: [UInt8], to receiver: Peer, over socket: Int32) {
    var receiver = receiver
    _ = unsafe linux_send_to(socket, bytes, bytes.count, &receiver.name)
}

/// What has come on a connected socket: nothing where nothing is there now (nil), an end where the stream has ended (empty). The
/// corresponding C function is `recv`.
package func receiveNow(_ socket: Int32, limit: Int) throws(KernelError) -> [UInt8]? {
    do throws(KernelError) {
        return try unsafe filled(.recvmsg, upTo: limit) { unsafe linux_receive_now(socket, $0, $1) }
    } catch {
        guard wouldWait(error) else { throw error }
        return nil
    }
}

/// Sends what is taken at once of `bytes` over a connected socket; returns how many were. The corresponding C function is `send`.
package func sendNow(_ bytes: ArraySlice<UInt8>, over socket: Int32) throws(KernelError) -> Int {
    do throws(KernelError) {
        return try persist(.sendmsg) {
            unsafe bytes.withUnsafeBytes { unsafe linux_send_to(socket, $0.baseAddress, $0.count, nil) }
        }
    } catch {
        guard wouldWait(error) else { throw error }
        return 0
    }
}

/// The same as `accept`, by no other call: for a process whose filter leaves it few.
package func acceptNow(_ server: Int32) throws(KernelError) -> Int32? {
    try accepted { () throws(KernelError) in try persist(.socket) { linux_accept_now(server) } }
}

/// The kernel's rules of the caller's network namespace, netlink(7): to be used from outside by whoever has CAP_NET_ADMIN over it.
package func openRules() throws(KernelError) -> Int32 { try attempt(.socket) { linux_open_rules() } }

/// An address that a set is to have.
package struct SetElement: Sendable {
    /// 4 or 16 bytes.
    package let address: [UInt8]
    package let milliseconds: UInt64
    /// Whether it is in the set already, and its time begins anew. One that has left meanwhile is added like the others.
    package let isOld: Bool

    package init(address: [UInt8], milliseconds: UInt64, isOld: Bool) {
        (self.address, self.milliseconds, self.isOld) = (address, milliseconds, isOld)
    }

    /// The most that are added at once.
    package static let most = Int(linux_most_elements)
}

/// Adds elements to a set of addresses of the table `inet immure`: when this returns, packets are let through to all of them. Fails with
/// none of them added. The corresponding C functions are `send` and `recv`, with NFT_MSG_DELSETELEM and NFT_MSG_NEWSETELEM.
package func add(_ elements: [SetElement], to set: String, of rules: Int32) throws(KernelError) {
    var all = elements.map { element -> linux_element in
        var raw = linux_element()
        unsafe withUnsafeMutableBytes(of: &raw.address) { unsafe $0.copyBytes(from: element.address) }
        raw.length = Int32(element.address.count)
        raw.is_old = element.isOld ? 1 : 0
        raw.milliseconds = element.milliseconds
        return raw
    }
    try attempt(.rtnetlink, set) {
        unsafe set.withKernelText { unsafe linux_add_elements(rules, $0, &all, Int32(all.count)) }
    }
}

/// From here on this process opens no file and starts no program: it sends, receives, opens sockets of IPv4 and IPv6, writes to what it
/// has open, and ends. The corresponding C call is `seccomp(SECCOMP_SET_MODE_FILTER)`; no_new_privs must be set.
package func keepToSockets() throws(KernelError) { try attempt(.seccomp) { linux_keep_to_sockets() } }

/// Writes at a place of a file. The corresponding C function is `pwrite`.
package func writeBytes(_ bytes: [UInt8], to descriptor: Int32, at place: Int64) throws(KernelError) {
    try persist(.write) { unsafe pwrite(descriptor, bytes, bytes.count, off_t(place)) }
}

/// What a server at that address of IPv4 answers to one datagram. ETIMEDOUT where it says nothing within `milliseconds`, ECONNREFUSED where
/// nobody is there. The corresponding C functions are `send` and `recv`.
package func answer(
    of address: [UInt8], port: UInt16, to question: [UInt8], milliseconds: Int32
) throws(KernelError) -> [UInt8] {
    let socket = Descriptor(owning: try openSocket(.datagrams, towards: address, port: port))
    _ = try sendNow(question[...], over: socket.number)
    var watches = [Watch(socket.number)]
    try poll(&watches, milliseconds: milliseconds)
    guard let answer = try receiveNow(socket.number, limit: 512) else { throw KernelError(.recvmsg, .timedOut) }
    return answer
}
