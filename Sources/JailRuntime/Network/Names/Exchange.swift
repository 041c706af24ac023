import JailPlan
import JailSpec
import Kernel

/// Who has asked.
enum Asker: Equatable {
    case datagram(Peer)
    /// A connection, by its number.
    case connection(Int)
    /// The resolver itself.
    case nobody
}

/// A question on its way: one server after the other, each by a socket of its own.
struct Exchange {
    enum Heard {
        case nothing
        /// The server is not there, or has said something that is no answer.
        case gone
        case message([UInt8])
    }

    let asker: Asker
    let asked: AskedMessage
    /// Whose addresses the answer opens.
    let groups: [Int]
    private(set) var socket: Int32 = -1
    private(set) var isStream = false
    /// Whether it is put without what RFC 6891 has added: a server may refuse that, and what stands before it may lose it.
    private(set) var isBare = false
    /// The servers that have answered.
    private var heard: Set<Int> = []
    /// An answer that waits for another exchange.
    private(set) var held: [UInt8]?
    /// When the next server is asked.
    private(set) var due = 0
    private var turns = 0
    /// The number of this question at this server.
    private var id: UInt16 = 0
    /// What is still to be sent over a stream, and what has come.
    private var output: [UInt8] = []
    private var input: [UInt8] = []

    /// How long a server is waited for: three of them are asked before a program of the jail gives up, resolv.conf(5).
    private static let patience = 1_500_000_000
    private var fewestTurns: Int { asker == .nobody ? 1 : 3 }
    private static let port: UInt16 = 53
    /// How many messages that answer nothing have come from this server.
    private var strange = 0
    private static let mostStrange = 64

    init(asker: Asker, asked: AskedMessage, groups: [Int]) {
        (self.asker, self.asked, self.groups) = (asker, asked, groups)
    }

    var watch: Watch { Watch(socket, for: output.isEmpty ? .readable : .writable) }

    /// The server that is asked for the first time, of so many; nil where it is asked once more.
    func firstAsked(of count: Int) -> Int? { turns <= count ? turns - 1 : nil }

    /// The server that has answered, of so many; nil where it has done so before.
    mutating func heardFirst(of count: Int) -> Int? {
        let server = (turns - 1) % count
        return heard.insert(server).inserted ? server : nil
    }

    func hasNext(of servers: [IPAddress]) -> Bool { turns < servers.count }

    /// Asks the next server; false where all had their turn. `socket` is −1 where it could not be asked.
    mutating func askNext(of servers: [IPAddress], _ now: Int) -> Bool {
        close()
        guard !servers.isEmpty, turns < max(servers.count, fewestTurns) else { return false }
        turns += 1
        isBare = turns > servers.count
        begin(.datagrams, of: servers, now)
        return true
    }

    /// Asks the same server once more, by a stream; false where it could not be asked.
    mutating func askWhole(of servers: [IPAddress], _ now: Int) -> Bool {
        close()
        begin(.stream, of: servers, now)
        return socket >= 0
    }

    /// Asks the same server once more, without options; false where it could not be asked.
    mutating func askBare(of servers: [IPAddress], _ now: Int) -> Bool {
        isBare = true
        close()
        begin(.datagrams, of: servers, now)
        return socket >= 0
    }

    private mutating func begin(_ type: SocketType, of servers: [IPAddress], _ now: Int) {
        due = now + Self.patience
        id = .random(in: 0...UInt16.max)
        (input, output, strange) = ([], [], 0)
        isStream = false
        do throws(KernelError) {
            // A port that the kernel draws.
            socket = try openSocket(type, towards: servers[(turns - 1) % servers.count].bytes, port: Self.port)
            let question = asked.query(id: id, isBare: isBare)
            switch type {
            case .datagrams: _ = try sendNow(question[...], over: socket)
            case .stream:
                isStream = true
                output = bigEndian(UInt16(question.count)) + question
            }
        } catch {
            close()
        }
    }

    mutating func hear() -> Heard {
        do throws(KernelError) {
            if !output.isEmpty {
                output.removeFirst(try sendNow(output[...], over: socket))
                return .nothing
            }
            guard let bytes = try receiveNow(socket, limit: 65_537) else { return .nothing }
            return isStream ? take(bytes) : judge(bytes)
        } catch {
            return .gone
        }
    }

    private mutating func judge(_ bytes: [UInt8]) -> Heard {
        if Answer.answers(asked.question, id: id, bytes) { return .message(bytes) }
        if Answer.refusesAll(id: id, bytes) { return .gone }
        strange += 1
        return isStream || strange > Self.mostStrange ? .gone : .nothing
    }

    private mutating func take(_ bytes: [UInt8]) -> Heard {
        if bytes.isEmpty { return .gone }
        input += bytes
        guard input.count >= 2 else { return .nothing }
        let length = Int(input[0]) << 8 | Int(input[1])
        return input.count < 2 + length ? .nothing : judge(Array(input[2..<2 + length]))
    }

    mutating func hold(_ answer: [UInt8]) {
        close()
        (held, due) = (answer, .max)
    }

    mutating func close() {
        if socket >= 0 { closeDescriptor(socket) }
        socket = -1
    }
}
