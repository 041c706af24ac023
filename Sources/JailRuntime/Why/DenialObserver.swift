import JailLearn
import JailPlan
import Kernel

/// Hears what the calls of a jail say of its spec, from a process that looks.
struct DenialObserver {
    private var kept: [Denial] = []
    /// What the host has not either, of which there may be much: the last of what was missed, and of what was done without.
    private var nowhere: [Denial] = []
    /// Addresses that it was to connect to.
    private var tried: [Denial] = []
    private var answered: [Denial] = []
    var denials: [Denial] { kept + nowhere + tried + answered }
    private var looking: LookingProcess
    private static let limit = 256
    private static let lastOnes = 3

    /// The calls that are looked at beside those that are refused.
    static func names(_ plan: Plan) -> [String] {
        ObservedCall.all(withLooks: true).map(\.name) + ObservedCall.sockets.map(\.name) + LimitLooks.names(plan)
            + (plan.provision == nil ? [] : [CallLooks.datagrams])
    }

    /// Starts the process that looks.
    init(in proc: HostProc, of plan: Plan) throws(KernelError) {
        let looks = CallLooks(scene: JailScene(plan), proc: proc)
        looking = try LookingProcess(keeping: proc) { Self.answer($0, by: looks) }
    }

    /// Tells the process of a call; false where nobody looks. What it says is heard before the next call is told.
    mutating func ask(_ question: Question, _ name: String, _ verdict: CallLooks.Verdict) -> Bool {
        !name.isEmpty && looking.ask(question.bytes + [verdict.rawValue] + Array(name.utf8), about: name)
    }

    /// What the process says of the call that it was told of, or that it says nothing; nil where it has time left.
    mutating func hear(_ found: Watch) -> [Denial]? {
        switch looking.hear(found) {
        case .none: return nil
        case .bytes(let bytes): return bytes.split(separator: 0xff).compactMap { Denial(Array($0)) }
        case .gaveUp(let name):
            add(Denial(.silent, name))
            return []
        }
    }

    mutating func take(_ said: [Denial]) {
        for denial in said { add(denial) }
    }

    /// Where its answer comes from, and when its time is up, by the clock of `monotonicNanoseconds`.
    var watch: Watch { looking.watch }
    var deadline: Int? { looking.deadline }

    private mutating func add(_ denial: Denial) {
        // What comes again counts as the last.
        guard denial.kind != .nowhere else {
            nowhere.removeAll { $0.subject == denial.subject }
            let left = nowhere.filter { $0.isDoneWithout }.suffix(Self.limit)
            nowhere = left + nowhere.filter { !$0.isDoneWithout }.suffix(Self.lastOnes - 1) + [denial]
            return
        }
        if denial.kind == .wentOn {
            for index in nowhere.indices where nowhere[index].process == denial.process {
                nowhere[index].isDoneWithout = true
            }
            return
        }
        if denial.kind == .answered {
            // Addresses of IPv4 and of IPv6 come by two answers.
            answered.removeAll { $0.subject == denial.subject && $0.remark == denial.remark }
            if answered.count < Self.limit { answered.append(denial) }
            return
        }
        if denial.kind == .tried {
            if tried.count < Self.limit, !tried.contains(where: { $0.subject == denial.subject }) {
                tried.append(denial)
            }
            return
        }
        kept.removeAll { $0.kind == denial.kind && $0.subject == denial.subject }
        if kept.count < Self.limit { kept.append(denial) }
    }

    mutating func end() { looking.end() }

    /// By the process that looks.
    private static func answer(_ message: [UInt8], by looks: CallLooks) -> [UInt8] {
        guard let question = Question(message), message.count > Question.byteCount,
            let verdict = CallLooks.Verdict(rawValue: message[Question.byteCount])
        else { return [0xff] }
        let name = String(decoding: message[(Question.byteCount + 1)...], as: UTF8.self)
        let found = looks.look(question, name, verdict).map(\.bytes).filter { $0.count < LookingProcess.room / 4 }
        // 0xff is in no text.
        return [0xff] + found.joined(separator: [0xff])
    }
}
