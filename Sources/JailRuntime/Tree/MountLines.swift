/// The lines of a mountinfo, proc_pid_mountinfo(5), read where they lie. Cut into words, each as an array or a text of its own,
/// the 24 mounts of a small host cost a launch 165,000 instructions.
struct MountLines {
    /// Where a line is in the text, and where in it the name of the mount point.
    struct Line {
        let start: Int
        let end: Int
        let point: Range<Int>
    }

    private let text: [UInt8]
    private var place = 0

    init(_ text: [UInt8]) { self.text = text }

    /// The next one that is long enough to be of a mount.
    mutating func next() -> Line? {
        while place < text.count {
            let start = place
            var spaces = 0
            var (first, last) = (start, start)
            while place < text.count, text[place] != UInt8(ascii: "\n") {
                if text[place] == UInt8(ascii: " ") {
                    spaces += 1
                    if spaces == 4 { first = place + 1 } else if spaces == 5 { last = place }
                }
                place += 1
            }
            let end = place
            place += 1
            if spaces > 4 { return Line(start: start, end: end, point: first..<last) }
        }
        return nil
    }

    /// The number of the mount.
    func number(of line: Line) -> UInt64 {
        var number: UInt64 = 0
        for byte in text[line.start..<line.end] {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { break }
            number = number &* 10 &+ UInt64(byte &- UInt8(ascii: "0"))
        }
        return number
    }

    func words(of line: Line) -> String { String(decoding: text[line.start..<line.end], as: UTF8.self) }

    /// The mount point, in the bytes of its name.
    func point(of line: Line) -> [UInt8] {
        var (result, index): ([UInt8], Int) = ([], line.point.lowerBound)
        while let byte = byte(at: &index, in: line) { result.append(byte) }
        return result
    }

    /// Whether the name begins with these bytes, and goes on after them.
    func goesOn(_ line: Line, after prefix: [UInt8]) -> Bool {
        var index = line.point.lowerBound
        for wanted in prefix where byte(at: &index, in: line) != wanted { return false }
        return index < line.point.upperBound
    }

    /// Space, tab, line break and backslash stand there as three octal digits.
    private func byte(at index: inout Int, in line: Line) -> UInt8? {
        guard index < line.point.upperBound else { return nil }
        let byte = text[index]
        index += 1
        guard byte == UInt8(ascii: "\\"), index + 3 <= line.point.upperBound else { return byte }
        var value: UInt8 = 0
        for digit in text[index..<index + 3] {
            guard (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit) else { return byte }
            value = value &* 8 &+ (digit &- UInt8(ascii: "0"))
        }
        index += 3
        return value
    }
}
