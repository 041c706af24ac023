import Kernel
import SpecFile

/// Client and launcher show each other that Landlock does not confine the one more than the other; then the launcher's side gets
/// words and descriptors.
struct Meeting {
    let door: Int32
    let launcher: Int32
    /// Signals that wait to be read: a launcher that is stopped, or whose group is frozen, answers nobody.
    let signals: Int32
    let proc: HostProc

    func hold(_ words: [String], _ terminal: String?) throws(EnterJail.Trouble) {
        let length = Token.length + EnterWords.bytes([], words, terminal: terminal).count
        guard words.first?.isEmpty == false, length <= EnterWords.limit else {
            let why =
                words.first?.isEmpty == false
                ? "its words are longer than \(EnterWords.limit >> 10) KiB" : "it has no name"
            throw .said(Diagnostic("enter: the command cannot be handed over: \(why)", at: nil))
        }
        let token = try EnterJail.asking { () throws(KernelError) in try Token() }
        let number = token.number
        try EnterJail.over { () throws(KernelError) in
            let own = try openProcess(currentProcess())
            try sendNotice(EnterRequest.bytes(token: number), [own.number], over: door)
        }
        guard let answer = try answer() else { throw EnterJail.sentAway }
        if answer.bytes.first == EnterReply.refused { throw EnterJail.refused(answer.bytes) }
        guard answer.bytes.count == 5 + Token.length, answer.bytes[0] == EnterReply.token,
            let place = EnterReply.number(in: answer.bytes[1..<5]), let process = answer.descriptor
        else { throw EnterJail.sentAway }
        let their = try EnterJail.asking { () throws(KernelError) in try processID(of: process, in: proc) }
        closeDescriptor(process)
        guard answer.bytes[5...].elementsEqual(token.bytes), let theirs = Token.read(place, of: their, in: proc) else {
            throw .said(
                Diagnostic(
                    "enter: Landlock confines this process and the launcher otherwise", at: nil,
                    hint: EnterJail.launchHint))
        }
        try EnterJail.over { () throws(KernelError) in
            try sendNotice(EnterWords.bytes(theirs, words, terminal: terminal), [0, 1, 2], over: door)
        }
    }

    /// How long a launcher may be silent before it is asked whether it is stopped, in milliseconds.
    private static let patience: Int32 = 1000

    private func answer() throws(EnterJail.Trouble) -> (bytes: [UInt8], descriptor: Int32?)? {
        while true {
            let (speaks, signalled) = try EnterJail.asking { () throws(KernelError) in
                var watches = [Watch(door), Watch(signals)]
                try poll(&watches, milliseconds: Self.patience)
                return (watches[0].isReady, watches[1].isReady)
            }
            if speaks { return try EnterJail.over { () throws(KernelError) in try receive(from: door, limit: 1024) } }
            if signalled { try EnterJail.asking { () throws(KernelError) in try EnterJail.pass(signals, to: nil) } }
            guard !signalled, isStopped else { continue }
            throw .said(
                Diagnostic(
                    "enter: process \(launcher), the launcher of the jail, is stopped", at: nil,
                    hint: "have it go on: kill -CONT \(launcher)"))
        }
    }

    /// By its state in proc_pid_status(5).
    private var isStopped: Bool {
        do throws(KernelError) {
            let lines = try readText("\(launcher)/status", at: proc.descriptor).split(separator: "\n")
            return lines.contains { $0.utf8.starts(with: "State:\tT".utf8) }
        } catch {
            return false
        }
    }
}
