import JailSpec

/// The form of what OnCalendar= and ListenStream= take: enough to tell a word that means nothing, not all that systemd looks at.
enum UnitForm {
    /// Whether it may be a calendar event of systemd.time(7): a shorthand, or weekdays, a date and a time, at least one of them and in
    /// this order; and a time zone after them, of which only the form is looked at.
    static func isCalendar(_ text: String) -> Bool {
        var words = text.split(separator: " ")[...]
        guard let first = words.first else { return false }
        if shorthands.contains(first.lowercased()) {
            words.removeFirst()
        } else if first.utf8.first == UInt8(ascii: "@") {
            return words.count == 1 && number(first.dropFirst(), 0...Int.max)
        } else {
            let count = words.count
            if let word = words.first, isWeekdays(word) { words.removeFirst() }
            // Newer ones take a T between date and time as well.
            if let word = words.first, isDate(word) || isStamp(word) { words.removeFirst() }
            if let word = words.first, isTime(word) { words.removeFirst() }
            guard words.count < count else { return false }
        }
        return words.isEmpty || words.count == 1 && words.allSatisfy(isZone)
    }

    /// Whether it may be an address of systemd.socket(5): a path, a name in the abstract namespace, a port, an address with a port, or
    /// one of vsock(7). One with a specifier is systemd's to read.
    static func isSocket(_ text: String) -> Bool {
        switch text.utf8.first {
        case UInt8(ascii: "/"), UInt8(ascii: "@"): return text.utf8.count > 1
        default: break
        }
        if text.contains("%") { return true }
        guard let colon = text.lastIndex(of: ":") else { return number(text[...], 1...65535) }
        let port = text[text.index(after: colon)...]
        let head = text[..<colon]
        if head.hasPrefix("vsock"), let kind = head.firstIndex(of: ":") {
            let id = head[head.index(after: kind)...]
            let isKind = ["vsock", "vsock-stream"].contains(head[..<kind])
            return isKind && (id.isEmpty || number(id, 0...Int(UInt32.max))) && number(port, 0...Int(UInt32.max))
        }
        guard number(port, 1...65535) else { return false }
        guard head.hasPrefix("[") else { return IPAddress(head).map { !$0.isIPv6 } ?? false }
        return head.hasSuffix("]") && (IPAddress(head.dropFirst().dropLast()).map(\.isIPv6) ?? false)
    }

    private static let shorthands: Set<String> = [
        "minutely", "hourly", "daily", "weekly", "monthly", "quarterly", "semiannually", "semi-annually", "biannually",
        "bi-annually", "yearly", "annually", "anually",
    ]

    private static let weekdays: Set<String> = [
        "mon", "tue", "wed", "thu", "fri", "sat", "sun", "monday", "tuesday", "wednesday", "thursday", "friday",
        "saturday",
        "sunday",
    ]

    /// `Mon..Fri,Sun`
    private static func isWeekdays(_ word: Substring) -> Bool {
        // A comma may end it.
        let days = word.split(separator: ",")
        return !days.isEmpty
            && days.allSatisfy { part in
                let ends = part.contains("..") ? ranged(part) : parts(part, "-")
                return ends.count <= 2 && ends.allSatisfy { weekdays.contains($0.lowercased()) }
            }
    }

    /// `2026-*-01,15`, `*-02~03`
    private static func isDate(_ word: Substring) -> Bool {
        var fields = parts(word, "-")
        if let tilde = fields.last?.firstIndex(of: "~"), let last = fields.popLast() {
            fields += [last[..<tilde], last[last.index(after: tilde)...]]
        }
        guard (2...3).contains(fields.count), let day = fields.popLast(), let month = fields.popLast() else {
            return false
        }
        return isField(day, 1...31) && isField(month, 1...12) && fields.allSatisfy { isField($0, 0...9999) }
    }

    /// `9..17:00/30`, `*:*:00.5`
    private static func isTime(_ word: Substring) -> Bool {
        let fields = parts(word, ":")
        guard (2...3).contains(fields.count), isField(fields[0], 0...23), isField(fields[1], 0...59) else {
            return false
        }
        return fields.count == 2 || isField(fields[2], 0...59, fractions: true)
    }

    private static func isStamp(_ word: Substring) -> Bool {
        let halves = parts(word, "T")
        return halves.count == 2 && isDate(halves[0]) && isTime(halves[1])
    }

    /// A list of values, ranges and repetitions.
    private static func isField(_ field: Substring, _ range: ClosedRange<Int>, fractions: Bool = false) -> Bool {
        func isValue(_ text: Substring, _ range: ClosedRange<Int>) -> Bool {
            let halves = fractions && !text.contains("..") ? parts(text, ".") : [text]
            return halves.count <= 2 && number(halves[0], range)
                && halves.dropFirst().allSatisfy { number($0, 0...Int.max) }
        }
        return parts(field, ",").allSatisfy { part in
            let steps = parts(part, "/")
            guard steps.count <= 2, steps.dropFirst().allSatisfy({ isValue($0, 1...Int.max) }) else { return false }
            let ends = ranged(steps[0])
            return steps[0] == "*" || ends.count <= 2 && ends.allSatisfy { isValue($0, range) }
        }
    }

    private static func isZone(_ word: Substring) -> Bool {
        guard let first = word.utf8.first, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) || word == "utc"
        else {
            return false
        }
        return !isWeekdays(word)
            && word.unicodeScalars.allSatisfy {
                $0.properties.isAlphabetic || "0123456789/_+-".unicodeScalars.contains($0)
            }
    }

    private static func parts(_ text: Substring, _ separator: Character) -> [Substring] {
        text.split(separator: separator, omittingEmptySubsequences: false)
    }

    /// The two ends around `..`, or the text itself.
    private static func ranged(_ text: Substring) -> [Substring] {
        for index in text.indices.dropLast() where text[index] == "." {
            let next = text.index(after: index)
            if text[next] == "." { return [text[..<index], text[text.index(after: next)...]] }
        }
        return [text]
    }

    private static func number(_ text: Substring, _ range: ClosedRange<Int>) -> Bool {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let value = Int(text)
        else {
            return false
        }
        return range.contains(value)
    }
}
