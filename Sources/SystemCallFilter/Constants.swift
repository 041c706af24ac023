import JailSpec

/// Numbers by name.
enum Constants {
    struct Unknown: Error { let word: String }

    /// The value of a number, a name, or several of them joined by `|`.
    static func value(of written: String, on architecture: Architecture) throws(Unknown) -> UInt64 {
        var result: UInt64 = 0
        for part in written.utf8.split(separator: UInt8(ascii: "|"), omittingEmptySubsequences: false) {
            let word = String(Substring(part))
            guard let value = number(word) ?? named(word, on: architecture) else { throw Unknown(word: word) }
            result |= value
        }
        return result
    }

    /// The first name of a value among those that begin alike.
    static func name(of value: UInt64, from prefix: String) -> String? {
        constantTable.first { $0.value == value && $0.name.hasPrefix(prefix) }?.name
    }

    static func nearest(to name: String) -> String? {
        JailSpec.nearest(name, constantTable.map(\.name) + divergingConstants.map(\.name))
    }

    private static func named(_ name: String, on architecture: Architecture) -> UInt64? {
        if let entry = divergingConstants.first(where: { $0.name == name }) {
            return architecture.isX86 ? entry.x86_64 : entry.aarch64
        }
        return constantTable.first { $0.name == name }?.value
    }

    /// Decimal, or hexadecimal with 0x.
    private static func number(_ word: String) -> UInt64? {
        guard let first = word.utf8.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return nil }
        return word.hasPrefix("0x") ? UInt64(word.dropFirst(2), radix: 16) : UInt64(word)
    }
}
