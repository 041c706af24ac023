import JailPlan
import Kernel

/// The session of the jail and its terminal.
extension Applier {
    /// A session without a controlling terminal cannot be typed into by TIOCSTI; where the caller sits at a terminal the
    /// jail gets one of its own, or a pipe, and the launcher carries the bytes between the two.
    mutating func startSession(_ kind: SessionTerminal, of plan: Plan) throws(Failure) {
        do throws(KernelError) {
            try Kernel.startSession()
        } catch {
            // The leader of a process group may not; `Host.canStartSession` has seen that its session has no terminal.
            guard error.errno == .notPermitted && channel < 0 && currentProcess() == currentProcessGroup() else {
                throw Failure(error)
            }
            witness.keepsSession = true
        }
        guard let use = plan.supervision.terminal else { return }
        if case .none = kind { return try replaceTerminals() }
        let master: Int32
        if hostTerminal >= 0 {
            master = hostTerminal
        } else {
            master = try failing { () throws(KernelError) in
                let opened = try open("/dev/pts/ptmx", .readWrite | .noTerminal)
                guard try fileSystemMagic(of: opened.number) == FileSystemMagic.devpts else {
                    throw KernelError(.open, .noDevice, path: "/dev/pts/ptmx")
                }
                return opened.release()
            }
        }
        try failing { () throws(KernelError) in try takeTerminal(of: master, use) }
        if hostTerminal < 0 { report(.terminal, passing: master) }
    }

    /// Puts the slave where the caller's terminal was: the command gets no descriptor of that.
    private mutating func takeTerminal(of master: Int32, _ use: TerminalUse) throws(KernelError) {
        // Nothing can be read from one that is there only to be written to.
        let slave = try openTerminalPeer(of: master, use == .output ? .write : .readWrite)
        if use == .log {
            for number in [Int32(0), 1, 2] { try duplicate(slave.number, onto: number) }
            replacement = slave.release()
            return
        }
        // Here, and not only by the launcher: a size that changes when the command runs already is a SIGWINCH to it.
        let callers = [Int32(0), 1, 2].filter { isTerminal($0) }
        copyWindowSize(from: callers.first ?? 0, to: slave.number)
        let mode = try TerminalMode(of: callers.first ?? 0)
        if mode.isCooked { try mode.open.apply(to: slave.number) }
        if use != .output { try takeControllingTerminal(slave.number) }
        for number in callers where number > 0 || use != .output { try duplicate(slave.number, onto: number) }
        replacement = slave.release()
        if use != .output { terminal = replacement }
    }

    /// No terminal at all: an input at its end, and a pipe to the launcher for what is written.
    private func replaceTerminals() throws(Failure) {
        try failing { () throws(KernelError) in
            for number in [Int32(0), 1, 2] where isTerminal(number) {
                guard number == 0 else {
                    try duplicate(plainOutput, onto: number)
                    continue
                }
                let (reading, writing) = try makePipe()
                closeDescriptor(writing)
                try duplicate(reading, onto: 0)
                closeDescriptor(reading)
            }
        }
    }
}
