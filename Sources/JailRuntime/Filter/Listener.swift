import JailPlan
import Kernel
import SpecFile
import SystemCallFilter

/// The launcher's ear for the calls that the filter kills or logs, seccomp_unotify(2): each waits until it is answered.
///
/// What is logged is then made as it stands: the launcher looks only at registers, and decides nothing by them that the
/// filter has not decided, so that it does not matter what the program changes meanwhile. What is killed is never made.
struct Listener {
    /// −1 when nobody is left who is filtered.
    private(set) var descriptor: Int32
    private let program: FilterProgram
    /// The first process of the jail, as the launcher knows it, and the id of the command inside; 0: the two are one.
    private let jail: Int32
    private let command: Int32
    let proc: HostProc
    private let tell: MessageSink
    /// Processes that are to end, with the time by which they must have.
    private var condemned: [(process: Int32, deadline: Int)] = []
    /// The call that ended the command.
    private(set) var fatal: RefusedCall?
    private(set) var logged: [RefusedCall] = []
    /// What each of these is known by.
    private var numbers = Numbers()
    private var unlisted = 0
    /// Looks for what the jail keeps from the command, where somebody wants to know.
    private var denials: DenialObserver?
    /// Reads what the calls that are told of name; nil before the first.
    private var reader: CallReader?
    /// The call that is looked at, and what for.
    private var lookedAt: LookedAt?
    /// What is told only where the command ran: exit(2) is made by immure itself where it could not be executed.
    private var deferred: [RefusedCall] = []

    private enum LookedAt {
        /// For what is kept from it; it will fail with that errno.
        case denied(Question, Errno?)
        /// To be told of with what it names.
        case told(Question, EffectivePolicy.Answer)
    }

    /// How long a process may take to end by SIGSYS, which dumps core, in nanoseconds.
    private static let patience = 200_000_000
    /// How many different calls are remembered.
    private static let limit = 256

    init(
        descriptor: Int32, program: FilterProgram, jail: Int32, command: Int32, in proc: HostProc,
        watching denials: DenialObserver? = nil, telling tell: @escaping MessageSink
    ) {
        self.denials = denials
        self.descriptor = descriptor
        self.program = program
        self.jail = jail
        self.command = command
        self.proc = proc
        self.tell = tell
    }

    /// What is waited for: the next call, or while one is looked at what there is to it.
    var watch: Watch {
        switch lookedAt {
        case nil: Watch(descriptor)
        case .denied?: denials?.watch ?? Watch(-1)
        case .told?: reader?.watch ?? Watch(-1)
        }
    }

    /// When somebody's time is up, in milliseconds from now.
    var milliseconds: Int32? {
        let deadlines = condemned.map(\.deadline) + [denials?.deadline, reader?.deadline].compactMap { $0 }
        guard let next = deadlines.min() else { return nil }
        return Int32(clamping: max(0, (next - monotonicNanoseconds() + 999_999) / 1_000_000))
    }

    /// Answers what waits, a few at a time: signals and the terminal want to be served, too.
    mutating func serve(_ found: Watch) throws(KernelError) {
        try enforce()
        var found = found
        if lookedAt != nil {
            guard try settle(found) else { return }
            found = try look(at: descriptor)
        }
        var left = 64
        while lookedAt == nil && found.isReadable && left > 0 {
            if let question = try nextQuestion(descriptor) { try handle(question) }
            found = try look(at: descriptor)
            left -= 1
        }
        guard lookedAt == nil, found.hasHungUp && !found.isReadable else { return }
        closeDescriptor(descriptor)
        descriptor = -1
    }

    private mutating func handle(_ question: Question) throws(KernelError) {
        let answer = program.explain(
            number: question.number, architecture: question.architecture, arguments: question.arguments)
        if try observe(question, answer) { return }
        let plain = CallReader.plain(question)
        // Another ABI stands before the name.
        if let name = plain.name.split(separator: " ").last, CallMemory.isNamed(name, question.arguments),
            try ask(question)
        {
            lookedAt = .told(question, answer)
        } else {
            try tell(question, answer, plain)
        }
    }

    /// Has what a call names read; false where nobody does any more.
    private mutating func ask(_ question: Question) throws(KernelError) -> Bool {
        if reader == nil { reader = try CallReader(in: proc, descriptor) }
        return reader?.ask(question) ?? false
    }

    /// Whatever is asked about and is not to be logged is killed, also what the policy has no reason for.
    private mutating func tell(
        _ question: Question, _ answer: EffectivePolicy.Answer, _ words: CallReader.Words
    ) throws(KernelError) {
        let isLogged = answer.verdict == .log
        let (name, arguments) = words
        if isLogged, let known = numbers.firstIndex(of: question, arguments, position: answer.origin.position) {
            logged[known].count += 1
            try Kernel.answer(question, on: descriptor)
            return
        }
        var call = RefusedCall(
            name: name, arguments: arguments, action: isLogged ? "log" : "kill", reason: answer.origin.words,
            position: answer.origin.position)
        if isLogged { try log(&call, question) } else { try kill(&call, question) }
    }

    /// What the jail kept from the command.
    var denied: [Denial] { denials?.denials ?? [] }

    /// Has a call looked at that the filter by itself would make or refuse, and answers so afterwards.
    private mutating func observe(_ question: Question, _ answer: EffectivePolicy.Answer) throws(KernelError) -> Bool {
        guard denials != nil else { return false }
        let errno: Errno?
        let verdict: CallLooks.Verdict
        if answer.verdict == .allow {
            (errno, verdict) = (nil, .made)
        } else if let number = answer.verdict.errno {
            errno = Errno(rawValue: number)
            verdict = errno == .unsupported ? .absent : .refused
        } else {
            return false
        }
        if denials?.ask(question, answer.name ?? "", verdict) == true {
            lookedAt = .denied(question, errno)
        } else {
            try Kernel.answer(question, on: descriptor, failing: errno)
        }
        return true
    }

    /// Answers the call that is looked at once that is over: whether it is.
    private mutating func settle(_ found: Watch) throws(KernelError) -> Bool {
        switch lookedAt {
        case nil: return true
        case .denied(let question, let errno)?:
            guard let said = denials?.hear(found) else { return false }
            lookedAt = nil
            // What was read is its thread's only if the call still waits.
            if try Kernel.answer(question, on: descriptor, failing: errno) { denials?.take(said) }
        case .told(let question, let answer)?:
            guard let words = reader?.hear(found, of: question) else { return false }
            lookedAt = nil
            try tell(question, answer, words)
        }
        return true
    }

    private mutating func log(_ call: inout RefusedCall, _ question: Question) throws(KernelError) {
        describe(&call, question)
        try Kernel.answer(question, on: descriptor)
        guard logged.count < Self.limit else {
            unlisted += 1
            return
        }
        logged.append(call)
        numbers.append(question, call.arguments, position: call.position)
        tell(.note(Diagnostic("logged by seccomp: \(call.words)", at: nil)))
    }

    /// Names who made the call; a process that has gone meanwhile stays nameless.
    @discardableResult
    private func describe(_ call: inout RefusedCall, _ question: Question) -> RefusedProcess? {
        do throws(KernelError) {
            let victim = try RefusedProcess(thread: question.thread, in: proc)
            call.program = victim.program
            call.process = victim.identifier(atDepth: try RefusedProcess(thread: jail, in: proc).identifiers.count)
            return victim
        } catch {
            return nil
        }
    }

    /// Ends the process as the filter by itself would: by SIGSYS, which no program is asked about, or by SIGKILL where it
    /// would outlive that. The call fails meanwhile, and is made at no time.
    private mutating func kill(_ call: inout RefusedCall, _ question: Question) throws(KernelError) {
        let victim = describe(&call, question)
        do throws(KernelError) {
            let process = try openProcess(victim?.process ?? question.thread)
            // Only now is it certain that the id is still that of the thread that waits.
            guard isPending(question, on: descriptor) else { return }
            if let victim, victim.diesOfSIGSYS {
                // To the thread itself: it does not come back to its program first.
                try signal(thread: question.thread, of: victim.process, Signal.badCall)
            } else {
                try signal(process.number, Signal.kill)
            }
            condemned.append((process.release(), monotonicNanoseconds() + Self.patience))
        } catch {
            guard isPending(question, on: descriptor) else { return }
            // It cannot be ended by itself, so all of it ends.
            try Kernel.kill(jail, Signal.kill)
        }
        try Kernel.answer(question, on: descriptor, failing: .unsupported)
        let isCommand = command == 0 ? victim?.process == jail : call.process == command
        if isCommand { fatal = fatal ?? call }
        if call.name == "exit" || call.name == "exit_group" { deferred.append(call) } else { tell(call) }
    }

    private func tell(_ call: RefusedCall) {
        tell(.error(Diagnostic("killed by seccomp: \(call.words)", at: nil)))
    }

    /// Sees to it that whoever is condemned ends.
    private mutating func enforce() throws(KernelError) {
        guard !condemned.isEmpty else { return }
        let now = monotonicNanoseconds()
        var left: [(process: Int32, deadline: Int)] = []
        for one in condemned {
            if try look(at: one.process).isReadable {
                closeDescriptor(one.process)
            } else if one.deadline > now {
                left.append(one)
            } else {
                do throws(KernelError) {
                    try signal(one.process, Signal.kill)
                } catch {
                    guard error.errno == .noProcess else { throw error }
                }
                left.append((one.process, now + Self.patience))
            }
        }
        condemned = left
    }

    /// Says what is left to say when the jail has ended; `ran` is whether the command did.
    mutating func conclude(ran: Bool) {
        denials?.end()
        reader?.end()
        if ran { for call in deferred { tell(call) } }
        for call in logged where call.count > 1 {
            let place = call.position.map { "\($0): " } ?? ""
            let what = Numbers.texts(call.arguments).isEmpty ? call.name : call.call
            tell(.note(Diagnostic("logged by seccomp: \(what): \(place)\(call.count - 1) more times", at: nil)))
        }
        if unlisted > 0 {
            tell(.note(Diagnostic("logged by seccomp: \(unlisted) calls of other kinds", at: nil)))
        }
    }
}

/// The calls that have been told, in their order: the same by another line is another, and so is the same with another path or
/// address.
private struct Numbers {
    private var entries: [(number: Int32, architecture: UInt32, texts: [String], position: Position?)] = []

    mutating func append(_ question: Question, _ arguments: [String], position: Position?) {
        entries.append((question.number, question.architecture, Self.texts(arguments), position))
    }

    func firstIndex(of question: Question, _ arguments: [String], position: Position?) -> Int? {
        let texts = Self.texts(arguments)
        return entries.firstIndex {
            $0.number == question.number && $0.architecture == question.architecture && $0.texts == texts
                && $0.position == position
        }
    }

    /// What was read from memory: paths, which are in quotes, and addresses with a port.
    static func texts(_ arguments: [String]) -> [String] {
        arguments.filter { $0.utf8.first == UInt8(ascii: "\"") || $0.utf8.contains(UInt8(ascii: ":")) }
    }
}
