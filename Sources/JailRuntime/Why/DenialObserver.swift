import JailLearn
import JailPlan
import Kernel

/// Hears what the calls of a jail say of its spec, from a process of its own that looks: a path of the host, or one that is served
/// in the jail, may stand still for ever, and the launcher must not. One that takes longer than `patience` is given up.
struct DenialObserver {
    private var kept: [Denial] = []
    /// What the host has not either, of which there may be much: the last.
    private var nowhere: [Denial] = []
    var denials: [Denial] { kept + nowhere }
    /// The launcher's end of the channel; −1 when nobody looks any more.
    private var channel: Int32
    private let process: Int32
    /// The call that it was told of last, until it has said something, and when its time is up.
    private var asked: (name: String, due: Int)?
    private static let limit = 256
    private static let lastOnes = 3
    /// In nanoseconds.
    private static let patience = 500_000_000
    private static let room = 65_536

    /// The calls that are looked at beside those that are refused.
    static var names: [String] {
        ObservedCall.all(withLooks: true).map(\.name) + ObservedCall.sockets.map(\.name)
    }

    /// Starts the process that looks. It ends with the launcher.
    init(in proc: HostProc, of plan: Plan) throws(KernelError) {
        let scene = JailScene(plan)
        let launcher = currentProcess()
        let (ours, theirs) = try makeChannel()
        guard case .parent(let child) = try fork() else {
            Self.work(CallLooks(scene: scene, proc: proc), over: theirs, for: launcher)
        }
        closeDescriptor(theirs)
        (channel, process) = (ours, child)
    }

    /// Tells the process of a call; false where nobody looks. What it says is heard before the next call is told.
    mutating func ask(_ question: Question, _ name: String, _ verdict: CallLooks.Verdict) -> Bool {
        guard channel >= 0, !name.isEmpty else { return false }
        do throws(KernelError) {
            try send(Self.request(question, name, verdict), over: channel)
            asked = (name, monotonicNanoseconds() + Self.patience)
            return true
        } catch {
            giveUp(name)
            return false
        }
    }

    /// What the process says of the call that it was told of, or that it says nothing; nil where it has time left.
    mutating func hear(_ found: Watch) -> [Denial]? {
        guard let asked else { return [] }
        guard found.isReady || monotonicNanoseconds() >= asked.due else { return nil }
        self.asked = nil
        guard found.isReadable, let answer = answer() else {
            giveUp(asked.name)
            return []
        }
        return answer.split(separator: 0xff).compactMap { Denial(Array($0)) }
    }

    private func answer() -> [UInt8]? {
        do throws(KernelError) {
            return try receive(from: channel, limit: Self.room)?.bytes
        } catch {
            return nil  // it has ended
        }
    }

    mutating func take(_ said: [Denial]) {
        for denial in said { add(denial) }
    }

    /// Where its answer comes from.
    var watch: Watch { Watch(channel) }

    /// When its time is up, by the clock of `monotonicNanoseconds`.
    var deadline: Int? { asked?.due }

    private mutating func giveUp(_ name: String) {
        end()
        add(Denial(.silent, name))
    }

    private mutating func add(_ denial: Denial) {
        // What comes again counts as the last.
        guard denial.kind != .nowhere else {
            nowhere.removeAll { $0.subject == denial.subject }
            nowhere = nowhere.suffix(Self.lastOnes - 1) + [denial]
            return
        }
        kept.removeAll { $0.kind == denial.kind && $0.subject == denial.subject }
        if kept.count < Self.limit { kept.append(denial) }
    }

    /// Ends the process, which the kernel may hold: it is not waited for.
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

    // MARK: The process that looks

    private static func work(_ looks: CallLooks, over channel: Int32, for launcher: Int32) -> Never {
        do throws(KernelError) {
            try setParentDeathSignal(Signal.kill)
            guard parentProcess() == launcher else { exitNow(0) }
            try closeAll(except: [channel, looks.proc.descriptor]) { looks.proc.descriptorTableSize() }
            while let message = try receive(from: channel, limit: room) {
                guard let (question, name, verdict) = request(message.bytes) else { exitNow(125) }
                let found = looks.look(question, name, verdict).map(\.bytes).filter { $0.count < room / 4 }
                // 0xff is in no text.
                try send([0xff] + found.joined(separator: [0xff]), over: channel)
            }
        } catch {
            exitNow(125)
        }
        exitNow(0)
    }

    /// Thread, number and arguments in the machine's order, what becomes of the call, its name.
    private static func request(_ question: Question, _ name: String, _ verdict: CallLooks.Verdict) -> [UInt8] {
        var numbers = [question.id, UInt64(bitPattern: Int64(question.thread))]
        numbers += [UInt64(bitPattern: Int64(question.number)), UInt64(question.architecture)]
        numbers += question.arguments
        var bytes: [UInt8] = []
        for number in numbers {
            for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * shift))) }
        }
        return bytes + [verdict.rawValue] + Array(name.utf8)
    }

    private static func request(_ bytes: [UInt8]) -> (Question, String, CallLooks.Verdict)? {
        guard bytes.count > 80, let verdict = CallLooks.Verdict(rawValue: bytes[80]) else { return nil }
        var numbers: [UInt64] = []
        for place in stride(from: 0, to: 80, by: 8) {
            numbers.append(UInt64(littleEndianBytes: bytes[place..<place + 8]))
        }
        let question = Question(
            id: numbers[0], thread: Int32(truncatingIfNeeded: numbers[1]),
            number: Int32(truncatingIfNeeded: numbers[2]),
            architecture: UInt32(truncatingIfNeeded: numbers[3]), arguments: Array(numbers[4...]))
        return (question, String(decoding: bytes[81...], as: UTF8.self), verdict)
    }
}
