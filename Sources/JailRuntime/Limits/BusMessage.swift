/// A message as the manager sends it, as far as the launch asks.
struct BusMessage {
    enum Kind: UInt8 { case call = 1, answer, error, signal }

    let kind: Kind
    private(set) var member = ""
    private(set) var answered: UInt32 = 0
    /// The strings that the body begins with, after a number where a signal has one.
    private(set) var texts: [String] = []
    /// Of a variant: whether it is a number that is not 0, or an array that is not empty.
    private(set) var isSet = false

    /// How long the message is that these bytes begin; nil where even that is not to be seen yet.
    static func size(of bytes: [UInt8]) -> Int? {
        guard bytes.count >= 16 else { return nil }
        let reader = BusReader(bytes)
        let fields = Int(reader.number(at: 12))
        return 16 + (fields + 7) / 8 * 8 + Int(reader.number(at: 4))
    }

    /// nil for what is no message, or is not in the byte order of this machine's kind.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 16, bytes[0] == UInt8(ascii: "l"), let kind = Kind(rawValue: bytes[1]) else { return nil }
        self.kind = kind
        var reader = BusReader(bytes)
        let end = 16 + Int(reader.number(at: 12))
        guard end <= bytes.count else { return nil }
        reader.offset = 16
        var signature = ""
        while reader.offset < end {
            reader.align(8)
            let code = reader.byte()
            switch reader.signature() {
            case "s", "o":
                let value = reader.text()
                if code == 3 { member = value }
            case "g": signature = reader.signature()
            case "u":
                let value = reader.number()
                if code == 5 { answered = value }
            default: return nil
            }
        }
        reader.align(8)
        for type in signature.utf8 {
            switch type {
            case UInt8(ascii: "u"): _ = reader.number()
            case UInt8(ascii: "s"), UInt8(ascii: "o"): texts.append(reader.text())
            case UInt8(ascii: "v"):
                _ = reader.signature()
                // Of a boolean, and the length of an array.
                isSet = reader.number() != 0
            default: return
            }
        }
    }
}

/// Reads the wire format; past the end everything is 0 or empty.
private struct BusReader {
    let bytes: [UInt8]
    var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func align(_ size: Int) { offset = (offset + size - 1) / size * size }

    mutating func byte() -> UInt8 {
        defer { offset += 1 }
        return offset < bytes.count ? bytes[offset] : 0
    }

    func number(at place: Int) -> UInt32 {
        guard place + 4 <= bytes.count else { return 0 }
        return (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) }
    }

    mutating func number() -> UInt32 {
        align(4)
        defer { offset += 4 }
        return number(at: offset)
    }

    mutating func text() -> String { take(Int(number())) }

    mutating func signature() -> String { take(Int(byte())) }

    private mutating func take(_ length: Int) -> String {
        let start = min(offset, bytes.count)
        let end = min(start + length, bytes.count)
        offset = end + 1
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }
}
