import CLinux

/// Connects to the stream socket of that path, unix(7): EAGAIN where nobody accepts, or later takes what is written, in that
/// time. The corresponding C functions are `socket`, `setsockopt(SO_SNDTIMEO)` and `connect`.
package func connectStream(to path: String, within milliseconds: Int) throws(KernelError) -> Descriptor {
    let socket = Descriptor(
        owning: try attempt(.socket) {
            CLinux.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        })
    let number = socket.number
    var patience = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
    try attempt(.setsockopt) {
        unsafe setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }
    try persist(.connect, path) { unsafe path.withKernelText { unsafe linux_connect(number, $0) } }
    return socket
}

/// What has come, at most `limit` bytes; nothing at the end of the stream. ETIMEDOUT where nothing came in time.
package func readSome(_ descriptor: Int32, limit: Int, milliseconds: Int32) throws(KernelError) -> [UInt8] {
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    let ready = try persist(.poll) { unsafe CLinux.poll(&request, 1, milliseconds) }
    guard ready > 0 else { throw KernelError(.read, Errno(rawValue: ETIMEDOUT)) }
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = try persist(.read) { unsafe CLinux.read(descriptor, &bytes, limit) }
    return Array(bytes[..<count])
}
