import JailPlan
import Kernel
import SpecFile

/// Somebody who has come to the door, as free as the launcher: with a descriptor of its own process and the number of its `Token`.
///
/// Its words come later, to a process of its own: each of the two shows the other first that Landlock does not confine it more.
struct EnterRequest {
    private let process: Int32
    private let number: Int32
    private let notice: Notice
    private let socket: Int32

    static func bytes(token number: Int32) -> [UInt8] { EnterReply.bytes(of: number) }

    /// nil where it is no such request, or comes from another process than the one that made the connection, which lives and is as
    /// free as this one.
    init?(from process: Int32, over socket: Int32, in proc: HostProc) {
        do throws(KernelError) {
            guard let notice = try receiveNotice(from: socket, limit: 64) else { return nil }
            guard notice.isWhole, notice.descriptors.count == 1, let number = EnterReply.number(in: notice.bytes[...]),
                try processID(of: notice.descriptors[0], in: proc) == process,
                try Freedom.isShared(with: process, in: proc),
                // All of that was asked by the id, which has been that process's as long as it lives.
                try !look(at: notice.descriptors[0]).isReady
            else {
                notice.close()
                return nil
            }
            (self.process, self.number, self.notice, self.socket) = (process, number, notice, socket)
        } catch {
            return nil
        }
    }

    /// The process that has come.
    var client: Int32 { notice.descriptors[0] }

    func close() {
        notice.close()
        closeDescriptor(socket)
    }

    func refuse(_ why: String) { say([EnterReply.refused] + Array(why.utf8)) }

    private func say(_ bytes: [UInt8], _ descriptors: [Int32] = []) {
        do throws(KernelError) {
            try sendNotice(bytes, descriptors, over: socket)
        } catch {
            return  // it has gone
        }
    }

    /// In a child of the launcher: is the launcher of the command that enters, with that one's descriptors.
    func serve(
        _ entry: Entry, _ plan: Plan, _ launcher: Int32, _ proc: HostProc, _ tell: @escaping MessageSink
    ) -> Never {
        let words: EnterWords
        do throws(KernelError) {
            try setParentDeathSignal(Signal.kill)
            guard parentProcess() == launcher else { exitNow(125) }
            // No signal of the launcher's terminal is meant for this one.
            try startSession()
            try closeAll(except: ([0, 1, 2, socket, proc.descriptor] + entry.descriptors).filter { $0 >= 0 }) {
                1 << 20
            }
            guard let came = try meet(proc) else { exitNow(125) }
            words = came
            for number in [Int32(0), 1, 2] { try duplicate(words.descriptors[Int(number)], onto: number) }
            try closeAll(except: ([0, 1, 2, socket] + entry.descriptors).filter { $0 >= 0 }) { 1 << 20 }
            let own = try openProcess(currentProcess())
            say([EnterReply.entering], [own.number])
        } catch {
            refuse("\(error.call.name): \(error.errno.name) \(error.errno.words)")
            exitNow(125)
        }
        let entering = plan.entering(
            with: words.words, terminals: [0, 1, 2].map { isTerminal($0) }, terminal: words.terminal)
        var launch = Launch(entering, keeping: [socket], telling: tell)
        launch.entry = entry
        let outcome = launch.run()
        switch outcome.ending {
        case .failed(let failure): tell(.error(Explanation(failure, of: entering).diagnostic))
        case .lost(let failure): tell(.error(Explanation(failure, of: entering).loss))
        case .ended, .timedOut: break
        }
        say([EnterReply.ended, UInt8(truncatingIfNeeded: outcome.status)])
        exitNow(0)
    }

    /// How long who has come may take for its words, in milliseconds.
    private static let patience: Int32 = 5000

    /// Shows that this process can see into the one that has come, and lets it show the same; then its words are heard. nil where it
    /// cannot, or is gone.
    ///
    /// While it can be seen into itself it is no more to those who can than the launcher's caller is: nobody in a user namespace or a
    /// Landlock domain of the jail can (kernel/ptrace.c, security/landlock/ptrace.c).
    private func meet(_ proc: HostProc) throws(KernelError) -> EnterWords? {
        guard let theirs = Token.read(number, of: process, in: proc), try !look(at: client).isReady else { return nil }
        let token = try Token()
        try setDumpable(true)
        let own = try openProcess(currentProcess())
        try sendNotice([EnterReply.token] + EnterReply.bytes(of: token.number) + theirs, [own.number], over: socket)
        var watches = [Watch(socket)]
        try poll(&watches, milliseconds: Self.patience)
        guard let notice = try receiveNotice(from: socket, limit: EnterWords.limit) else { return nil }
        try setDumpable(false)
        guard let words = EnterWords(notice), words.token == token.bytes else { return nil }
        return words
    }
}

/// What is to be run: what the client has read of the launcher's token, TERM, the words, and descriptors 0 to 2.
struct EnterWords {
    let token: [UInt8]
    let words: [String]
    let terminal: String?
    let descriptors: [Int32]

    /// The most bytes that one has.
    static let limit = 1 << 17

    static func bytes(_ token: [UInt8], _ words: [String], terminal: String?) -> [UInt8] {
        token + ([terminal ?? ""] + words).flatMap { Array($0.utf8) + [0] }
    }

    init?(_ notice: Notice) {
        guard notice.isWhole, notice.descriptors.count == 3, notice.bytes.count > Token.length, notice.bytes.last == 0
        else { return nil }
        token = Array(notice.bytes[..<Token.length])
        let texts = notice.bytes[Token.length...].dropLast().split(separator: 0, omittingEmptySubsequences: false)
        guard texts.count > 1, !texts[1].isEmpty else { return nil }
        let strings = texts.map { String(decoding: $0, as: UTF8.self) }
        (words, terminal) = (Array(strings[1...]), strings[0].isEmpty ? nil : strings[0])
        descriptors = notice.descriptors
    }
}

/// The first byte of an answer.
enum EnterReply {
    /// With a descriptor of the process that signals are for.
    static let entering: UInt8 = 1
    /// And the status.
    static let ended: UInt8 = 2
    /// And why.
    static let refused: UInt8 = 3
    /// And the number of the token of a process, of which there is a descriptor; and what that has read of the other's.
    static let token: UInt8 = 4

    static func bytes(of number: Int32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: UInt32(bitPattern: number) >> $0) }
    }

    static func number(in bytes: ArraySlice<UInt8>) -> Int32? {
        guard bytes.count == 4 else { return nil }
        return Int32(bitPattern: bytes.reduce(0) { $0 << 8 | UInt32($1) })
    }
}
