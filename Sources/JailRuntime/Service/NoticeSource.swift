import Kernel

/// The reaper's part in notices: it receives them, and tells the launcher who has sent them.
///
/// The reaper and no one else can tell: the kernel gives it the sender's process id in the jail's own pid namespace, and 0
/// for a process that is not in it, whatever has become of the sender since.
struct NoticeSource {
    let socket: Int32
    let launcher: Int32
    /// The command's process id in the jail.
    let command: Int32

    /// Passes one message on, where there is one.
    func pass() throws(KernelError) { _ = try passOne() }

    /// Passes on whatever is left: the jail ends.
    func passAll() throws(KernelError) { while try passOne() {} }

    private func passOne() throws(KernelError) -> Bool {
        guard let notice = try receiveNotice(from: socket) else { return false }
        defer { notice.close() }
        // Too long for the manager, or from outside of the jail.
        guard notice.isWhole, notice.bytes.count <= longestNotice, notice.sender > 0 else { return true }
        let head = NoticeHead(isFromCommand: notice.sender == command, command: command)
        try sendNotice(head.bytes + notice.bytes, notice.descriptors, over: launcher)
        return true
    }
}

/// What the reaper puts in front of a message.
struct NoticeHead {
    static let length = 5

    let isFromCommand: Bool
    /// The command's process id in the jail.
    let command: Int32

    init(isFromCommand: Bool, command: Int32) {
        self.isFromCommand = isFromCommand
        self.command = command
    }

    init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.length else { return nil }
        isFromCommand = bytes[0] == 1
        command = Int32(bitPattern: bytes[1..<Self.length].reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
    }

    var bytes: [UInt8] {
        let number = UInt32(bitPattern: command)
        return [isFromCommand ? 1 : 0] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }
}
