import JailPlan
import Kernel
package import SpecFile

/// `immure enter`: asks the launcher of a running jail to start one more command there, and is its end towards the caller.
package enum EnterJail {
    enum Trouble: Error {
        case kernel(KernelError)
        case said(Diagnostic)
    }

    /// The status of the command, as `run` has it. `process` is the launcher, the jail's first process or its command; `terminal` is
    /// what TERM is here.
    package static func perform(_ process: Int32, _ words: [String], terminal: String?) throws(Diagnostic) -> Int32 {
        do throws(Trouble) {
            try asking { () throws(KernelError) in try openStandardDescriptors() }
            let proc = try openProc()
            // Before signals wait to be read: where many stand at the door connect(2) waits.
            let (door, launcher) = try reach(process, in: proc)
            let signals = try asking { () throws(KernelError) in try catchAllSignals() }
            try Meeting(door: door, launcher: launcher, signals: signals.number, proc: proc).hold(words, terminal)
            return try follow(door, signals.number)
        } catch {
            switch error {
            case .said(let diagnostic): throw diagnostic
            case .kernel(let error):
                throw Diagnostic("enter: \(error.call.name): \(error.errno.name) \(error.errno.words)", at: nil)
            }
        }
    }

    /// The same, of the connection: one that the launcher has ended is its answer.
    static func over<Result>(_ body: () throws(KernelError) -> Result) throws(Trouble) -> Result {
        do throws(KernelError) {
            return try body()
        } catch {
            throw error.errno.meansPeerGone ? sentAway : .kernel(error)
        }
    }

    static func asking<Result: ~Copyable>(_ body: () throws(KernelError) -> Result) throws(Trouble) -> Result {
        do throws(KernelError) {
            return try body()
        } catch {
            throw .kernel(error)
        }
    }

    private static func openProc() throws(Trouble) -> HostProc {
        do throws(Failure) {
            return try HostProc()
        } catch {
            throw .said(
                Diagnostic("enter: what is at /proc is no procfs", at: nil, hint: "mount it: " + Remedy.mountProc))
        }
    }

    static var sentAway: Trouble {
        .said(
            Diagnostic(
                "enter: the launcher has sent this process away: only who is as free as it is, by capabilities, Landlock and "
                    + "namespaces, may enter its jail", at: nil, hint: launchHint))
    }

    static func refused(_ bytes: [UInt8]) -> Trouble {
        let why = String(decoding: bytes.dropFirst(), as: UTF8.self)
        return .said(Diagnostic("enter: the launcher cannot: \(why)", at: nil))
    }

    // MARK: What becomes of it

    private static func follow(_ door: Int32, _ signals: Int32) throws(Trouble) -> Int32 {
        let mode = terminalMode()
        var command: Int32?
        while true {
            var watches = [Watch(door), Watch(signals)]
            try asking { () throws(KernelError) in try poll(&watches, milliseconds: nil) }
            // First of all: it may say whom a signal is for.
            guard watches[0].isReady else {
                try asking { () throws(KernelError) in try pass(signals, to: command) }
                continue
            }
            let answer = try asking { () throws(KernelError) in try receive(from: door, limit: 1024) }
            switch answer?.bytes.first {
            case EnterReply.entering: command = answer?.descriptor
            case EnterReply.ended: return Int32(answer?.bytes.last ?? 125)
            case EnterReply.refused: throw refused(answer?.bytes ?? [])
            default:
                // Whoever had the terminal has been killed.
                mode?.restore()
                guard command == nil else { return Outcome.lostStatus }
                throw sentAway
            }
        }
    }

    /// The modes that the terminal has, to be given back to it.
    private static func terminalMode() -> TerminalMode? {
        do throws(KernelError) {
            return isTerminal(0) ? try TerminalMode(of: 0) : nil
        } catch {
            return nil
        }
    }

    /// What this process is sent is meant for the command. A stop is not passed on: nobody would have the command go on.
    static func pass(_ signals: Int32, to command: Int32?) throws(KernelError) {
        while let delivered = try nextSignal(signals) {
            switch delivered.number {
            case Signal.child, Signal.terminalStop, Signal.terminalInput, Signal.terminalOutput: continue
            default: break
            }
            guard let command else {
                if Signal.endsLaunch(delivered.number) { exitNow(128 + delivered.number) }
                continue
            }
            do throws(KernelError) {
                try signal(command, delivered.number)
            } catch {
                guard error.errno == .noProcess else { throw error }
            }
        }
    }
}

extension TerminalMode {
    fileprivate func restore() {
        do throws(KernelError) {
            try apply(to: 0)
        } catch {
            return  // hung up
        }
    }
}
