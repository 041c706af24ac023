/// The words of a short text of the kernel's, which spaces and line breaks part. Byte by byte: `split` works on characters,
/// whose tables a launch has no time for.
package func words(_ bytes: [UInt8]) -> [String] {
    split(bytes) { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
}

/// The lines of such a text, none of them empty.
package func lines(_ bytes: [UInt8]) -> [String] { split(bytes) { $0 == UInt8(ascii: "\n") } }

private func split(_ bytes: [UInt8], _ separates: (UInt8) -> Bool) -> [String] {
    var result: [String] = []
    var start = 0
    for index in 0...bytes.count {
        guard index == bytes.count || separates(bytes[index]) else { continue }
        if index > start { result.append(String(decoding: bytes[start..<index], as: UTF8.self)) }
        start = index + 1
    }
    return result
}

/// Whether two such texts have the same words in the same order.
package func haveSameWords(_ text: [UInt8], _ other: [UInt8]) -> Bool {
    unsafe text.withUnsafeBufferPointer { text in
        unsafe other.withUnsafeBufferPointer { other in unsafe haveSameWords(text, other) }
    }
}

func haveSameWords(_ text: UnsafeBufferPointer<UInt8>, _ other: UnsafeBufferPointer<UInt8>) -> Bool {
    let space = UInt8(ascii: " ")
    var (i, j) = (0, 0)
    while true {
        while i < text.count, unsafe text[i] <= space { i += 1 }
        while j < other.count, unsafe other[j] <= space { j += 1 }
        if i == text.count && j == other.count { return true }
        while i < text.count, j < other.count, unsafe text[i] == other[j], unsafe text[i] > space {
            (i, j) = (i + 1, j + 1)
        }
        guard unsafe i == text.count || text[i] <= space, unsafe j == other.count || other[j] <= space else {
            return false
        }
    }
}

/// A number in decimal digits; nil for anything else, and for what does not fit.
package func decimal(_ text: String) -> Int? {
    var result = 0
    guard !text.isEmpty else { return nil }
    for byte in text.utf8 {
        guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
        let (shifted, large) = result.multipliedReportingOverflow(by: 10)
        let (sum, larger) = shifted.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
        guard !large, !larger else { return nil }
        result = sum
    }
    return result
}

/// Reads a small kernel file whole.
package func readBytes(_ path: String, at directory: Int32 = currentDirectory) throws(KernelError) -> [UInt8] {
    let file = try open(path, at: directory, .read | .nonBlocking | .noTerminal)
    return try readRecord(file.number)
}
