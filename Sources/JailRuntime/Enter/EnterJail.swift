import JailPlan
import Kernel
package import SpecFile

/// `immure enter`: asks the launcher of a running jail to start one more command there, and is its end towards the caller.
package enum EnterJail {
    private enum Trouble: Error {
        case kernel(KernelError)
        case said(Diagnostic)
    }

    /// The status of the command, as `run` has it. `process` is the launcher, the jail's first process or its command; `terminal` is
    /// what TERM is here.
    package static func perform(_ process: Int32, _ words: [String], terminal: String?) throws(Diagnostic) -> Int32 {
        do throws(Trouble) {
            let proc = try openProc()
            // Before signals wait to be read: a launcher that has stopped lets nobody in.
            let door = try reach(process, in: proc)
            let signals = try asking { () throws(KernelError) in try catchAllSignals() }
            try meet(door, words, terminal, in: proc)
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
    private static func over<Result>(_ body: () throws(KernelError) -> Result) throws(Trouble) -> Result {
        do throws(KernelError) {
            return try body()
        } catch {
            throw error.errno.meansPeerGone ? sentAway : .kernel(error)
        }
    }

    private static func asking<Result: ~Copyable>(_ body: () throws(KernelError) -> Result) throws(Trouble) -> Result {
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

    // MARK: The way to the launcher

    /// A connection to the launcher of the jail that a process is in: itself, its parent, or the parent of that.
    private static func reach(_ process: Int32, in proc: HostProc) throws(Trouble) -> Int32 {
        var candidate = process
        for _ in 0..<3 {
            if let door = try call(candidate, in: proc) { return door }
            guard let parent = try parent(of: candidate, in: proc), parent > 1 else { break }
            candidate = parent
        }
        throw .said(
            Diagnostic(
                "enter: no launcher of immure waits for process \(process): it is in no jail, or in one whose launcher did not stay",
                at: nil,
                hint: "name the process that `immure run` is, of a jail with a pid namespace of its own or a timeout"))
    }

    /// nil where that process has no door. Who answers at it is asked of the kernel, and must be as free as this process: one in a jail
    /// would get this one's terminal.
    private static func call(_ launcher: Int32, in proc: HostProc) throws(Trouble) -> Int32? {
        let door: Int32
        let user: UInt32
        let differences: [String]
        let isElsewhere: Bool
        do throws(KernelError) {
            let process = try openProcess(launcher)
            let connection = try connect(to: Door.name(of: launcher))
            let who = try peer(of: connection.number)
            guard who.process == launcher else { return nil }
            differences = try Freedom(of: "\(launcher)", in: proc).differences(from: Freedom(of: "self", in: proc))
            isElsewhere = Freedom.isElsewhere(than: launcher, in: proc)
            // All of that was asked by the id, which has been that process's as long as it lives.
            guard try !look(at: process.number).isReady else { return nil }
            (door, user) = (connection.release(), who.user)
        } catch {
            return nil
        }
        if user == effectiveUser(), differences.isEmpty, !isElsewhere { return door }
        closeDescriptor(door)
        guard user == effectiveUser() else {
            throw .said(Diagnostic("enter: uid \(user) has launched this jail, and nobody else may enter it", at: nil))
        }
        guard differences.isEmpty else {
            throw .said(
                Diagnostic(
                    "enter: process \(launcher) is confined otherwise than this one (\(differences.joined(separator: ", "))): "
                        + "it may be in a jail itself", at: nil, hint: launchHint))
        }
        throw .said(
            Diagnostic(
                "enter: process \(launcher) is in another mount namespace than this one", at: nil,
                hint: user == 0 ? "as root: nsenter -t \(launcher) -m immure enter \(launcher)" : launchHint))
    }

    private static let launchHint = "enter from the shell or the unit that has launched it"

    private static func parent(of process: Int32, in proc: HostProc) throws(Trouble) -> Int32? {
        do throws(KernelError) {
            let status = try readText("\(process)/status", at: proc.descriptor)
            let line = status.split(separator: "\n").first { $0.utf8.starts(with: "PPid:".utf8) }
            return line?.split(separator: "\t").last.flatMap { Int32($0) }
        } catch {
            throw .said(Diagnostic("enter: there is no process \(process)", at: nil))
        }
    }

    /// Each shows the other that Landlock does not confine it more; then the launcher's side gets words and descriptors.
    private static func meet(
        _ door: Int32, _ words: [String], _ terminal: String?, in proc: HostProc
    ) throws(Trouble) {
        let token = try asking { () throws(KernelError) in try Token() }
        let number = token.number
        try over { () throws(KernelError) in
            let own = try openProcess(currentProcess())
            try sendNotice(EnterRequest.bytes(token: number), [own.number], over: door)
        }
        let answer = try over { () throws(KernelError) in try receive(from: door, limit: 1024) }
        guard let answer else { throw sentAway }
        if answer.bytes.first == EnterReply.refused { throw refused(answer.bytes) }
        guard answer.bytes.count == 5 + Token.length, answer.bytes[0] == EnterReply.token,
            let place = EnterReply.number(in: answer.bytes[1..<5]), let process = answer.descriptor
        else { throw sentAway }
        let their = try asking { () throws(KernelError) in try processID(of: process, in: proc) }
        closeDescriptor(process)
        guard answer.bytes[5...].elementsEqual(token.bytes), let theirs = Token.read(place, of: their, in: proc) else {
            throw .said(
                Diagnostic(
                    "enter: Landlock confines this process and the launcher otherwise", at: nil, hint: launchHint))
        }
        try over { () throws(KernelError) in
            try sendNotice(EnterWords.bytes(theirs, words, terminal: terminal), [0, 1, 2], over: door)
        }
    }

    private static var sentAway: Trouble {
        .said(
            Diagnostic(
                "enter: the launcher has sent this process away: only who is as free as it is, by capabilities, Landlock and "
                    + "namespaces, may enter its jail", at: nil, hint: launchHint))
    }

    private static func refused(_ bytes: [UInt8]) -> Trouble {
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
    private static func pass(_ signals: Int32, to command: Int32?) throws(KernelError) {
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
