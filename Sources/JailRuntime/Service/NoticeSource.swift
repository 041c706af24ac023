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

    /// Passes on what is left when the jail ends: as much as a socket can hold (net.unix.max_dgram_qlen), and no more, as there
    /// may be somebody who goes on sending.
    func passRest() throws(KernelError) {
        let due = monotonicNanoseconds() + 1_000_000_000
        for _ in 0..<512 { guard try passOne(), monotonicNanoseconds() < due else { return } }
    }

    private func passOne() throws(KernelError) -> Bool {
        guard let notice = try receiveNotice(from: socket) else { return false }
        defer { notice.close() }
        // Too long for the manager, or from outside of the jail.
        guard notice.isWhole, notice.bytes.count <= longestNotice, notice.sender > 0 else { return true }
        let head = NoticeHead(isFromCommand: notice.sender == command, command: command)
        do throws(KernelError) {
            waitForRoom()
            let needed = Self.needsDescriptors(notice.bytes) ? notice.descriptors : []
            try sendNotice(head.bytes + notice.bytes, needed, over: launcher)
        } catch {
            // A launcher that is stopped, or gone: its end is noticed elsewhere, and nothing waits for it here.
            guard error.errno == .again || error.errno.meansPeerGone else { throw error }
        }
        return true
    }

    /// How long the launcher may take for a message, in milliseconds.
    private static let patience: Int32 = 100

    /// A manager that is slow, and with it the launcher, slows the sender down; one that does not read loses messages.
    private func waitForRoom() {
        var room = [Watch(launcher, for: .writable)]
        do throws(KernelError) {
            try poll(&room, milliseconds: Self.patience)
        } catch {
            return  // poll(2) is refused by a low RLIMIT_NOFILE: what is sent without waiting finds room, or does not
        }
    }

    /// Whether a message has a use for descriptors, sd_notify(3): the launcher gets no others.
    private static func needsDescriptors(_ bytes: [UInt8]) -> Bool {
        bytes.split(separator: UInt8(ascii: "\n")).contains { line in
            line.elementsEqual("FDSTORE=1".utf8) || line.elementsEqual("BARRIER=1".utf8)
        }
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
