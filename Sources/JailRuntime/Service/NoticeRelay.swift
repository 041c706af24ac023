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

    init(_ notices: Plan.Notices, from channel: Int32, to manager: Int32, _ tell: @escaping MessageSink) {
        self.tell = tell
        self.notices = notices
        self.channel = channel
        self.manager = manager
    }

    var descriptors: [Int32] { [channel, manager] }

    /// Passes one message on.
    mutating func carry() {
        do throws(KernelError) {
            guard let notice = try receiveNotice(from: channel), let head = NoticeHead(notice.bytes) else {
                channel = -1
                return
            }
            defer { notice.close() }
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
            if !text.isEmpty { try sendNotice(text, notice.descriptors, over: manager) }
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
