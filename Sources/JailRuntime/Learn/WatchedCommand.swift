package import JailLearn
import Kernel
package import SpecFile

/// How one run of a command went, and what was seen of it.
package struct WatchedRun: Sendable {
    package var records: Set<AccessRecord> = []
    /// As a shell has it.
    package var status: Int32 = 0
    var output: TappedOutput
    var errors: TappedOutput
    /// Programs of which not all was seen, each with the reason.
    package var blind: [(program: String, reason: String)] = []
    package var calls = 0
    /// When it began, in nanoseconds of the clock of files.
    package fileprivate(set) var began: Int64 = 0
    /// Whether there were more records than are kept.
    package var isFull = false
    /// Whether somebody asked for an end.
    package var isInterrupted = false
    /// Why not all was seen, where that is so: whoever watched had to be given up, as memory or a file of the command's did not answer, or
    /// was ended by somebody.
    package var cut: String?

    /// What it has shown of itself, with the places that it has changed.
    package func trace(changing changed: Set<String>) -> RunTrace {
        RunTrace(
            status: status, output: output.text, errors: errors.text, changed: changed,
            made: Set(
                records.lazy.filter { $0.act == .make || $0.act == .makeDirectory }.compactMap {
                    names(of: $0.path).last
                }))
    }
}

/// A command that is run in the foreground, as the caller: watched, to learn what it needs, or only compared.
package struct WatchedCommand {
    private let words: [String]
    private let calls: [ObservedCall]?
    private let isShown: Bool
    private let input: Int32?
    private let progress: ((Int, Int) -> Void)?
    private var run: WatchedRun
    private var told = 0

    /// The process that watches, and what it says; −1 once it has ended.
    private var watcher: Int32 = -1
    private var channel: Int32 = -1
    /// A pidfd of the command; −1 before it has started.
    private var child: Int32 = -1
    private var childIsOver = false
    private var failure: String?
    /// Whether the watcher has come to its end.
    private var isTold = false
    /// What the watcher's count was when it was last seen to change, and when that was.
    private var beat: (value: UInt32, since: Int) = (0, 0)
    private var lastSignal = Signal.kill
    /// What the command is to get once it is known: it may have run for a while by then.
    private var owedSignal: Int32?
    /// How deep the processes of a command stand that are ended with it.
    private static let generations = 20
    /// In nanoseconds: how long the watcher may be at one call when the command has ended.
    private static let patience = 1_000_000_000

    /// `calls` are watched; nil for none. Its output is passed on where it `isShown`, and it reads the descriptor `input`, nil for an
    /// empty one; `progress` is told now and then how many calls were seen and how many records were made, and with −1 that what it has
    /// said must go.
    package init(
        _ words: [String], watching calls: [ObservedCall]?, isShown: Bool, input: Int32? = 0,
        progress: ((Int, Int) -> Void)? = nil
    ) {
        (self.words, self.calls, self.progress) = (words, calls, progress)
        (self.isShown, self.input) = (isShown, input)
        let none = TappedOutput(reading: -1, passingOnTo: -1)
        run = WatchedRun(output: none, errors: none)
    }

    /// Runs it until it and all that it has started have ended. Throws where it cannot be watched here.
    package mutating func perform() throws(Diagnostic) -> WatchedRun {
        do throws(KernelError) {
            try start()
        } catch {
            failure = failure ?? "\(error.call.name): \(error.errno.name) \(error.errno.words)"
        }
        if let failure { throw Diagnostic("cannot watch \(quoted(words[0])): \(failure)", at: nil) }
        return run
    }

    private mutating func start() throws(KernelError) {
        run.began = fileSystemTime()
        let signals = try catchAllSignals().release()
        defer { closeDescriptor(signals) }
        let (ours, theirs) = try makeChannel()
        let (output, errors) = (try makePipe(), try makePipe())
        let seen = try makeMemoryFile("seen", []).release()
        defer { closeDescriptor(seen) }
        let shared = try SharedWords()
        let launcher = currentProcess()
        guard case .parent(let watcher) = try fork() else {
            closeDescriptor(ours)
            CommandWatcher(
                words: words, calls: calls, input: input, output: output.writing, errors: errors.writing,
                channel: theirs, launcher: launcher, signals: signals, seen: seen, progress: shared
            ).work()
        }
        (self.watcher, channel) = (watcher, ours)
        for end in [theirs, output.writing, errors.writing] { closeDescriptor(end) }
        run.output = TappedOutput(reading: output.reading, passingOnTo: isShown ? 1 : -1)
        run.errors = TappedOutput(reading: errors.reading, passingOnTo: isShown ? 2 : -1)
        try watch(signals, shared)
        progress?(-1, 0)
        if child >= 0 { closeDescriptor(child) }
        try read(seen)
    }

    /// What the watcher has written down, as far as it came.
    private mutating func read(_ seen: Int32) throws(KernelError) {
        let bytes = try readBytes(seen, at: 0, upTo: try status(of: seen).size)
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            if let record = RecordFile.record(line) { run.records.insert(record) }
        }
    }

    // MARK: The loop

    private mutating func watch(_ signals: Int32, _ shared: SharedWords) throws(KernelError) {
        // A watcher that has not come to its first wait yet is not stuck.
        beat.since = monotonicNanoseconds()
        while channel >= 0 || run.output.descriptor >= 0 || run.errors.descriptor >= 0 {
            var watches = [
                Watch(signals), Watch(channel), Watch(run.output.descriptor), Watch(run.errors.descriptor),
            ]
            try poll(&watches, milliseconds: 250)
            if watches[0].isReady { try heed(signals) }
            if watches[1].isReady { try hear() }
            if watches[2].isReady { try run.output.take { progress?(-1, 0) } }
            if watches[3].isReady { try run.errors.take { progress?(-1, 0) } }
            tellProgress(shared)
            // A call that the watcher has been told of waits for its answer whatever signal comes but SIGKILL.
            if channel >= 0, isStuck(shared), child >= 0, try isToEnd(child) { giveUp() }
            // What was only compared is over with its first process, whoever else holds its output; so is what could not be watched.
            if channel < 0, calls == nil || run.cut != nil || failure != nil, !watches[2].isReady, !watches[3].isReady {
                run.output.close()
                run.errors.close()
            }
        }
    }

    private mutating func hear() throws(KernelError) {
        guard let message = try receive(from: channel, limit: 65_536) else {
            var use = ResourceUse()
            _ = try wait(for: watcher, blocking: true, use: &use)
            // The command may end who watches it, as it may end its caller's other processes.
            if !isTold, failure == nil {
                run.cut = "who watched the command was ended"
                if !childIsOver { run.status = 128 + Signal.kill }
            }
            return close()
        }
        let fields = RecordFile.fields(String(decoding: message.bytes, as: UTF8.self)[...])
        switch CommandWatcher.Word(rawValue: fields[0]) {
        case .started?:
            if let descriptor = message.descriptor { child = descriptor }
            if let owedSignal { signalChild(owedSignal) }
        case .over? where fields.count == 2: (run.status, childIsOver) = (Int32(fields[1]) ?? 125, true)
        case .counts? where fields.count == 3:
            (run.calls, run.isFull, isTold) = (Int(fields[1]) ?? 0, fields[2] == "full", true)
        case .blind? where fields.count == 3: run.blind.append((fields[1], fields[2]))
        case .failed? where fields.count == 2: failure = failure ?? fields[1]
        default: break
        }
    }

    private mutating func close() {
        closeDescriptor(channel)
        channel = -1
    }

    private mutating func tellProgress(_ shared: SharedWords) {
        guard let progress, calls != nil, channel >= 0 else { return }
        let now = monotonicNanoseconds()
        guard now - told > 500_000_000 else { return }
        told = now
        progress(Int(shared[CommandWatcher.calls]), Int(shared[CommandWatcher.records]))
    }

    // MARK: A watcher that stands still

    /// Whether it has been at one call for too long.
    private mutating func isStuck(_ shared: SharedWords) -> Bool {
        let (value, now) = (shared[CommandWatcher.beat], monotonicNanoseconds())
        if value != beat.value { beat = (value, now) }
        return value & 1 == 0 && now - beat.since > Self.patience
    }

    /// Whether the command has ended, or somebody has asked for its end.
    private func isToEnd(_ child: Int32) throws(KernelError) -> Bool {
        if run.isInterrupted { return true }
        return try look(at: child).isReadable
    }

    /// Ends the watcher, which the kernel may hold and nobody waits for, and what the command has left behind.
    private mutating func giveUp() {
        run.cut = "memory or a file of the command did not answer"
        if !childIsOver { run.status = 128 + lastSignal }
        // Each has the watcher for its parent once those between are gone.
        do throws(KernelError) {
            for _ in 0..<Self.generations {
                endOrphans()
                var none: [Watch] = []
                try poll(&none, milliseconds: 5)
            }
            try kill(watcher, Signal.kill)
        } catch {
            return close()  // it has ended
        }
        close()
    }

    // MARK: Signals

    private mutating func heed(_ descriptor: Int32) throws(KernelError) {
        while let delivered = try nextSignal(descriptor) {
            switch delivered.number {
            case Signal.interrupt, Signal.terminate, Signal.hangup, Signal.quit:
                lastSignal = delivered.number
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

    private mutating func signalChild(_ number: Int32) {
        guard child >= 0 else {
            owedSignal = number
            return
        }
        do throws(KernelError) {
            try signal(child, number)
        } catch {
            return  // it has ended
        }
    }

    /// What the command has left behind, children of the watcher by now, ends when somebody asks a second time.
    private func endOrphans() {
        do throws(KernelError) {
            for word in Kernel.words(try readBytes("/proc/\(watcher)/task/\(watcher)/children")) {
                if let orphan = Int32(word) { try kill(orphan, Signal.kill) }
            }
        } catch {
            return  // one of them has ended meanwhile: the next request finds the others
        }
    }
}
