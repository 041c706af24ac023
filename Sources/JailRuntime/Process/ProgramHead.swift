/// What the first bytes of a program name that the kernel opens with it.
enum ProgramHead {
    /// What stands after `#!`, execve(2); a carriage return at its end is a part of the name (fs/binfmt_script.c).
    static func interpreter(_ head: [UInt8]) -> String? {
        guard head.starts(with: "#!".utf8) else { return nil }
        let line = head.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
        let blank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        return String(decoding: line.drop(while: blank).prefix { !blank($0) }, as: UTF8.self)
    }

    /// The PT_INTERP segment of a 64-bit little-endian ELF file, elf(5).
    static func loader(_ head: [UInt8]) -> String? {
        guard head.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]), head.count >= 64 else { return nil }
        func number(_ offset: Int, _ width: Int) -> Int {
            guard offset >= 0, offset + width <= head.count else { return 0 }
            return (0..<width).reduce(0) { $0 | Int(head[offset + $1]) << (8 * $1) & Int.max }
        }
        let (table, size, count) = (number(32, 8), number(54, 2), number(56, 2))
        guard table < head.count, size >= 56 else { return nil }
        for index in 0..<min(count, 64) {
            let header = table + index * size
            guard header + 56 <= head.count, number(header, 4) == 3 else { continue }
            let (offset, length) = (number(header + 8, 8), number(header + 32, 8))
            guard offset < head.count, length > 0, length <= head.count - offset else { return nil }
            return String(decoding: head[offset..<(offset + length)].prefix { $0 != 0 }, as: UTF8.self)
        }
        return nil
    }
}
