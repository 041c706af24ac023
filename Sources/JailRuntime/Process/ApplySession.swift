import JailPlan
import Kernel

/// The session of the jail and its terminal.
extension Applier {
    /// A session without a controlling terminal cannot be typed into by TIOCSTI; where the caller sits at a terminal the
    /// jail gets one of its own, and the launcher carries the bytes between the two.
    mutating func startSession(_ kind: SessionTerminal) throws(Failure) {
        do throws(KernelError) {
            try Kernel.startSession()
        } catch {
            // The leader of a process group may not; `Host.canStartSession` has seen that its session has no terminal.
            guard error.errno == .notPermitted && channel < 0 && currentProcess() == currentProcessGroup() else {
                throw Failure(error)
            }
            witness.keepsSession = true
        }
        if case .none = kind { return }
        let slave = try failing { () throws(KernelError) in
            if hostTerminal >= 0 {
                let slave = try openTerminalPeer(of: hostTerminal)
                copyWindowSize(from: 0, to: slave.number)
                try takeControllingTerminal(slave.number)
                return slave.release()
            }
            let master = try open("/dev/pts/ptmx", .readWrite | .noTerminal)
            guard try fileSystemMagic(of: master.number) == FileSystemMagic.devpts else {
                throw KernelError(.open, .noDevice, path: "/dev/pts/ptmx")
            }
            let slave = try openTerminalPeer(of: master.number)
            // Here, and not only by the launcher: a size that changes when the command runs already is a SIGWINCH to it.
            copyWindowSize(from: 0, to: slave.number)
            try takeControllingTerminal(slave.number)
            report(.terminal, passing: master.number)
            return slave.release()
        }
        for number in [Int32(0), 1, 2] where isTerminal(number) {
            try failing { () throws(KernelError) in try duplicate(slave, onto: number) }
        }
        terminal = slave
    }
}
