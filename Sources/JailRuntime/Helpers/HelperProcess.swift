import Kernel
import LinuxFacts

/// A program of the host that works for the jail from outside, beside the launcher and as its child: newuidmap(1), a network
/// stack, a server of a file system.
///
/// It has no terminal, an empty standard input, nothing of the caller's, and its words come here. It ends with the launcher,
/// whatever kills that: but a program that gains privilege by its set-user-ID bit or by file capabilities loses the request for
/// that (prctl(2), PR_SET_PDEATHSIG), and must end by itself. One that the jail needs for long is appended to
/// `Applier.helpers` by the step that has started it: where it ends before the jail does, the supervisor kills the jail.
struct HelperProcess {
    let name: String
    /// A pidfd: readable when it has ended.
    let descriptor: Int32
    private let process: Int32
    /// The step of the plan that fails where it ends before the command runs.
    var step = -1
    /// The image that it writes to: what it has of it in memory goes there as it ends, so it is asked to before it is killed.
    var written: ImageFile?
    /// What it says on standard output and standard error; −1 when that is closed.
    private var output: Int32
    /// The last of that, at most twice `limit` bytes.
    private var said: [UInt8] = []
    private var end: Termination?

    private static let limit = 4096
    /// How long a killed helper is waited for, in milliseconds: one that the kernel holds longer ends without anybody watching.
    private static let patience = 500

    /// Starts one. `tableSize` bounds the descriptors where they cannot be closed at once.
    static func start(_ order: HelperOrder, tableSize: () -> Int32) throws(Failure) -> HelperProcess {
        let arguments = CStringArray(order.arguments)
        let environment = CStringArray(order.environment)
        let kept = [order.program.descriptor] + order.passing
        let needed =
            kept + order.joining.map(\.descriptor) + (order.room?.descriptors ?? [])
            + [order.gate?.channel, order.awaiting?.channel].compactMap { $0 }
        let launcher = currentProcess()
        return try begin(
            order.program.name, needed, into: order.room == nil ? [] : HelperRoom.namespaces, input: order.input,
            output: order.output, tableSize: tableSize
        ) { () throws(KernelError) in
            try order.room?.enter()
            for namespace in order.joining { try join(namespace.descriptor, namespace.kinds) }
            if let awaiting = order.awaiting { try awaiting.enter() }
            if order.keeping != 0 {
                // capabilities(7): exec gives root all of them again, and with that takes the request to end with the launcher back.
                try setSecureBits(.noRoot)
                // It leaves no more than the ambient set.
                try setCapabilities(permitted: order.keeping, effective: order.keeping, inheritable: order.keeping)
                try setAmbient(order.keeping)
            }
            try endWith(launcher)
            if let most = order.mostInFile { try limitFiles(most) }
            if let gate = order.gate { try TunnelGate.shut(telling: gate.channel, for: gate.numbers) }
            for number in [0, 1, 2] + kept { try keepAcrossExec(number) }
            throw execute(program: order.program.descriptor, arguments, environment)
        }
    }

    /// Starts a part of immure itself, in a copy of this process. `body` ends it.
    static func start(
        _ name: String, passing: [Int32], tableSize: () -> Int32, _ body: () throws(KernelError) -> Never
    ) throws(Failure) -> HelperProcess {
        try begin(name, passing, into: [], input: nil, output: nil, tableSize: tableSize, body)
    }

    private static func begin(
        _ name: String, _ passing: [Int32], into namespaces: NamespaceFlags, input: Int32?, output: Int32?,
        tableSize: () -> Int32, _ body: () throws(KernelError) -> Never
    ) throws(Failure) -> HelperProcess {
        try failing { () throws(KernelError) in
            let (words, theirs) = try makePipe()
            let (silence, writer) = try makePipe()
            closeDescriptor(writer)
            let launcher = currentProcess()
            let (side, descriptor) = try forkWatched(into: namespaces)
            guard case .parent(let child) = side else {
                do throws(KernelError) {
                    try settle(launcher, input ?? silence, output ?? theirs, theirs, passing, tableSize)
                    try body()
                } catch {
                    // The caller's standard error, where the program's own is not there yet.
                    say("immure: \(error.call.name): \(error.errno.name) \(error.errno.words)\n")
                    exitNow(126)
                }
            }
            closeDescriptor(theirs)
            closeDescriptor(silence)
            return HelperProcess(name: name, descriptor: descriptor, process: child, output: words)
        }
    }

    /// The child's side: what it has of the launcher is what it is given.
    private static func settle(
        _ launcher: Int32, _ silence: Int32, _ output: Int32, _ words: Int32, _ passing: [Int32],
        _ tableSize: () -> Int32
    ) throws(KernelError) {
        try duplicate(output, onto: 1)
        try duplicate(words, onto: 2)
        try duplicate(silence, onto: 0)
        try endWith(launcher)
        try closeAll(except: [0, 1, 2] + passing, tableSize: tableSize)
        // POLLERR: nobody can read it any more.
        guard try !look(at: 2).isReady else { exitNow(125) }
        // What a terminal sends is for the jail, and for the launcher.
        try startSession()
        try resetSignals()
    }

    /// Asks the kernel to end this process with `parent`, which has made it: once more where it has entered a user namespace or changed
    /// its credentials, which takes the request back, prctl(2).
    static func endWith(_ parent: Int32) throws(KernelError) {
        try setParentDeathSignal(Signal.kill)
        // Whoever was gone before that request will not be noticed by it; a parent in another pid namespace is 0.
        guard [parent, 0].contains(parentProcess()) else { exitNow(125) }
    }

    private static func say(_ text: String) {
        do throws(KernelError) {
            try writeAll(2, Array(text.utf8))
        } catch {
            return  // nobody listens any more
        }
    }

    private init(name: String, descriptor: Int32, process: Int32, output: Int32) {
        (self.name, self.descriptor, self.process, self.output) = (name, descriptor, process, output)
    }

    var hasEnded: Bool { end != nil }
    var hasSucceeded: Bool { end == .exited(0) }

    /// What the launcher keeps open for it.
    var descriptors: [Int32] { [descriptor, output] }

    /// What to wait for: its end, and its words.
    var watches: [Watch] { [Watch(end == nil ? descriptor : -1), Watch(output)] }

    /// Takes in what `watches` have found; returns whether it has ended.
    mutating func take(_ ready: ArraySlice<Watch>) throws(KernelError) -> Bool {
        if ready[ready.startIndex + 1].isReady { try listen() }
        if ready[ready.startIndex].isReady { try conclude() }
        return end != nil
    }

    /// Reads what it has said. Nobody else reads here: where there is something to read, nothing waits.
    private mutating func listen() throws(KernelError) {
        guard let bytes = try readSome(output, limit: Self.limit), !bytes.isEmpty else {
            closeDescriptor(output)
            output = -1
            return
        }
        said += bytes
        if said.count > 2 * Self.limit { said.removeFirst(said.count - Self.limit) }
    }

    /// It has ended. What it has said by then is all there is to it: others may have its descriptors still.
    private mutating func conclude() throws(KernelError) {
        try hearLastWords()
        var use = ResourceUse()
        end = try Kernel.wait(for: process, blocking: false, use: &use)?.end ?? .exited(0)
    }

    private mutating func hearLastWords() throws(KernelError) {
        var left = 16
        while output >= 0, left > 0, try look(at: output).isReady {
            try listen()
            left -= 1
        }
    }

    /// What has ended a process that somebody else has waited for; returns whether it was this one.
    mutating func note(_ end: Termination, of process: Int32) throws(KernelError) -> Bool {
        guard process == self.process, self.end == nil else { return false }
        try hearLastWords()
        self.end = end
        return true
    }

    /// The last line that it has said; how it has ended where it said nothing, or was killed whatever it said.
    var lastWords: String { words { $0.last } }

    /// The first line: nft(8) shows the place of a fault below it.
    var firstWords: String { words { $0.first } }

    private func words(_ line: ([ArraySlice<UInt8>]) -> ArraySlice<UInt8>?) -> String {
        if case .signaled(Signal.kill)? = end { return Signal.name(Signal.kill) }
        if let line = line(said.split(separator: UInt8(ascii: "\n"))) {
            return String(decoding: line.suffix(400), as: UTF8.self)
        }
        switch end {
        case .signaled(let number)?, .stopped(let number)?: return Signal.name(number)
        case .exited(let status)?: return "exit status \(status)"
        case nil: return "no word"
        }
    }

    /// That it has ended while it was needed.
    var failure: Failure { Failure(.helperEnded, text: "\(name) ended: \(lastWords)").at(step) }

    /// Waits until it has ended by itself, which must be soon: no deadline. A signal that ends the launch ends it as well, and
    /// is thrown as `.interrupted`.
    mutating func finish(noticing signals: SignalQueue?) throws(Failure) -> Termination {
        var gate: TunnelGate?
        return try finish(noticing: signals, heeding: &gate)
    }

    /// The same while another program, which a gate holds back, is answered.
    mutating func finish(noticing signals: SignalQueue?, heeding gate: inout TunnelGate?) throws(Failure) -> Termination
    {
        while true {
            let (over, signal) = try failing { () throws(KernelError) -> (Termination?, Int32?) in
                if let signal = try signals?.ending() { return (nil, signal.number) }
                var found = watches + [Watch(signals?.descriptor ?? -1), gate?.watch ?? Watch(-1)]
                try poll(&found, milliseconds: nil)
                if found[3].isReady { try gate?.heed() }
                return (try take(found[..<2]) ? end : nil, nil)
            }
            if let over {
                close()
                return over
            }
            guard let signal else { continue }
            Self.end([self])
            throw Failure.interrupted(by: signal)
        }
    }

    /// Waits until `ready` can be read, or is closed by the helper at its other end, which only reading tells apart; throws
    /// `.helperEnded` where it ends before, and `.interrupted` as `finish` does.
    mutating func wait(until ready: Int32, noticing signals: SignalQueue?) throws(Failure) {
        while true {
            let (isReady, isOver, signal) = try failing { () throws(KernelError) -> (Bool, Bool, Int32?) in
                if let signal = try signals?.ending() { return (false, false, signal.number) }
                var found = watches + [Watch(signals?.descriptor ?? -1), Watch(ready)]
                try poll(&found, milliseconds: nil)
                return (found[3].isReady, try take(found[..<2]), nil)
            }
            if isOver { throw failure }
            if isReady { return }
            if let signal { throw Failure.interrupted(by: signal) }
        }
    }

    /// Why one is of no use that has closed, without a word, the descriptor by which it was to say that it is ready. One that ends does so before
    /// its end can be seen, and its status is what it was, whatever is sent to it then; another will never say it.
    mutating func silence(noticing signals: SignalQueue?) throws(Failure) -> Failure {
        kill()
        guard try finish(noticing: signals) == .signaled(Signal.kill) else { return failure }
        return Failure(.helperEnded, text: "\(name) ended: it did not say that it was ready").at(step)
    }

    /// Kills them all, and waits until they have ended: 500 ms together, and no longer.
    static func end(_ helpers: [HelperProcess]) {
        var left = helpers.filter { $0.end == nil }
        for helper in left { helper.kill() }
        let due = monotonicNanoseconds() + patience * 1_000_000
        while !left.isEmpty {
            let remaining = (due - monotonicNanoseconds()) / 1_000_000
            guard remaining > 0 else { break }
            var watches = left.map { Watch($0.descriptor) }
            do throws(KernelError) {
                try poll(&watches, milliseconds: Int32(remaining))
                var others: [HelperProcess] = []
                for (index, helper) in left.enumerated() {
                    var helper = helper
                    if watches[index].isReady { try helper.conclude() } else { others.append(helper) }
                }
                left = others
            } catch {
                break  // they have been killed: only nobody sees them end
            }
        }
        for helper in helpers { helper.close() }
    }

    func kill() { send(Signal.kill) }

    func send(_ number: Int32) {
        do throws(KernelError) {
            try signal(descriptor, number)
        } catch {
            return  // it has ended, or has made itself another's, and ends by itself
        }
    }

    private func close() { for number in descriptors where number >= 0 { closeDescriptor(number) } }
}
