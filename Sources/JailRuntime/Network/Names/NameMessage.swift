import JailPlan

/// Reads a message of the domain name system, RFC 1035, that somebody has sent who may have written anything into it.
struct NameReader {
    let bytes: [UInt8]
    var place = 0

    init(_ bytes: [UInt8], at place: Int = 0) { (self.bytes, self.place) = (bytes, place) }

    mutating func byte() -> UInt8? {
        guard place < bytes.count else { return nil }
        defer { place += 1 }
        return bytes[place]
    }

    mutating func number16() -> UInt16? {
        guard let high = byte(), let low = byte() else { return nil }
        return UInt16(high) << 8 | UInt16(low)
    }

    mutating func number32() -> UInt32? {
        guard let high = number16(), let low = number16() else { return nil }
        return UInt32(high) << 16 | UInt32(low)
    }

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= bytes.count - place else { return nil }
        defer { place += count }
        return bytes[place..<place + count]
    }

    /// A name with each label after its length, and a 0 at its end: 255 bytes at most. Each pointer must lead to before the labels that it
    /// stands after, and so no two lead in a circle.
    mutating func name() -> NameService.Name? {
        var name: [UInt8] = []
        var (at, first) = (place, place)
        var end: Int?
        while at < bytes.count {
            let length = Int(bytes[at])
            switch length >> 6 {
            case 0 where length == 0:
                place = end ?? at + 1
                return name + [0]
            case 0:
                guard at + length < bytes.count, name.count + length + 2 <= 255 else { return nil }
                name += bytes[at...at + length]
                at += length + 1
            case 3:
                guard at + 1 < bytes.count else { return nil }
                let target = (length & 0x3F) << 8 | Int(bytes[at + 1])
                guard target < first else { return nil }
                end = end ?? at + 2
                (at, first) = (target, target)
            default: return nil
            }
        }
        return nil
    }
}

/// What is asked, or was answered.
struct NameQuestion: Equatable {
    /// In the case that it was asked in.
    let name: NameService.Name
    let type: UInt16

    /// RFC 1035, RFC 3596.
    static let four: UInt16 = 1
    static let alias: UInt16 = 5
    static let six: UInt16 = 28
    /// RFC 6891: no record, but what the sender can take.
    static let options: UInt16 = 41

    var wantsAddresses: Bool { type == Self.four || type == Self.six }

    /// False for types that ask for no records: transfers of zones, keys of transactions, whatever there is (RFC 6895), and what
    /// is for messages only.
    var isOfRecords: Bool { !(128...255).contains(type) && type != Self.options && type != 0 }

    /// As it stands in a message.
    var bytes: [UInt8] { name + bigEndian(type) + bigEndian(1) }
}

/// A number of 16 bits in the order of the network.
func bigEndian(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }

/// A name in lower case; lengths of labels are below every letter.
func lower(_ name: NameService.Name) -> NameService.Name { name.map { 0x41...0x5A ~= $0 ? $0 | 0x20 : $0 } }

/// What a program of the jail has sent.
struct AskedMessage {
    let id: UInt16
    let question: NameQuestion
    let wantsRecursion: Bool
    /// How long a datagram it takes; nil where it does not say.
    let room: Int?
    /// The longest that loopback carries is a little more.
    private static let mostRoom = 65_000

    /// Why there is nothing to answer, or what is answered without asking further.
    enum Reading {
        case asked(AskedMessage)
        /// FORMERR or NOTIMP of RFC 1035, as a whole message.
        case answered([UInt8])
        /// Too short for an answer, or an answer itself.
        case nothing
    }

    static func read(_ bytes: [UInt8]) -> Reading {
        var reader = NameReader(bytes)
        guard let id = reader.number16(), let flags = reader.number16(), let questions = reader.number16(),
            let answers = reader.number16(), let authorities = reader.number16(), let more = reader.number16(),
            flags >> 15 == 0
        else { return .nothing }
        func refusal(_ code: Answer.Code) -> Reading {
            .answered(
                bigEndian(id) + bigEndian(0x8000 | flags & 0x7900 | 0x80 | code.rawValue)
                    + [UInt8](repeating: 0, count: 8))
        }
        guard flags >> 11 & 0xF == 0 else { return refusal(.notImplemented) }
        guard questions == 1, answers == 0, authorities == 0, let name = reader.name(), let type = reader.number16(),
            let family = reader.number16()
        else { return refusal(.malformed) }
        guard family == 1 else { return refusal(.refused) }
        var room: Int?
        for _ in 0..<more {
            guard reader.name() != nil, let kind = reader.number16(), let size = reader.number16(),
                reader.number32() != nil,
                let length = reader.number16(), reader.take(Int(length)) != nil
            else { return refusal(.malformed) }
            if kind == NameQuestion.options { room = min(max(512, Int(size)), mostRoom) }
        }
        return .asked(
            AskedMessage(
                id: id, question: NameQuestion(name: name, type: type), wantsRecursion: flags & 0x100 != 0, room: room))
    }

    /// The question as it is put to a server: nothing of what the program wrote beside it goes along. `isBare`: as RFC 1035 has it, for a server
    /// that knows no other.
    func query(id: UInt16, isBare: Bool = false) -> [UInt8] {
        let takesMore = !isBare && (room != nil || question.wantsAddresses)
        var bytes =
            bigEndian(id) + bigEndian(0x0100) + bigEndian(1) + bigEndian(0) + bigEndian(0)
            + bigEndian(takesMore ? 1 : 0)
        bytes += question.bytes
        if takesMore { bytes += Answer.options }
        return bytes
    }
}
