import JailPlan
import Kernel
import SpecFile

/// The launcher's part in notices: it is the process that the manager has started, and so says for the jail what the jail
/// may say. A message that cannot be passed on ends nothing.
struct NoticeRelay {
    /// The launcher's end of the channel from the reaper, −1 once that is closed; or the jail's own socket.
    private(set) var channel: Int32
    private let manager: Int32
    private let notices: Plan.Notices
    private let tell: MessageSink
    private var hasComplained = false
    /// The command, where it is pid 1 and `channel` the socket that it sends to: as the kernel tells the launcher of a sender,
    /// whose processes of the jail have ids of the launcher's pid namespace, unix(7).
    private var command: Int32?
    /// What the manager has not taken yet, oldest first: a manager that does not read holds nobody up.
    private var held: [(text: [UInt8], notice: Notice)] = []

    /// How many messages are held before the jail has to wait, and how long when it is over, in milliseconds.
    private static let (most, patience) = (64, 1000)

    init(_ notices: Plan.Notices, from channel: Int32, to manager: Int32, _ tell: @escaping MessageSink) {
        self.tell = tell
        self.notices = notices
        self.channel = channel
        self.manager = manager
    }

    var descriptors: [Int32] { [channel, manager] }

    /// Reads the jail's socket from now on, of which `command` is the jail's first process.
    mutating func listen(to socket: Int32, for command: Int32) {
        closeDescriptor(channel)
        (channel, self.command) = (socket, command)
    }

    /// What to wait for: a message, and a manager that takes what is held.
    var watches: [Watch] {
        [Watch(held.count < Self.most ? channel : -1), Watch(held.isEmpty ? -1 : manager, for: .writable)]
    }

    /// Does what `watches` have found to be done.
    mutating func carry(_ ready: ArraySlice<Watch>) {
        if ready[ready.startIndex + 1].isReady { flush() }
        if ready[ready.startIndex].isReady { _ = carry() }
    }

    /// Passes on what the jail has said before it ended.
    mutating func finish() {
        // What is left in the channel is no more than it can hold: nobody sends any more.
        for _ in 0..<4096 where channel >= 0 { if !carry() { break } }
        let due = monotonicNanoseconds() + Self.patience * 1_000_000
        do throws(KernelError) {
            while !held.isEmpty, monotonicNanoseconds() < due {
                var watches = [Watch(manager, for: .writable)]
                try poll(&watches, milliseconds: 50)
                flush()
            }
            if !held.isEmpty { complain("the manager does not read: what was said last is lost", nil) }
        } catch {
            return  // nothing of a jail's end depends on it
        }
    }

    private mutating func flush() {
        while let (text, notice) = held.first {
            do throws(KernelError) {
                try sendNotice(text, notice.descriptors, over: manager)
            } catch {
                if error.errno == .again { return }
                complain("\(error.call.name): \(error.errno.name) \(error.errno.words)", nil)
            }
            notice.close()
            held.removeFirst()
        }
    }

    /// Passes one message on; false where there was none.
    private mutating func carry() -> Bool {
        do throws(KernelError) {
            guard let notice = try receiveNotice(from: channel) else {
                if command == nil { channel = -1 }
                return false
            }
            var isHeld = false
            defer { if !isHeld { notice.close() } }
            guard let (head, message) = split(notice) else {
                if command == nil { channel = -1 }
                return true
            }
            if notices.fromCommandAlone && !head.isFromCommand {
                complain("a message of another process than the command is not passed on", "service.notify = \"all\"")
                return true
            }
            var filter = NoticeFilter(
                command: head.command, launcher: currentProcess(), clock: notices.clockOffset,
                isWatched: notices.isWatched)
            let text = filter.rebuilt(message)
            if let refused = filter.refused { complain("\(refused) is not passed on", nil) }
            // Even where nothing is left of it, the sender of a barrier waits for its descriptor to be closed.
            guard !text.isEmpty else { return true }
            held.append((text, notice))
            isHeld = true
            flush()
        } catch {
            complain("\(error.call.name): \(error.errno.name) \(error.errno.words)", nil)
        }
        return true
    }

    /// Who has sent a message, and what; nil for none that the reaper sends. One that comes straight from the jail is too long for the
    /// manager, or is read as it is: the command is pid 1 there.
    private func split(_ notice: Notice) -> (NoticeHead, ArraySlice<UInt8>)? {
        guard let command else {
            return NoticeHead(notice.bytes).map { ($0, notice.bytes.dropFirst(NoticeHead.length)) }
        }
        let isWhole = notice.isWhole && notice.bytes.count <= longestNotice
        return (
            NoticeHead(isFromCommand: notice.sender == command, command: 1), isWhole ? notice.bytes[...] : []
        )
    }

    /// Once: whoever is in the jail could fill the journal.
    private mutating func complain(_ what: String, _ hint: String?) {
        guard !hasComplained else { return }
        hasComplained = true
        tell(.warning(Diagnostic("notify: \(what)", at: nil, hint: hint)))
    }
}
