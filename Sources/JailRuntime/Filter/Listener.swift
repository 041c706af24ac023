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
    /// What is told only where the command ran: exit(2) is made by immure itself where it could not be executed.
    private var deferred: [RefusedCall] = []

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

    /// When somebody's time is up, in milliseconds from now.
    var milliseconds: Int32? {
        guard let next = condemned.map(\.deadline).min() else { return nil }
        return Int32(clamping: max(0, (next - monotonicNanoseconds() + 999_999) / 1_000_000))
    }

    /// Answers what waits, a few at a time: signals and the terminal want to be served, too.
    mutating func serve(_ found: Watch) throws(KernelError) {
        try enforce()
        var found = found
        var left = 64
        while found.isReadable && left > 0 {
            if let question = try nextQuestion(descriptor) { try handle(question) }
            found = try look(at: descriptor)
            left -= 1
        }
        guard found.hasHungUp && !found.isReadable else { return }
        closeDescriptor(descriptor)
        descriptor = -1
    }

    private mutating func handle(_ question: Question) throws(KernelError) {
        let answer = program.explain(
            number: question.number, architecture: question.architecture, arguments: question.arguments)
        if try observe(question, answer) { return }
        // Whatever is asked about and is not to be logged is killed, also what the policy has no reason for.
        let isLogged = answer.verdict == .log
        let (name, arguments) = words(of: question)
        if isLogged, let known = numbers.firstIndex(of: question, arguments, position: answer.origin.position) {
            logged[known].count += 1
            return try Kernel.answer(question, on: descriptor)
        }
        var call = RefusedCall(
            name: name, arguments: arguments, action: isLogged ? "log" : "kill", reason: answer.origin.words,
            position: answer.origin.position)
        if isLogged { try log(&call, question) } else { try kill(&call, question) }
    }

    /// What the jail kept from the command.
    var denied: [Denial] { denials?.denials ?? [] }

    /// Answers as the filter by itself would where it makes the call or refuses it.
    private mutating func observe(_ question: Question, _ answer: EffectivePolicy.Answer) throws(KernelError) -> Bool {
        guard denials != nil else { return false }
        let listener = descriptor
        if answer.verdict == .allow {
            denials?.ask(question, answer.name ?? "", .made) { isPending(question, on: listener) }
            try Kernel.answer(question, on: descriptor)
            return true
        }
        guard let errno = answer.verdict.errno else { return false }
        let isAbsent = Errno(rawValue: errno) == .unsupported
        denials?.ask(question, answer.name ?? "", isAbsent ? .absent : .refused) { isPending(question, on: listener) }
        try Kernel.answer(question, on: descriptor, failing: Errno(rawValue: errno))
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
