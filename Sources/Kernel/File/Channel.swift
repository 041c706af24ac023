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
    var descriptor: Int32 = -1
    let bytes: [UInt8]
    do throws(KernelError) {
        bytes = try unsafe filled(.recvmsg, upTo: limit) { unsafe linux_receive_message(channel, $0, $1, &descriptor) }
    } catch {
        // The other end died with messages of ours unread. That is told once, and before what it said last.
        guard error.errno.rawValue == ECONNRESET else { throw error }
        bytes = try unsafe filled(.recvmsg, upTo: limit) { unsafe linux_receive_message(channel, $0, $1, &descriptor) }
    }
    guard !bytes.isEmpty else { return nil }
    return (bytes, descriptor >= 0 ? descriptor : nil)
}

/// A pipe: what is written to the second end is read from the first. Both ends are close-on-exec. The corresponding C function is
/// `pipe2`.
package func makePipe() throws(KernelError) -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [-1, -1]
    try attempt(.pipe) { unsafe pipe2(&ends, O_CLOEXEC) }
    return (ends[0], ends[1])
}
