import JailPlan
import Kernel
import SpecFile

/// What somebody wants who comes to the door: words, TERM, and four descriptors: 0 to 2, and one of its own process.
struct EnterRequest {
    let words: [String]
    let terminal: String?
    private let notice: Notice
    private let socket: Int32

    /// The most bytes that one has.
    static let limit = 1 << 17

    static func bytes(_ words: [String], terminal: String?) -> [UInt8] {
        ([terminal ?? ""] + words).flatMap { Array($0.utf8) + [0] }
    }

    init?(_ notice: Notice, over socket: Int32) {
        guard notice.isWhole, notice.descriptors.count == 4, notice.bytes.last == 0 else { return nil }
        let texts = notice.bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false)
        guard texts.count > 1, !texts[1].isEmpty else { return nil }
        let strings = texts.map { String(decoding: $0, as: UTF8.self) }
        (words, terminal) = (Array(strings[1...]), strings[0].isEmpty ? nil : strings[0])
        (self.notice, self.socket) = (notice, socket)
    }

    /// The process that has come.
    var client: Int32 { notice.descriptors[3] }

    /// Whether it comes from the process that made the connection, which lives, and is as free as this one.
    func comes(from process: Int32, in proc: HostProc) throws(KernelError) -> Bool {
        guard try processID(of: client, in: proc) == process else { return false }
        guard try Freedom(of: "\(process)", in: proc) == Freedom(of: "self", in: proc),
            try Freedom.sharesNamespaces(process, in: proc)
        else { return false }
        // All of that was asked by the id, which has been that process's as long as it lives.
        return try !look(at: client).isReady
    }

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
    func serve(_ entry: Entry, _ plan: Plan, _ launcher: Int32, _ tell: @escaping MessageSink) -> Never {
        do throws(KernelError) {
            try setParentDeathSignal(Signal.kill)
            guard parentProcess() == launcher else { exitNow(125) }
            // No signal of the launcher's terminal is meant for this one.
            try startSession()
            for number in [Int32(0), 1, 2] { try duplicate(notice.descriptors[Int(number)], onto: number) }
            let kept = [0, 1, 2, socket] + entry.descriptors.filter { $0 >= 0 }
            try closeAll(except: kept) { 1 << 20 }
            let own = try openProcess(currentProcess())
            say([EnterReply.entering], [own.number])
        } catch {
            refuse("\(error.call.name): \(error.errno.name) \(error.errno.words)")
            exitNow(125)
        }
        let entering = plan.entering(
            with: words, terminals: [0, 1, 2].map { isTerminal($0) }, terminal: terminal)
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
}

/// The first byte of an answer.
enum EnterReply {
    /// With a descriptor of the process that signals are for.
    static let entering: UInt8 = 1
    /// And the status.
    static let ended: UInt8 = 2
    /// And why.
    static let refused: UInt8 = 3
}
