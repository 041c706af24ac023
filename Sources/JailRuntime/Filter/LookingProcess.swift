import Kernel

/// A process beside the launcher that looks at what may stand still for ever: memory of the jail on a page that somebody holds back, a
/// path of the host, or one that is served in the jail. One question is put at a time, and a process that has no answer within
/// `patience` is given up: the kernel may hold it, and nobody waits for it.
struct LookingProcess {
    /// The launcher's end of the channel; −1 when nobody looks any more.
    private var channel: Int32
    private let process: Int32
    /// What the question is about, until it has been answered, and when its time is up.
    private var asked: (name: String, due: Int)?
    /// In nanoseconds.
    private static let patience = 500_000_000
    static let room = 65_536

    /// Starts the process, which answers by `look` and keeps nothing open but `proc`. It ends with the launcher.
    init(keeping proc: HostProc, _ look: @escaping ([UInt8]) -> [UInt8]) throws(KernelError) {
        let launcher = currentProcess()
        let (ours, theirs) = try makeChannel()
        guard case .parent(let child) = try fork() else {
            Self.work(look, over: theirs, for: launcher, proc)
        }
        closeDescriptor(theirs)
        (channel, process) = (ours, child)
    }

    /// Puts a question; false where nobody looks. Its answer is heard before the next one is put.
    mutating func ask(_ question: [UInt8], about name: String) -> Bool {
        guard channel >= 0 else { return false }
        do throws(KernelError) {
            try send(question, over: channel)
            asked = (name, monotonicNanoseconds() + Self.patience)
            return true
        } catch {
            end()
            return false
        }
    }

    enum Answer {
        /// There is time left.
        case none
        case bytes([UInt8])
        /// The process was given up, at what the question was about.
        case gaveUp(String)
    }

    /// What the process says, or that it says nothing.
    mutating func hear(_ found: Watch) -> Answer {
        guard let asked, found.isReady || monotonicNanoseconds() >= asked.due else { return .none }
        self.asked = nil
        guard found.isReadable, let bytes = answer() else {
            end()
            return .gaveUp(asked.name)
        }
        return .bytes(bytes)
    }

    private func answer() -> [UInt8]? {
        do throws(KernelError) {
            return try receive(from: channel, limit: Self.room)?.bytes
        } catch {
            return nil  // it has ended
        }
    }

    /// Where its answer comes from.
    var watch: Watch { Watch(channel) }

    /// When its time is up, by the clock of `monotonicNanoseconds`.
    var deadline: Int? { asked?.due }

    mutating func end() {
        guard channel >= 0 else { return }
        closeDescriptor(channel)
        channel = -1
        do throws(KernelError) {
            try kill(process, Signal.kill)
        } catch {
            return  // it has ended
        }
    }

    private static func work(
        _ look: ([UInt8]) -> [UInt8], over channel: Int32, for launcher: Int32, _ proc: HostProc
    ) -> Never {
        do throws(KernelError) {
            try setParentDeathSignal(Signal.kill)
            guard parentProcess() == launcher else { exitNow(0) }
            try closeAll(except: [channel, proc.descriptor]) { proc.descriptorTableSize() }
            while let message = try receive(from: channel, limit: room) {
                try send(look(message.bytes), over: channel)
            }
        } catch {
            exitNow(125)
        }
        exitNow(0)
    }
}

extension Question {
    /// Thread, number and arguments in the machine's order.
    var bytes: [UInt8] {
        var numbers = [id, UInt64(bitPattern: Int64(thread)), UInt64(bitPattern: Int64(number)), UInt64(architecture)]
        numbers += arguments
        return numbers.flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * $0)) } }
    }

    static let byteCount = 80

    init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.byteCount else { return nil }
        let numbers = stride(from: 0, to: Self.byteCount, by: 8).map { UInt64(littleEndianBytes: bytes[$0..<$0 + 8]) }
        self.init(
            id: numbers[0], thread: Int32(truncatingIfNeeded: numbers[1]),
            number: Int32(truncatingIfNeeded: numbers[2]),
            architecture: UInt32(truncatingIfNeeded: numbers[3]), arguments: Array(numbers[4...]))
    }
}
