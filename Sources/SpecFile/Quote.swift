import LinuxFacts

/// A text as messages show it: in double quotes, on one line, and not longer than a person wants to read. What is too long is
/// shortened before its end, for the end of a path tells which file it is.
package func quoted(_ text: String) -> String {
    let scalars = text.unicodeScalars
    var result = "\""
    if scalars.index(scalars.startIndex, offsetBy: 121, limitedBy: scalars.endIndex) == nil {
        for scalar in scalars { appendQuoted(scalar, to: &result) }
    } else {
        for scalar in scalars.prefix(80) { appendQuoted(scalar, to: &result) }
        result += "…"
        for scalar in scalars.suffix(40) { appendQuoted(scalar, to: &result) }
    }
    return result + "\""
}

private func appendQuoted(_ scalar: Unicode.Scalar, to text: inout String) {
    switch scalar {
    case "\"": text += "\\\""
    case "\\": text += "\\\\"
    case "\n": text += "\\n"
    case "\t": text += "\\t"
    // Control characters would act on the terminal that the message is shown on, C1 among them.
    case _ where acts(scalar):
        text += "\\u{\(String(scalar.value, radix: 16))}"
    default: appendPrintably(scalar, to: &text)
    }
}

/// Adds a character, or the byte that it stands for as `\x{ff}`.
private func appendPrintably(_ scalar: Unicode.Scalar, to text: inout String) {
    guard let byte = CarriedByte.byte(scalar) else { return text.unicodeScalars.append(scalar) }
    text += "\\x{\(String(byte, radix: 16))}"
}

/// What somebody else's library says, as part of a message of one line: it may quote the text with its line breaks.
func onOneLine(_ message: String) -> String {
    var result = ""
    for scalar in message.unicodeScalars {
        switch scalar {
        case "\n": result += "\\n"
        case "\t": result += "\\t"
        case _ where acts(scalar):
            result += "\\u{\(String(scalar.value, radix: 16))}"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}

/// Whether a character acts on the line or the terminal that it stands on: C0, DEL and C1, line separators, and the marks that
/// reorder the text around them (Unicode UAX 9), which can make a message say what it does not say.
package func acts(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F...0x9F, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
}

/// A word as a shell takes it for that one word; `quoted`: in quotes also where it could do without.
package func shellWord(_ word: String, quoted: Bool = false) -> String {
    let isPlain =
        !word.isEmpty
        && word.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "-_=./:@%+,".utf8.contains(byte)
        }
    if isPlain && !quoted { return word }
    // Not by characters: one with an accent after it is a quote to the shell all the same.
    let parts = word.utf8.split(separator: UInt8(ascii: "'"), omittingEmptySubsequences: false)
    return "'" + parts.map { String(Substring($0)) }.joined(separator: "'\\''") + "'"
}
