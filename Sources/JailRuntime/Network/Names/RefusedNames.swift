import JailPlan
import JailSpec
import Kernel

/// What the resolver leaves to the launcher of what it refused: a file in memory of records of one length, which outlives it.
struct RefusedNames {
    private struct Entry {
        var place: Int
        /// Questions for addresses of IPv4, of IPv6, and others: programs ask for both at once, which is one attempt.
        var counts = [0, 0, 0]
        /// The last question of each sort: one that is asked again because it was refused is none.
        var last: [UInt16?] = [nil, nil, nil]
        var total: Int { max(counts[0], counts[1]) + counts[2] }
    }

    /// How many names it tells apart. All others are counted together, in the first record.
    private static let most = 256
    /// Count, address and name, the last two after their lengths.
    private static let length = 4 + 17 + 256
    /// Where all of them end.
    static let end = (most + 1) * length

    private let file: Int32
    private var entries: [NameService.Name: Entry] = [:]
    private var others = 0

    init(writing file: Int32) { self.file = file }

    /// A name that is not on the list was asked for, or one that leads to `address`, which is closed.
    mutating func note(_ asked: AskedMessage, leadingTo address: IPAddress? = nil) throws(KernelError) {
        let name = lower(asked.question.name)
        // The root: the launch asks for it, to see that it is refused.
        if name == [0] { return }
        if entries[name] == nil {
            guard entries.count < Self.most else {
                others += 1
                return try write([], nil, others, at: 0)
            }
            entries[name] = Entry(place: entries.count + 1)
        }
        guard var entry = entries[name] else { return }
        let sort = asked.question.type == NameQuestion.four ? 0 : asked.question.type == NameQuestion.six ? 1 : 2
        if entry.last[sort] == asked.id { return }
        entry.last[sort] = asked.id
        entry.counts[sort] += 1
        entries[name] = entry
        try write(name, address, entry.total, at: entry.place)
    }

    private func write(_ name: [UInt8], _ address: IPAddress?, _ count: Int, at place: Int) throws(KernelError) {
        let count = UInt32(clamping: count)
        let bytes = address?.bytes ?? []
        var record = bigEndian(UInt16(count >> 16)) + bigEndian(UInt16(count & 0xFFFF)) + [UInt8(bytes.count)] + bytes
        record += [UInt8](repeating: 0, count: 21 - record.count) + [UInt8(name.count)] + name
        try writeBytes(record, to: file, at: Int64(place * Self.length))
    }

    /// What is in the file, the most frequent first.
    static func read(_ file: Int32) throws(KernelError) -> [RefusedConnection] {
        let bytes = try readBytes(file, at: 0, upTo: end)
        var found: [RefusedConnection] = []
        for start in stride(from: 0, to: bytes.count, by: length) {
            var reader = NameReader(Array(bytes[start..<min(start + length, bytes.count)]))
            guard let count = reader.number32(), count > 0, let width = reader.byte(), let address = reader.take(16),
                let size = reader.byte(), let name = reader.take(Int(size))
            else { continue }
            let isAddress = width == 4 || width == 16
            found.append(
                RefusedConnection(
                    destination: start == 0 ? "other names" : text(Array(name)), isName: start != 0, count: Int(count),
                    leadsTo: isAddress ? "\(IPAddress(bytes: Array(address.prefix(Int(width)))))" : nil))
        }
        return found.sorted { ($1.count, $0.destination) < ($0.count, $1.destination) }
    }

    /// A name as people write it; what a name of a host has no place for as `\DDD`, RFC 1035.
    static func text(_ name: NameService.Name) -> String {
        var text = ""
        var rest = name[...]
        while let length = rest.first, length > 0 {
            if !text.isEmpty { text += "." }
            for byte in rest.dropFirst().prefix(Int(length)) {
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                    UInt8(ascii: "_"), UInt8(ascii: "*"):
                    text.unicodeScalars.append(Unicode.Scalar(byte))
                default: text += "\\" + String(repeating: "0", count: byte < 10 ? 2 : byte < 100 ? 1 : 0) + "\(byte)"
                }
            }
            rest = rest.dropFirst(Int(length) + 1)
        }
        return text
    }
}
