import JailSpec
import SpecFile

/// A path of the host from the current directory of whoever starts the jail, as a spec writes it wherever it stands itself.
func hostPath(_ path: String) -> String {
    let written = literal(path)
    return path.utf8.first == UInt8(ascii: "/") ? cleaned(written) : cleaned("/" + "${PWD}/" + written).dropSlash
}

extension String {
    /// Without the slash at the beginning.
    fileprivate var dropSlash: String { String(dropFirst()) }

    /// Without the spaces, tabs and line breaks at both ends.
    var trimmed: String {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        guard let first = utf8.firstIndex(where: { !isSpace($0) }), let last = utf8.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(self[first...last])
    }

    /// The words between spaces and tabs.
    var spaced: [String] { split { $0 == " " || $0 == "\t" }.map(String.init) }

    /// The parts before and after the first such character; the second nil where there is none.
    func cut(_ mark: Character) -> (String, String?) {
        guard let index = firstIndex(of: mark) else { return (self, nil) }
        return (String(self[..<index]), String(self[self.index(after: index)...]))
    }

    /// What follows a prefix; nil where it does not begin so.
    func after(_ prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}

/// A word of a comment as a shell would want it, long ones cut.
func shown(_ words: [String]) -> String {
    // In every launch of bubblewrap's words: `joined` took 190,000 instructions, most of them to ask which types conform to what.
    var text = ""
    for (index, word) in words.enumerated() {
        if index > 0 { text += " " }
        text += word.isEmpty ? "''" : word
    }
    // Not more characters than bytes, and those need not be counted.
    return text.utf8.count > 120 && text.count > 120 ? String(text.prefix(119)) + "…" : text
}
