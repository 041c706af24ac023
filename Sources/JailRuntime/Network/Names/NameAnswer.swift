import JailPlan
import JailSpec

/// What a server has answered, and what the jail is told of it.
struct Answer {
    /// Codes of RFC 1035.
    enum Code: UInt16 {
        case none = 0
        case malformed = 1
        case failed = 2
        case unknown = 3
        case notImplemented = 4
        case refused = 5
    }

    /// What a datagram may be long that comes here, RFC 6891: what passes every network whole.
    static let room: UInt16 = 1232
    static let options: [UInt8] = [0] + bigEndian(NameQuestion.options) + bigEndian(room) + [0, 0, 0, 0, 0, 0]
    /// The longest time that an answer is kept, in seconds.
    private static let longest: UInt32 = 86_400
    private static let longestChain = 16

    let flags: UInt16
    let isTruncated: Bool
    /// The aliases that lead from the name that was asked for, in their order.
    private(set) var aliases: [(target: NameService.Name, seconds: UInt32)] = []
    /// The addresses of the name at their end.
    private(set) var addresses: [(address: IPAddress, seconds: UInt32)] = []

    var code: UInt16 { flags & 0xF }

    /// Whether it is the answer to that question at all; all else may be forged.
    static func answers(_ question: NameQuestion, id: UInt16, _ bytes: [UInt8]) -> Bool {
        var reader = NameReader(bytes)
        guard reader.number16() == id, let flags = reader.number16(), flags >> 11 & 0x1F == 0x10,
            reader.number16() == 1,
            reader.take(6) != nil, let name = reader.name(), reader.number16() == question.type, reader.number16() == 1
        else { return false }
        return lower(name) == lower(question.name)
    }

    /// Whether a server says by its header alone that it has not understood.
    static func refusesAll(id: UInt16, _ bytes: [UInt8]) -> Bool {
        var reader = NameReader(bytes)
        guard reader.number16() == id, let flags = reader.number16(), flags >> 11 & 0x1F == 0x10, bytes.count == 12
        else { return false }
        return reader.number16() == 0 && [Code.malformed, .notImplemented].contains { $0.rawValue == flags & 0xF }
    }

    /// Reads an answer to that question; nil where it is malformed.
    init?(_ bytes: [UInt8], to question: NameQuestion) {
        var reader = NameReader(bytes, at: 2)
        guard let flags = reader.number16(), reader.number16() != nil, let count = reader.number16(),
            reader.take(4) != nil,
            reader.name() != nil, reader.take(4) != nil
        else { return nil }
        (self.flags, isTruncated) = (flags, flags & 0x200 != 0)
        guard !isTruncated, question.wantsAddresses else { return }
        var leads: [NameService.Name: (target: NameService.Name, seconds: UInt32)] = [:]
        var found: [(owner: NameService.Name, address: IPAddress, seconds: UInt32)] = []
        for _ in 0..<count {
            guard let owner = reader.name(), let type = reader.number16(), let family = reader.number16(),
                let time = reader.number32(), let length = reader.number16(), let content = reader.take(Int(length))
            else { return nil }
            guard family == 1 else { continue }
            // RFC 2181: what looks negative is 0.
            let seconds = time >> 31 == 1 ? 0 : min(time, Self.longest)
            if type == NameQuestion.alias {
                var inner = NameReader(bytes, at: content.startIndex)
                guard let target = inner.name(), inner.place == content.endIndex else { return nil }
                leads[lower(owner)] = (target, seconds)
            } else if type == question.type {
                guard content.count == (type == NameQuestion.four ? 4 : 16) else { return nil }
                found.append((lower(owner), IPAddress(bytes: Array(content)), seconds))
            }
        }
        var name = lower(question.name)
        while let next = leads[name] {
            guard aliases.count < Self.longestChain else { return nil }
            aliases.append(next)
            name = lower(next.target)
        }
        addresses = found.filter { $0.owner == name }.map { ($0.address, $0.seconds) }
    }

    /// Takes out addresses for which that is not so, and all after the first `limit`.
    mutating func keep(atMost limit: Int, _ isKept: (IPAddress) -> Bool) {
        addresses = Array(addresses.filter { isKept($0.address) }.prefix(limit))
    }

    /// A message without records, as an answer to what was asked.
    static func empty(_ code: UInt16, to asked: AskedMessage, truncated: Bool = false) -> [UInt8] {
        let flags = 0x8080 | (asked.wantsRecursion ? 0x100 : 0) | (truncated ? 0x200 : 0) | code
        return bigEndian(asked.id) + bigEndian(flags) + bigEndian(1) + bigEndian(0) + bigEndian(0)
            + bigEndian(asked.room == nil ? 0 : 1)
            + asked.question.bytes + (asked.room == nil ? [] : options)
    }

    /// The aliases and addresses as an answer to what was asked, in words of our own.
    func message(to asked: AskedMessage) -> [UInt8] {
        var bytes = Self.empty(code, to: asked)
        if asked.room != nil { bytes.removeLast(Self.options.count) }
        // A pointer to the name in the question.
        var owner: [UInt8] = [0xC0, 12]
        for alias in aliases {
            bytes +=
                owner + bigEndian(NameQuestion.alias) + bigEndian(1) + time(alias.seconds)
                + bigEndian(UInt16(alias.target.count))
            owner = bytes.count < 0x4000 ? bigEndian(0xC000 | UInt16(bytes.count)) : alias.target
            bytes += alias.target
        }
        for (address, seconds) in addresses {
            bytes +=
                owner + bigEndian(asked.question.type) + bigEndian(1) + time(seconds)
                + bigEndian(UInt16(address.bytes.count))
            bytes += address.bytes
        }
        bytes.replaceSubrange(6..<8, with: bigEndian(UInt16(aliases.count + addresses.count)))
        return asked.room == nil ? bytes : bytes + Self.options
    }

    private func time(_ seconds: UInt32) -> [UInt8] {
        bigEndian(UInt16(seconds >> 16)) + bigEndian(UInt16(seconds & 0xFFFF))
    }

    /// A server's whole message as an answer to what was asked: for records that lead nowhere.
    static func passed(_ bytes: [UInt8], to asked: AskedMessage) -> [UInt8] {
        var bytes = bytes
        bytes.replaceSubrange(0..<2, with: bigEndian(asked.id))
        // AD: nobody here has verified anything.
        bytes[3] &= ~0x20
        return bytes
    }
}
