import JailSpec
import Kernel

/// How often the resolver has asked each server, and was answered: it leaves that to the launcher in the file of the names that it
/// refused, after those.
struct ServerTally {
    private let file: Int32
    private var counts: [(asked: UInt32, answered: UInt32)]

    /// Two numbers.
    private static let length = 8

    init(of servers: [IPAddress], writing file: Int32) {
        self.file = file
        counts = servers.map { _ in (0, 0) }
    }

    mutating func noteQuestion(to server: Int) throws(KernelError) {
        counts[server].asked &+= 1
        try write(server)
    }

    mutating func noteAnswer(of server: Int) throws(KernelError) {
        counts[server].answered &+= 1
        try write(server)
    }

    private func write(_ server: Int) throws(KernelError) {
        let numbers = [counts[server].asked, counts[server].answered]
        let record = numbers.flatMap { bigEndian(UInt16($0 >> 16)) + bigEndian(UInt16($0 & 0xFFFF)) }
        try writeBytes(record, to: file, at: Int64(RefusedNames.end + server * Self.length))
    }

    static func read(_ file: Int32, of servers: [IPAddress]) throws(KernelError) -> [AskedServer] {
        var reader = NameReader(try readBytes(file, at: Int64(RefusedNames.end), upTo: servers.count * length))
        return servers.map { address in
            let (asked, answered) = (reader.number32() ?? 0, reader.number32() ?? 0)
            return AskedServer(address: address, asked: Int(asked), answered: Int(answered))
        }
    }
}
