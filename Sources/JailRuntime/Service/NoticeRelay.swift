import JailPlan
import Kernel
import SpecFile

/// The launcher's part in notices: it is the process that the manager has started, and so says for the jail what the jail
/// may say. A message that cannot be passed on ends nothing.
struct NoticeRelay {
    /// The launcher's end of the channel from the reaper; −1 once that is closed.
    private(set) var channel: Int32
    private let manager: Int32
    private let notices: Plan.Notices
    private let tell: MessageSink
    private var hasComplained = false
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

    /// What to wait for: a message, and a manager that takes what is held.
    var watches: [Watch] {
        [Watch(held.count < Self.most ? channel : -1), Watch(held.isEmpty ? -1 : manager, for: .writable)]
    }

    /// Does what `watches` have found to be done.
    mutating func carry(_ ready: ArraySlice<Watch>) {
        if ready[ready.startIndex + 1].isReady { flush() }
        if ready[ready.startIndex].isReady { carry() }
    }

    /// Passes on what the jail has said before it ended.
    mutating func finish() {
        // What is left in the channel is no more than it can hold: nobody sends any more.
        for _ in 0..<4096 where channel >= 0 { carry() }
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

    /// Passes one message on.
    private mutating func carry() {
        do throws(KernelError) {
            guard let notice = try receiveNotice(from: channel), let head = NoticeHead(notice.bytes) else {
                channel = -1
                return
            }
            var isHeld = false
            defer { if !isHeld { notice.close() } }
            if notices.fromCommandAlone && !head.isFromCommand {
                return complain(
                    "a message of another process than the command is not passed on", "service.notify = \"all\"")
            }
            var filter = NoticeFilter(
                command: head.command, launcher: currentProcess(), clock: notices.clockOffset,
                isWatched: notices.isWatched)
            let text = filter.rebuilt(notice.bytes.dropFirst(NoticeHead.length))
            if let refused = filter.refused { complain("\(refused) is not passed on", nil) }
            // Even where nothing is left of it, the sender of a barrier waits for its descriptor to be closed.
            guard !text.isEmpty else { return }
            held.append((text, notice))
            isHeld = true
            flush()
        } catch {
            complain("\(error.call.name): \(error.errno.name) \(error.errno.words)", nil)
        }
    }

    /// Once: whoever is in the jail could fill the journal.
    private mutating func complain(_ what: String, _ hint: String?) {
        guard !hasComplained else { return }
        hasComplained = true
        tell(.warning(Diagnostic("notify: \(what)", at: nil, hint: hint)))
    }
}
