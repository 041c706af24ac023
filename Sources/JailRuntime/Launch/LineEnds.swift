/// Takes out again what the output processing of a terminal puts before each line feed (`ONLCR`), where another terminal is to put
/// it there: `\r\n` becomes `\n`, and a `\r` that a program has written before a line feed stays.
enum LineEnds {
    private static let (feed, carriage) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))

    /// The bytes without those. A `\r` at the very end is passed on: the line feed that may follow is then written with one more,
    /// which changes nothing to see.
    static func undone(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(Self.feed) else { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for byte in bytes {
            if byte == Self.feed, result.last == Self.carriage { result.removeLast() }
            result.append(byte)
        }
        return result
    }
}
