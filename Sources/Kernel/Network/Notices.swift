import CLinux

/// A message of sd_notify(3) as it is received.
package struct Notice {
    package let bytes: [UInt8]
    package let descriptors: [Int32]
    /// The sender's process id in this process's pid namespace; 0 where it has none, −1 where it is not told.
    package let sender: Int32
    /// False where it was longer than the manager takes: then nothing of it is here.
    package let isWhole: Bool

    /// Closes the descriptors that came with it.
    package func close() { Kernel.dispose(of: descriptors) }
}

/// The most bytes that systemd takes: PIPE_BUF.
package let longestNotice = 4096

/// Receives one message of at most `limit` bytes; nil where there is none now, or no sender any more. The corresponding C function
/// is `recvmsg`.
package func receiveNotice(from socket: Int32, limit: Int = longestNotice + 64) throws(KernelError) -> Notice? {
    var buffer = [UInt8](repeating: 0, count: limit)
    var descriptors = [Int32](repeating: -1, count: 253)
    var count = Int32(descriptors.count)
    var sender: Int32 = -1
    let length: Int
    do throws(KernelError) {
        length = try persist(.recvmsg) {
            count = 253
            return unsafe linux_receive_notice(
                socket, &buffer, buffer.count, Int32(MSG_DONTWAIT), &descriptors, &count, &sender)
        }
    } catch {
        switch error.errno.rawValue {
        case EAGAIN, ECONNRESET: return nil
        case EMSGSIZE: return Notice(bytes: [], descriptors: [], sender: sender, isWhole: false)
        default: throw error
        }
    }
    if length == 0 && sender < 0 { return nil }
    return Notice(
        bytes: Array(buffer[..<length]), descriptors: Array(descriptors[..<Int(count)]), sender: sender, isWhole: true)
}

/// Closes descriptors that somebody else has chosen: close(2) may wait, for the peer of a socket with SO_LINGER as long as that
/// says, for a file server as long as it likes. A process that ends does not wait for a peer (net/ipv4/af_inet.c, inet_release),
/// and where it waits for a server nobody waits for it: so one is made that holds them longest. Where there is no room for a process
/// they stay open until this one ends.
func dispose(of descriptors: [Int32]) {
    guard !descriptors.isEmpty else { return }
    do throws(KernelError) {
        let (reading, writing) = try makePipe()
        defer { for end in [reading, writing] { closeDescriptor(end) } }
        let parent = currentProcess()
        guard case .child = try fork() else {
            for descriptor in descriptors { closeDescriptor(descriptor) }
            return
        }
        closeDescriptor(writing)
        try setParentDeathSignal(SIGKILL)
        // Until the other copies are closed; or whoever has them is gone.
        if parentProcess() == parent || parentProcess() == 0 { _ = try readSome(reading, limit: 1) }
        exitNow(0)
    } catch {
        return
    }
}

/// Sends one message with its descriptors; EAGAIN where it is not taken at once. The corresponding C function is `sendmsg`.
package func sendNotice(_ bytes: [UInt8], _ descriptors: [Int32], over socket: Int32) throws(KernelError) {
    try persist(.sendmsg) {
        unsafe linux_send_notice(socket, bytes, bytes.count, descriptors, Int32(descriptors.count))
    }
}

private func makeDatagramSocket() throws(KernelError) -> Descriptor {
    Descriptor(
        owning: try attempt(.socket) {
            socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        })
}

/// A socket connected to that of a service manager: an absolute path, or an abstract name after `@`. The corresponding C function
/// is `connect`.
package func connectNoticeSocket(_ address: String) throws(KernelError) -> Int32 {
    let descriptor = try makeDatagramSocket()
    let number = descriptor.number
    try attempt(.connect, address) { unsafe address.withKernelText { unsafe linux_connect_path(number, $0) } }
    return descriptor.release()
}

/// A bound socket that tells who sends, as a file that everybody may send to. The corresponding C function is `bind`.
package func makeNoticeSocketFile(_ name: String, in directory: Int32) throws(KernelError) -> Int32 {
    let descriptor = try makeDatagramSocket()
    let number = descriptor.number
    var on: Int32 = 1
    try attempt(.setsockopt) {
        unsafe setsockopt(number, SOL_SOCKET, SO_PASSCRED, &on, socklen_t(MemoryLayout<Int32>.size))
    }
    // bind(2) knows no directory to start from.
    let before = try open(".", .path | .directory)
    try attempt(.fchdir) { fchdir(directory) }
    try attempt(.bind, name) { unsafe name.withKernelText { unsafe linux_bind_path(number, $0) } }
    try attempt(.fchdir) { fchdir(before.number) }
    return descriptor.release()
}
