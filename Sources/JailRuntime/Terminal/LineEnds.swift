/// Takes out again what the output processing of a terminal puts before each line feed (`ONLCR`), where another terminal is to put
/// it there: `\r\n` becomes `\n`, and a `\r` that a program has written before a line feed stays.
///
/// The kernel writes both at once and passes them on in pieces, as there is room (tty_buffer.c, flush_to_ldisc). So a `\r` at the end of a
/// piece waits for the next one, which has its line feed or nothing of it, and after a moment goes out by itself.
struct LineEnds {
    private static let (feed, carriage) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
    /// How long it waits, in nanoseconds.
    private static let moment = 20_000_000

    /// Until when a `\r` is held back; nil for none.
    private var due: Int?

    /// How long it may still be held back, in milliseconds.
    func milliseconds(_ now: Int) -> Int32? { due.map { Int32(clamping: max(0, ($0 - now + 999_999) / 1_000_000)) } }

    /// A piece without those. One that is not `undone` stays as it is.
    mutating func take(_ bytes: [UInt8], undone: Bool, _ now: Int) -> [UInt8] {
        var whole = due == nil ? bytes : [Self.carriage] + bytes
        due = nil
        guard undone else { return whole }
        // Nothing more comes after an end.
        if !bytes.isEmpty, whole.last == Self.carriage {
            whole.removeLast()
            due = now + Self.moment
        }
        return Self.undone(whole)
    }

    /// What has waited until `now`, or, where that is nil, long enough in any case.
    mutating func release(_ now: Int? = nil) -> [UInt8] {
        guard let due, now.map({ $0 >= due }) ?? true else { return [] }
        self.due = nil
        return [Self.carriage]
    }

    private static func undone(_ bytes: [UInt8]) -> [UInt8] {
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
