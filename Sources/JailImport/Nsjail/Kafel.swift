import SpecFile

/// kafel's language of policies: what becomes of which call, under which conditions.
struct Kafel {
    struct Rule {
        let call: String
        let action: String
        /// Of each alternative all must hold; none at all: always.
        let alternatives: [[ArgumentCondition]]
    }

    private(set) var rules: [Rule] = []
    private(set) var standard: String?
    /// The word of a line break at the end of a directive.
    private static let end = "\n"
    private var tokens: [String] = []
    private var place = 0
    private var constants: [String: String] = [:]
    private var policies: [String: [Rule]] = [:]
    private let read: (String) -> [UInt8]?
    private var depth = 0
    /// How many rules have come by USE.
    private var used = 0
    private static let limit = 100_000

    struct Fault: Error { let message: String }

    init(_ text: String, reading read: @escaping (String) -> [UInt8]?) throws(Fault) {
        self.read = read
        tokens = try Self.split(text)
        try statements()
    }

    private static func split(_ text: String) throws(Fault) -> [String] {
        var result: [String] = []
        var rest = text[...]
        var inDirective = false
        while let character = rest.first {
            if character.isNewline {
                if inDirective { result.append(end) }
                inDirective = false
                rest = rest.dropFirst()
            } else if character.isWhitespace {
                rest = rest.dropFirst()
            } else if rest.hasPrefix("//") {
                rest = rest.drop { !$0.isNewline }
            } else if rest.hasPrefix("/*") {
                guard let close = rest.firstRange(of: "*/") else { throw Fault(message: "a comment without an end") }
                rest = rest[close.upperBound...]
            } else if character == "\"" {
                let text = rest.dropFirst().prefix { $0 != "\"" }
                result.append("\"" + text)
                rest = rest.dropFirst(text.count + 2)
            } else if isName(character) || (character == "-" && rest.dropFirst().first?.isNumber == true) {
                let word = rest.prefix(1) + rest.dropFirst().prefix(while: isName)
                result.append(String(word))
                rest = rest.dropFirst(word.count)
            } else if let two = ["==", "!=", "<=", ">=", "&&", "||"].first(where: { rest.hasPrefix($0) }) {
                result.append(two)
                rest = rest.dropFirst(2)
            } else {
                if character == "#" { inDirective = true }
                result.append(String(character))
                rest = rest.dropFirst()
            }
        }
        return result
    }

    private static func isName(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_"
    }

    private var next: String? { place < tokens.count ? tokens[place] : nil }

    private mutating func take() throws(Fault) -> String {
        guard let token = next else { throw Fault(message: "the end of the policy where more must stand") }
        place += 1
        return token
    }

    private mutating func expect(_ token: String) throws(Fault) {
        let found = try take()
        guard found == token else { throw Fault(message: "\(found) where \(token) must stand") }
    }

    private mutating func statements() throws(Fault) {
        while let token = next {
            switch token {
            case "#": try directive()
            case "POLICY":
                place += 1
                let name = try take()
                policies[name] = try block()
            case "DEFAULT":
                place += 1
                guard standard == nil else { throw Fault(message: "DEFAULT stands twice") }
                standard = try action()
            case ",", ";", Self.end: place += 1
            default: rules += try definition()
            }
        }
    }

    private mutating func directive() throws(Fault) {
        place += 1
        switch try take() {
        case "define":
            let name = try take()
            constants[name] = try take()
            while let token = next, token != Self.end { _ = token; place += 1 }
        case "include":
            while let token = next, token.hasPrefix("\"") {
                place += 1
                try include(String(token.dropFirst()))
            }
        case let word: throw Fault(message: "unknown directive #\(word)")
        }
    }

    private mutating func include(_ path: String) throws(Fault) {
        guard depth < 8, let bytes = read(path) else { throw Fault(message: "cannot read the included \(path)") }
        let inner = try Self.split(String(decoding: bytes, as: UTF8.self))
        depth += 1
        tokens.insert(contentsOf: inner + [Self.end], at: place)
    }

    /// What stands between braces after POLICY.
    private mutating func block() throws(Fault) -> [Rule] {
        try expect("{")
        var result: [Rule] = []
        while next != "}" {
            if next == "," || next == Self.end { place += 1 } else { result += try definition() }
        }
        place += 1
        return result
    }

    /// `USE name`, or an action with its calls.
    private mutating func definition() throws(Fault) -> [Rule] {
        if next == "USE" {
            place += 1
            let name = try take()
            guard let rules = policies[name] else { throw Fault(message: "no policy \(name)") }
            // Policies that use others twice are soon more than any memory holds.
            used += rules.count
            guard used <= Self.limit else { throw Fault(message: "more than \(Self.limit) rules") }
            return rules
        }
        let action = try action()
        try expect("{")
        var result: [Rule] = []
        while next != "}" {
            if next == "," || next == Self.end {
                place += 1
            } else {
                result.append(try rule(action))
            }
        }
        place += 1
        return result
    }

    private mutating func action() throws(Fault) -> String {
        let word = try take()
        switch word {
        case "ALLOW", "LOG", "KILL", "KILL_THREAD", "KILL_PROCESS", "DENY", "USER_NOTIF": return word
        case "ERRNO", "TRAP", "TRACE":
            try expect("(")
            let number = try number(try take())
            try expect(")")
            return "\(word)(\(number))"
        default: throw Fault(message: "\(word) is no action of kafel's")
        }
    }

    private func number(_ word: String) throws(Fault) -> UInt64 {
        let text = constants[word] ?? word
        if let digits = text.after("0x") { if let value = UInt64(digits, radix: 16) { return value } }
        if let digits = text.after("0b") { if let value = UInt64(digits, radix: 2) { return value } }
        if text.hasPrefix("0"), text.count > 1, let value = UInt64(text, radix: 8) { return value }
        if let value = Int64(text) { return UInt64(bitPattern: value) }
        throw Fault(message: "\(word) is not a number")
    }

    private mutating func rule(_ action: String) throws(Fault) -> Rule {
        var call = try take()
        if call == "SYSCALL" { throw Fault(message: "SYSCALL[…]: a call without a name") }
        if constants[call] != nil { throw Fault(message: "\(call): a call without a name") }
        call = KafelNames.calls[call] ?? call
        var arguments = KafelNames.arguments[call] ?? []
        if next == "(" {
            place += 1
            arguments = []
            while next != ")" {
                let token = try take()
                if token != "," { arguments.append(token) }
            }
            place += 1
        }
        if next == "ON" { throw Fault(message: "ON: architectures of single calls") }
        guard next == "{" else { return Rule(call: call, action: action, alternatives: []) }
        place += 1
        var parser = KafelExpressions(tokens: tokens, place: place, arguments: arguments, constants: constants)
        let alternatives = try parser.expression(until: "}")
        place = parser.place
        return Rule(call: call, action: action, alternatives: alternatives)
    }
}
