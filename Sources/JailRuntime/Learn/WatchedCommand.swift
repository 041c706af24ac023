package import JailLearn
import Kernel
package import SpecFile
import SystemCallFilter

/// How one run of a command went, and what was seen of it.
package struct WatchedRun: Sendable {
    package var records: Set<AccessRecord> = []
    /// As a shell has it.
    package var status: Int32 = 0
    package var output: TappedOutput
    package var errors: TappedOutput
    /// Programs of which not all was seen, each with the reason.
    package var blind: [(program: String, reason: String)] = []
    package var calls = 0
    /// Whether there were more records than are kept.
    package var isFull = false
    /// Whether somebody asked for an end.
    package var isInterrupted = false
}

/// A command that is run in the foreground, as the caller: watched, to learn what it needs, or only compared.
package struct WatchedCommand {
    private let words: [String]
    private let calls: [ObservedCall]?
    private let isShown: Bool
    private let progress: ((Int, Int) -> Void)?
    private var childIsOver = false
    private var child: Int32 = -1
    private var run: WatchedRun
    private var observer: Observer?
    private var told = 0

    /// `calls` are watched; nil for none. Its output is passed on where it `isShown`; `progress` is told now and then how many
    /// calls were seen and how many records were made, and with −1 that what it has said must go.
    package init(
        _ words: [String], watching calls: [ObservedCall]?, isShown: Bool, progress: ((Int, Int) -> Void)? = nil
    ) {
        (self.words, self.calls, self.isShown, self.progress) = (words, calls, isShown, progress)
        let none = TappedOutput(reading: -1, passingOnTo: -1)
        run = WatchedRun(output: none, errors: none)
    }

    /// Runs it until it and all that it has started have ended. Throws where it cannot be watched here.
    package mutating func perform() throws(Diagnostic) -> WatchedRun {
        do throws(KernelError) {
            return try start()
        } catch {
            throw Diagnostic(
                "cannot watch \(quoted(words[0])): \(error.call.name): \(error.errno.name) \(error.errno.words)",
                at: nil)
        }
    }

    private mutating func start() throws(KernelError) -> WatchedRun {
        let signals = try catchAllSignals().release()
        defer { closeDescriptor(signals) }
        try becomeSubreaper()
        let (ours, theirs) = try makeChannel()
        let (output, errors) = (try makePipe(), try makePipe())
        let program = calls.map { calls in
            ObservedCalls.program(for: Observer.names(calls))
        }
        guard case .parent(let child) = try fork() else {
            become(program, output.writing, errors.writing, telling: theirs)
        }
        self.child = child
        for end in [theirs, output.writing, errors.writing] { closeDescriptor(end) }
        defer { closeDescriptor(ours) }
        run.output = TappedOutput(reading: output.reading, passingOnTo: isShown ? 1 : -1)
        run.errors = TappedOutput(reading: errors.reading, passingOnTo: isShown ? 2 : -1)
        if let calls { try listen(ours, calls) }
        try watch(signals)
        progress?(-1, 0)
        finish()
        return run
    }

    private mutating func listen(_ channel: Int32, _ calls: [ObservedCall]) throws(KernelError) {
        guard let message = try receive(from: channel, limit: 16), let listener = message.descriptor else { return }
        do throws(Failure) {
            observer = Observer(listener, in: try HostProc(), calls)
        } catch {
            closeDescriptor(listener)
            throw KernelError(.open, .noEntry, path: "/proc")
        }
    }

    // MARK: The child

    private func become(_ program: [UInt64]?, _ output: Int32, _ errors: Int32, telling channel: Int32) -> Never {
        do throws(KernelError) {
            try duplicate(output, onto: 1)
            try duplicate(errors, onto: 2)
            try resetSignals()
            if let program {
                let listener = try Self.install(program)
                // Not among the calls that wait.
                try send([0], over: channel, passing: listener)
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

    // MARK: The loop

    private mutating func watch(_ signals: Int32) throws(KernelError) {
        var listener = observer?.listener ?? -1
        while !childIsOver || listener >= 0 || run.output.descriptor >= 0 || run.errors.descriptor >= 0 {
            var watches = [
                Watch(signals), Watch(listener), Watch(run.output.descriptor), Watch(run.errors.descriptor),
            ]
            try poll(&watches, milliseconds: observer?.patience ?? (progress == nil ? nil : 500))
            if watches[0].isReady { try heed(signals) }
            // One at a time, and a look at everything: who asks runs only when this waits.
            if watches[1].isReadable { try observer?.takeOne() } else { observer?.rest() }
            if watches[1].hasHungUp && !watches[1].isReadable {
                closeDescriptor(listener)
                listener = -1
            }
            if watches[2].isReady { try run.output.take { progress?(-1, 0) } }
            if watches[3].isReady { try run.errors.take { progress?(-1, 0) } }
            tellProgress()
            // What was only compared is over with its first process, whoever else holds its output.
            if childIsOver, calls == nil, !watches[2].isReady, !watches[3].isReady {
                run.output.close()
                run.errors.close()
            }
        }
    }

    private mutating func tellProgress() {
        guard let progress, let observer else { return }
        let now = monotonicNanoseconds()
        guard now - told > 500_000_000 else { return }
        told = now
        progress(observer.count, observer.records.count)
    }

    private mutating func heed(_ descriptor: Int32) throws(KernelError) {
        while let delivered = try nextSignal(descriptor) {
            switch delivered.number {
            case Signal.child: try collect()
            case Signal.interrupt, Signal.terminate, Signal.hangup, Signal.quit:
                // What a terminal sends goes to the command as well.
                if childIsOver {
                    endOrphans()
                } else if !delivered.fromKernel {
                    signalChild(delivered.number)
                }
                run.isInterrupted = true
            default: break
            }
        }
    }

    private func signalChild(_ number: Int32) {
        do throws(KernelError) {
            try kill(child, number)
        } catch {
            return  // it has ended
        }
    }

    private mutating func collect() throws(KernelError) {
        var use = ResourceUse()
        while let (found, end) = try wait(blocking: false, use: &use) {
            guard found == child else { continue }
            run.status = end.shellStatus
            childIsOver = true
        }
    }

    /// What the command has left behind ends when somebody asks a second time.
    private func endOrphans() {
        do throws(KernelError) {
            let process = currentProcess()
            for word in Kernel.words(try readBytes("/proc/self/task/\(process)/children")) {
                if let orphan = Int32(word) { try kill(orphan, Signal.kill) }
            }
        } catch {
            return  // one of them has ended meanwhile: the next request finds the others
        }
    }

    private mutating func finish() {
        guard let observer else { return }
        run.records = observer.records
        run.isFull = observer.isFull
        run.calls = observer.count
        run.blind = observer.unread.sorted { $0.key < $1.key }.map {
            ($0.key, "\($0.value) of its calls could not be read, as it is not dumpable")
        }
        run.blind += observer.apart.sorted { $0.key < $1.key }.map {
            ($0.key, "\($0.value) of its paths and addresses are of a root, mounts or a network of its own")
        }
        run.blind += observer.blind.sorted { $0.key < $1.key }.map { program, found in
            (program, "\(found.reason); executed \(found.count) time\(found.count == 1 ? "" : "s")")
        }
    }
}
