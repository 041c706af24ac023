import CLinux

/// Two connected ends that keep message boundaries and tell when the other end is gone. The corresponding C call is
/// `socketpair(AF_UNIX, SOCK_SEQPACKET)`.
package func makeChannel() throws(KernelError) -> (Int32, Int32) {
    var ends: [Int32] = [-1, -1]
    try attempt(.socketpair) {
        unsafe socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends)
    }
    return (ends[0], ends[1])
}

/// Sends one message, with a descriptor where `passing` is not negative.
package func send(_ bytes: [UInt8], over channel: Int32, passing descriptor: Int32 = -1) throws(KernelError) {
    try persist(.sendmsg) { unsafe linux_send_message(channel, bytes, bytes.count, descriptor) }
}

/// Receives one message of at most `limit` bytes; nil where the other end is closed. The descriptor that came with it is
/// the caller's to close.
package func receive(
    from channel: Int32, limit: Int
) throws(KernelError) -> (bytes: [UInt8], descriptor: Int32?)? {
    var buffer = [UInt8](repeating: 0, count: limit)
    var descriptor: Int32 = -1
    let count: Int
    do throws(KernelError) {
        count = try persist(.recvmsg) { unsafe linux_receive_message(channel, &buffer, limit, &descriptor) }
    } catch {
        // The other end died with messages of ours unread.
        guard error.errno.rawValue == ECONNRESET else { throw error }
        return nil
    }
    guard count > 0 else { return nil }
    return (Array(buffer[..<count]), descriptor >= 0 ? descriptor : nil)
}
