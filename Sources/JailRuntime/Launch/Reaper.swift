import JailPlan
import Kernel

/// Pid 1 of the jail: waits for whatever ends, passes signals to the command, and takes everything with it when the
/// command or the launcher is gone.
struct Reaper {
    let command: Int32
    let channel: Int32
    let signals: Int32
    let terminal: Int32
    let ownsProcesses: Bool
    let notices: NoticeSource?
    let rooms: FullRooms
    /// How many descriptors there can be, where the kernel cannot close them all at once.
    let tableSize: () -> Int32

    private var idle = Idle(waiting: select)
    /// When the jail ends though nobody says so, in nanoseconds of the monotonic clock.
    private var alarm: Int?

    init(
        command: Int32, channel: Int32, signals: Int32, terminal: Int32, ownsProcesses: Bool,
        notices: NoticeSource?, rooms: FullRooms, tableSize: @escaping () -> Int32
    ) {
        self.rooms = rooms
        self.command = command
        self.channel = channel
        self.signals = signals
        self.terminal = terminal
        self.ownsProcesses = ownsProcesses
        self.notices = notices
        self.tableSize = tableSize
    }

    mutating func reap() -> Never {
        do throws(KernelError) {
            // The caller's files belong only to the command: /proc/1/fd must show none of them, nor anything of the host,
            // and the reader of a pipe waits until the last end is closed.
            let ends = notices.map { [$0.socket, $0.launcher] } ?? []
            try closeAll(
                except: ([channel, signals, terminal] + ends + rooms.descriptors).filter { $0 >= 0 },
                tableSize: tableSize)
            if !ownsProcesses { try becomeSubreaper() }
            while true {
                var watches = [Watch(signals), Watch(channel), Watch(notices?.socket ?? -1)]
                try idle.poll(&watches, milliseconds: remaining)
                if let alarm, monotonicNanoseconds() >= alarm {
                    tell(.changed(.signaled(Signal.kill)))
                    exitNow(Outcome.lostStatus)
                }
                // Before an end is looked at: what was sent before it was sent by somebody.
                if watches[2].isReady { try notices?.pass() }
                if watches[0].isReady { try handleSignals() }
                if watches[1].isReady { try handleMessage() }
            }
        } catch {
            lose(Failure(error))
        }
    }

    /// A jail without its reaper ends; the launcher says why. The command has run.
    func lose(_ failure: Failure) -> Never {
        tell(.lost(failure))
        exitNow(Outcome.lostStatus)
    }

    /// False where nobody hears it.
    @discardableResult
    private func tell(_ message: Message) -> Bool {
        do throws(KernelError) {
            try send(message.bytes, over: channel)
            return true
        } catch {
            return false
        }
    }

    /// A few at a time: whoever floods this process with signals must not keep it from the launcher and the clock.
    private func handleSignals() throws(KernelError) {
        for _ in 0..<64 {
            guard let delivered = try nextSignal(signals) else { return }
            if delivered.number == Signal.child {
                try collect()
            } else {
                // From inside (`kill 1`), or from outside to pid 1 itself: meant for the command.
                try pass(delivered.number)
            }
        }
    }

    /// Everybody else in the namespace, kill(2).
    private func killOthers() {
        do throws(KernelError) {
            try kill(-1, Signal.kill)
        } catch {
            return  // there is nobody else
        }
    }

    private var remaining: Int32? {
        alarm.map { Int32(clamping: max(0, ($0 - monotonicNanoseconds() + 999_999) / 1_000_000)) }
    }

    private mutating func handleMessage() throws(KernelError) {
        guard let message = try receive(from: channel, limit: Message.limit) else { exitNow(Outcome.lostStatus) }
        switch Message(message.bytes) {
        case .forward(let signal)?: try pass(signal)
        case .typed(let signal)?: try pass(signal, toGroup: true)
        case .foreground? where terminal >= 0: try setForegroundGroup(of: terminal, to: command)
        case .alarm(let milliseconds)?: alarm = milliseconds.map { monotonicNanoseconds() + Int($0) * 1_000_000 }
        default: break
        }
    }

    /// A command that has ended meanwhile is not there to signal; its end is about to be collected.
    private func pass(_ signal: Int32, toGroup: Bool = false) throws(KernelError) {
        do throws(KernelError) {
            // Stopping and going on concern the whole job, as they do from a terminal.
            let target = toGroup || signal == Signal.stop || signal == Signal.continue ? -command : command
            try kill(target, signal)
        } catch {
            guard error.errno == .noProcess || error.errno == .notPermitted else { throw error }
        }
    }

    private func collect() throws(KernelError) {
        var use = ResourceUse()
        while let (child, end) = try wait(blocking: false, stops: true, use: &use) {
            guard child == command else { continue }
            if case .stopped = end {
                try send(Message.changed(end).bytes, over: channel)
                continue
            }
            if let notices {
                // First of all: those who are left could go on sending. The kernel kills them with this one's end anyway, and looks
                // at every process of the host to do it here: 60 us among 140.
                if ownsProcesses { killOthers() }
                try notices.passRest()
            }
            for room in rooms.full() { tell(.full(room)) }
            // Where this is pid 1 the kernel now kills every other process of the namespace. An end that is not told is
            // lost: the status of this process could not tell the command's 125 from a launch that failed.
            exitNow(tell(.changed(end)) ? end.shellStatus : Outcome.lostStatus)
        }
    }
}
