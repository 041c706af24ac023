/// Names that a run has given what it made, of which the next run has others: as long, of letters and digits.
struct MadeNames {
    private let names: [[UInt8]]
    /// mktemp(1) puts three signs or more in the place of X; a name that is as short as this is a word.
    private static let shortest = 6
    /// Lines of a text with such names that are looked for in the other one.
    private static let most = 200

    init(_ made: Set<String>) {
        names = made.map { Array($0.utf8) }.filter { $0.count >= Self.shortest }.sorted { $0.count > $1.count }
    }

    /// Another run's text with the lines of the one that made the names, where a line is another by those only.
    func given(to text: [UInt8], by first: [UInt8]) -> [UInt8] {
        if names.isEmpty { return text }
        let newline = UInt8(ascii: "\n")
        var lines: [Int: [(line: ArraySlice<UInt8>, isFree: [Bool])]] = [:]
        var count = 0
        for line in first.split(separator: newline) where count < Self.most {
            guard let free = free(in: line) else { continue }
            lines[line.count, default: []].append((line, free))
            count += 1
        }
        if lines.isEmpty { return text }
        return Array(
            text.split(separator: newline, omittingEmptySubsequences: false).map { line in
                lines[line.count]?.first { Self.isSame(line, $0.line, but: $0.isFree) }?.line ?? line
            }.joined(separator: [newline]))
    }

    /// Which of a line's signs may be others; nil where none of the names is in it.
    private func free(in line: ArraySlice<UInt8>) -> [Bool]? {
        let bytes = Array(line)
        var result = [Bool](repeating: false, count: bytes.count)
        for name in names where name.count <= bytes.count {
            for start in 0...bytes.count - name.count where bytes[start..<start + name.count].elementsEqual(name) {
                for index in start..<start + name.count { result[index] = true }
            }
        }
        return result.contains(true) ? result : nil
    }

    private static func isSame(_ line: ArraySlice<UInt8>, _ other: ArraySlice<UInt8>, but isFree: [Bool]) -> Bool {
        zip(zip(line, other), isFree).allSatisfy { pair, isFree in
            pair.0 == pair.1 || isFree && isOfName(pair.0) && isOfName(pair.1)
        }
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || byte == UInt8(ascii: "_")
    }
}
