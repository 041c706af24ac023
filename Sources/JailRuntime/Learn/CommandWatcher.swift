import JailLearn
import JailPlan
import Kernel
import SpecFile
import SystemCallFilter

/// The process that starts a command, watches it and waits for it.
///
/// It reads memory of the command and looks at files that the command names, either of which may stand still for ever: on a page that
/// another process holds back, userfaultfd(2), or a file system that does not answer. Whoever has started it is another process, which
/// heeds signals meanwhile and can give it up. As the parent of all that the command starts it may read their memory where
/// ptrace(2) is kept to descendants.
struct CommandWatcher {
    let words: [String]
    let calls: [ObservedCall]?
    /// What the command reads; nil for nothing.
    let input: Int32?
    /// Where the command writes.
    let output: Int32
    let errors: Int32
    /// To whoever has started this.
    let channel: Int32
    let launcher: Int32
    let signals: Int32
    /// A file in memory that the records are written to, a line each.
    let seen: Int32
    let progress: SharedWords

    /// Words of `progress`: a count that is odd while the process waits for a call; calls seen; records made.
    static let (beat, calls, records) = (0, 1, 2)

    private struct State {
        var observer: Observer?
        var listener: Int32 = -1
        var child: Int32 = -1
        var isOver = false
    }

    /// What it tells, as lines of fields.
    enum Word: String {
        /// With a pidfd of the command.
        case started
        /// With its status, as a shell has it.
        case over
        /// The last: calls, and whether there were more records than are kept.
        case counts
        /// A program of which not all was seen, and why.
        case blind
        /// What keeps it from watching.
        case failed
    }

    func work() -> Never {
        var state = State()
        do throws(KernelError) {
            try setParentDeathSignal(Signal.kill)
            guard parentProcess() == launcher else { exitNow(0) }
            try becomeSubreaper()
            try start(&state)
            while !state.isOver || state.listener >= 0 { try turn(&state) }
            try finish(state)
        } catch {
            do throws(KernelError) {
                if state.child >= 0, !state.isOver { try kill(state.child, Signal.kill) }
                try tell(.failed, "\(error.call.name): \(error.errno.name) \(error.errno.words)")
            } catch {
                exitNow(125)
            }
        }
        exitNow(0)
    }

    private func tell(_ word: Word, _ fields: String..., passing descriptor: Int32 = -1) throws(KernelError) {
        try send(Array(RecordFile.line([word.rawValue] + fields).utf8), over: channel, passing: descriptor)
    }

    private func start(_ state: inout State) throws(KernelError) {
        let (ours, theirs) = try makeChannel()
        let program = calls.map { ObservedCalls.program(for: Observer.names($0)) }
        guard case .parent(let child) = try fork() else {
            become(program, telling: theirs)
        }
        state.child = child
        let opened = try openProcess(child).release()
        try tell(.started, passing: opened)
        closeDescriptor(theirs)
        let proc: HostProc
        do throws(Failure) {
            proc = try HostProc()
        } catch {
            throw KernelError(.open, .noEntry, path: "/proc")
        }
        // Nothing of the caller's: whoever waits for the end of its output would wait for this process.
        try closeAll(except: [channel, signals, seen, ours, proc.descriptor]) { proc.descriptorTableSize() }
        guard let calls, let message = try receive(from: ours, limit: 16), let listener = message.descriptor else {
            return
        }
        closeDescriptor(ours)
        (state.listener, state.observer) = (listener, Observer(listener, in: proc, calls))
    }

    private func turn(_ state: inout State) throws(KernelError) {
        var watches = [Watch(signals), Watch(state.listener)]
        progress[Self.beat] &+= 1
        try poll(&watches, milliseconds: state.observer?.patience)
        progress[Self.beat] &+= 1
        if watches[0].isReady { try collect(&state) }
        guard state.listener >= 0 else { return }
        guard watches[1].isReadable else {
            state.observer?.rest()
            if watches[1].hasHungUp {
                closeDescriptor(state.listener)
                state.listener = -1
            }
            return
        }
        try state.observer?.takeOne()
        try note(&state)
    }

    /// Writes down what is new, so that it is there whatever becomes of this process.
    private func note(_ state: inout State) throws(KernelError) {
        guard let observer = state.observer else { return }
        progress[Self.calls] = UInt32(truncatingIfNeeded: observer.count)
        let fresh = state.observer?.takeFresh() ?? []
        if fresh.isEmpty { return }
        try writeAll(seen, Array(fresh.map { RecordFile.line($0) + "\n" }.joined().utf8))
        progress[Self.records] = UInt32(truncatingIfNeeded: observer.records.count)
    }

    private func collect(_ state: inout State) throws(KernelError) {
        // All others are for whoever has started this.
        while try nextSignal(signals) != nil {}
        var use = ResourceUse()
        while let (found, end) = try wait(blocking: false, use: &use) {
            guard found == state.child else { continue }
            state.isOver = true
            try tell(.over, "\(end.shellStatus)")
        }
    }

    private func finish(_ state: State) throws(KernelError) {
        guard let observer = state.observer else { return try tell(.counts, "0", "") }
        for (program, count) in observer.unread.sorted(by: { $0.key < $1.key }) {
            try tell(.blind, program, "\(count) of its calls could not be read, as it is not dumpable")
        }
        for (program, families) in observer.foreign.sorted(by: { $0.key < $1.key }) {
            try tell(.blind, program, "uses addresses that no line opens: \(families.sorted().joined(separator: ", "))")
        }
        for (program, count) in observer.apart.sorted(by: { $0.key < $1.key }) {
            try tell(
                .blind, program, "\(count) of its paths and addresses are of a root, mounts or a network of its own")
        }
        for (program, found) in observer.blind.sorted(by: { $0.key < $1.key }) {
            try tell(.blind, program, "\(found.reason); executed \(found.count) time\(found.count == 1 ? "" : "s")")
        }
        try tell(.counts, "\(observer.count)", observer.isFull ? "full" : "")
    }

    // MARK: The command

    private func become(_ program: [UInt64]?, telling listening: Int32) -> Never {
        do throws(KernelError) {
            if let input {
                if input != 0 { try duplicate(input, onto: 0) }
            } else {
                try duplicate(try open("/dev/null", .read).release(), onto: 0)
            }
            try duplicate(output, onto: 1)
            try duplicate(errors, onto: 2)
            try resetSignals()
            if let program {
                let listener = try Self.install(program)
                // Not among the calls that wait.
                try send([0], over: listening, passing: listener)
                closeDescriptor(listener)
            }
        } catch {
            Caller.say("immure: \(error.call.name): \(error.errno.name) \(error.errno.words)")
            exitNow(125)
        }
        let error = execute()
        Caller.say("immure: \(words[0]): \(error.call.name): \(error.errno.name) \(error.errno.words)")
        exitNow(error.errno == .noEntry ? 127 : 126)
    }

    /// Without privilege a filter needs no_new_privs, seccomp(2).
    private static func install(_ program: [UInt64]) throws(KernelError) -> Int32 {
        do throws(KernelError) {
            return try installListeningFilter(program)
        } catch {
            guard error.errno == .accessDenied else { throw error }
            try forbidNewPrivileges()
            return try installListeningFilter(program)
        }
    }

    private func execute() -> KernelError {
        let vector = CStringArray(words)
        let environment = CStringArray(callerEnvironment())
        guard !words[0].utf8.contains(UInt8(ascii: "/")) else { return Kernel.execute(words[0], vector, environment) }
        var answer = KernelError(.execve, .noEntry, path: words[0])
        for directory in (environmentVariable("PATH") ?? "/usr/bin:/bin").split(separator: ":") {
            let error = Kernel.execute(directory + "/" + words[0], vector, environment)
            if error.errno != .noEntry && error.errno != .notDirectory { answer = error }
        }
        return answer
    }
}
