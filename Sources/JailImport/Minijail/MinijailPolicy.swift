import JailSpec
import SpecFile
import SystemCallFilter

/// minijail0(5)'s policies of system calls: a line for each call, everything else ends the process.
struct MinijailPolicy {
    private let context: ImportContext

    init(_ context: ImportContext) { self.context = context }

    /// Numbers of names that policies have.
    private static let numbers = [
        "GRND_RANDOM": "2", "TCGETS2": "0x802c542a", "MADV_GUARD_INSTALL": "102", "BLKGETSIZE64": "0x80081272",
        "SOL_SOCKET": "1", "FDGETFDCSTAT": "0x80280215", "LOOP_CTL_GET_FREE": "0x4c82", "LOOP_SET_FD": "0x4c00",
        "LOOP_CLR_FD": "0x4c01", "LOOP_SET_STATUS64": "0x4c04", "SO_PASSCRED": "16", "SO_ATTACH_FILTER": "26",
    ]

    /// The lines of a policy with those that it includes in their places; what they mean may depend on one that comes later.
    private struct Lines {
        var calls: [(text: String, directive: Directive)] = []
        var standard: Directive?
        /// The calls that have an action whatever their arguments are.
        var decided: Set<String> = []
        /// Whether minijail's compiler is to read it, and not minijail0: what comes after a condition is for those that it holds for.
        var isCompiled = false
        /// Whether nothing more is read: files that include others without end are no policy.
        var isOver = false
    }

    func read(_ source: ImportSource, into draft: inout Draft) {
        draft.set("seccomp.profile", .string("none"), Draft.standard("minijail", "calls are as the policy says"))
        draft.set(
            "seccomp.default", .string("kill"), Draft.standard("minijail", "a call without a line ends the process"))
        var lines = Lines()
        collect(source, &lines, &draft, depth: 0)
        for (text, directive) in lines.calls where !draft.isOver { call(text, directive, &lines, &draft) }
        // A library that is preloaded installs the filter after the program was executed.
        if !draft.allows("execve") {
            let standard = Draft.standard("minijail", "the filter of a dynamic program comes after execve")
            draft.append("seccomp.allow", "execve", standard)
        }
    }

    private func collect(_ source: ImportSource, _ lines: inout Lines, _ draft: inout Draft, depth: Int) {
        var pending: (text: String, line: Int)?
        // A backslash in the last line goes on to nothing.
        for (index, raw) in (source.lines + [""]).enumerated() where !lines.isOver && !draft.isOver {
            let text = raw.cut("#").0.trimmed
            let (whole, number) = pending.map { ($0.text + " " + text, $0.line) } ?? (text, index + 1)
            pending = nil
            if whole.hasSuffix("\\") {
                pending = (String(whole.dropLast()).trimmed, number)
                continue
            }
            if whole.isEmpty { continue }
            let directive = Directive(shown([whole]), at: Position(file: source.name, line: number, column: 1))
            draft.take(directive)
            if whole.hasPrefix("@") {
                statement(whole.spaced, source, directive, &lines, &draft, depth)
            } else {
                if whole.hasPrefix("{") || whole.cut(":").0.contains("[") { lines.isCompiled = true }
                lines.calls.append((whole, directive))
            }
        }
    }

    private func statement(
        _ words: [String], _ source: ImportSource, _ directive: Directive, _ lines: inout Lines, _ draft: inout Draft,
        _ depth: Int
    ) {
        switch words[0] {
        case "@include":
            guard depth < 8 else {
                lines.isOver = true
                return draft.fail("includes within includes, too deep", directive)
            }
            guard words.count == 2, let text = find(words[1], source) else {
                return draft.fail("cannot read what is included", directive)
            }
            draft.isPart(directive)
            collect(ImportSource(name: words[1], text: text), &lines, &draft, depth: depth + 1)
        case "@frequency": draft.isOutside("only the order of the program", directive)
        case "@default", "@denylist":
            guard let action = words[0] == "@denylist" ? "allow" : action(words.dropFirst().joined(separator: " "))
            else { return draft.fail("not an action", directive) }
            if let earlier = lines.standard {
                draft.warn("has no effect: \(directive.reference) comes later", earlier)
            }
            lines.standard = directive
            lines.isCompiled = true
            draft.set("seccomp.default", .string(action), directive)
        default: draft.fail("unknown statement \(words[0])", directive)
        }
    }

    private func find(_ path: String, _ source: ImportSource) -> [UInt8]? {
        if let text = context.read(path) { return text }
        guard let slash = source.name.lastIndex(of: "/") else { return nil }
        return context.read(String(source.name[...slash]) + path)
    }

    private func call(_ line: String, _ directive: Directive, _ lines: inout Lines, _ draft: inout Draft) {
        let (head, tail) = line.cut(":")
        guard let tail else { return draft.fail("no `:` after the name of a call", directive) }
        for written in names(head.trimmed) {
            let (name, rest) = written.cut("[")
            if let rest {
                guard let holds = isForThis(rest) else {
                    return draft.fail("not `[arch=NAME,…]` after the name of a call", directive)
                }
                guard holds else {
                    draft.isOutside("for another architecture", directive)
                    continue
                }
            }
            guard draft.knows(name.trimmed, directive) else { continue }
            decide(name.trimmed, tail.trimmed, directive, &lines, &draft)
        }
    }

    /// The names of a list in braces, with what stands in brackets after each.
    private func names(_ head: String) -> [String] {
        guard head.hasPrefix("{"), head.hasSuffix("}") else { return [head] }
        var result = [""], isInBrackets = false
        for character in head.dropFirst().dropLast() {
            if character == "[" { isInBrackets = true }
            if character == "]" { isInBrackets = false }
            if character == ",", !isInBrackets {
                result.append("")
            } else {
                result[result.count - 1].append(character)
            }
        }
        return result.map(\.trimmed).filter { !$0.isEmpty }
    }

    /// Whether `arch=NAME,…]` names this machine's; nil where it says something else.
    private func isForThis(_ metadata: String) -> Bool? {
        guard let list = metadata.trimmed.after("arch"), list.trimmed.hasPrefix("="), list.trimmed.hasSuffix("]") else {
            return nil
        }
        let named = list.trimmed.dropFirst().dropLast().split(separator: ",").map { String($0).trimmed }
        return named.contains(Architecture.native == .x86_64 ? "x86_64" : "arm64")
    }

    private func decide(
        _ name: String, _ text: String, _ directive: Directive, _ lines: inout Lines, _ draft: inout Draft
    ) {
        let standard = draft.value("seccomp.default")?.text ?? "kill"
        if let action = action(text) {
            draft.isPart(directive)
            guard lines.decided.insert(name).inserted else {
                return draft.fail("\(name) has an action already", directive)
            }
            if action != standard { _ = draft.decide(name, action, [], otherwise: standard, directive) }
            return
        }
        let (condition, answer) = text.cut(";")
        var otherwise = "kill"
        if let answer {
            guard let action = action(answer.trimmed) else {
                return draft.fail("not an action: \(answer.trimmed)", directive)
            }
            otherwise = action
        }
        guard let alternatives = alternatives(condition, directive, &draft) else { return }
        if lines.isCompiled, answer != nil {
            draft.isPart(directive)
            if otherwise == standard || alternatives.isEmpty { return }
            if !draft.decide(name, otherwise, alternatives, otherwise: standard, directive) {
                draft.lose("a condition that a spec cannot say", restricts: otherwise != "allow", directive)
            }
            return
        }
        if alternatives.isEmpty {
            draft.isInForce(.nothing, "it never holds", directive)
            if otherwise != standard { _ = draft.decide(name, otherwise, [], otherwise: standard, directive) }
        } else if !draft.decide(name, "allow", alternatives, otherwise: otherwise, directive) {
            draft.lose("a condition that a spec cannot say", restricts: true, directive)
        } else if otherwise != standard {
            for alternative in ArgumentCondition.negated(alternatives)
            where !alternative.contains(where: { $0.op == "!&" }) {
                draft.rule(name, otherwise, alternative.map { ($0.index, $0.op, $0.value) }, directive)
            }
        }
    }

    /// Under each of which all must hold; nil, and a fault, where one is not understood.
    private func alternatives(
        _ condition: String, _ directive: Directive, _ draft: inout Draft
    ) -> [[ArgumentCondition]]? {
        var alternatives: [[ArgumentCondition]] = []
        for alternative in condition.split("||") {
            var all: [ArgumentCondition] = []
            for part in alternative.split("&&") {
                guard let one = self.condition(part.trimmed) else {
                    draft.fail("not a condition: \(part.trimmed)", directive)
                    return nil
                }
                all.append(one)
            }
            // No argument is two numbers at once: the alternative never holds.
            if !isImpossible(all) { alternatives.append(all) }
        }
        return alternatives
    }

    private func isImpossible(_ all: [ArgumentCondition]) -> Bool {
        all.contains { one in
            all.contains { other in
                one.index == other.index && one.op == "==" && (other.op == "!=" && other.value == one.value)
            }
        }
    }

    private func condition(_ text: String) -> ArgumentCondition? {
        let words = text.spaced
        guard words.count >= 3, let index = words[0].after("arg").flatMap({ Int($0) }), 0...5 ~= index else {
            return nil
        }
        guard let value = value(words.dropFirst(2).joined()) else { return nil }
        if words[1] == "in" {
            // Bits that are not in the mask must not be set.
            if let mask = words.dropFirst(2).joined().after("~"), let bits = self.value(mask) {
                return ArgumentCondition(index: index, op: "!&", value: bits)
            }
            guard let number = Self.number(value) else { return nil }
            return ArgumentCondition(index: index, op: "!&", value: "0x" + String(~number, radix: 16))
        }
        // A spec has no complement of a value.
        if words.dropFirst(2).joined().contains("~") { return nil }
        guard ["==", "!=", "<", "<=", ">", ">=", "&"].contains(words[1]) else { return nil }
        return ArgumentCondition(index: index, op: words[1], value: value)
    }

    /// Numbers and names joined by `|`, as a spec has them.
    private func value(_ text: String) -> String? {
        let parts = (text.after("~") ?? text).split(separator: "|").map(String.init)
        let words = parts.map { Self.numbers[$0] ?? $0 }
        let numbers = words.compactMap(Self.number)
        if numbers.count == words.count {
            let all = numbers.reduce(0, |)
            return all > UInt64(Int64.max) ? "0x" + String(all, radix: 16) : String(all)
        }
        return words.isEmpty ? nil : words.joined(separator: "|")
    }

    private static func number(_ word: String) -> UInt64? {
        if let digits = word.lowercased().after("0x") { return UInt64(digits, radix: 16) }
        if word.hasPrefix("0"), word.count > 1 { return UInt64(word, radix: 8) }
        return UInt64(word) ?? Int64(word).map { UInt64(bitPattern: $0) }
    }

    private func action(_ text: String) -> String? {
        switch text {
        case "1", "allow": return "allow"
        case "0", "kill", "kill-process", "kill-thread": return "kill"
        case "log": return "log"
        case "trap": return "trap"
        default: break
        }
        guard let answer = text.after("return")?.trimmed else { return nil }
        if let number = Int32(answer) { return ErrorNumber.name(of: number) }
        return answer.hasPrefix("E") ? answer : nil
    }
}

extension String {
    /// The parts between such words.
    func split(_ mark: String) -> [String] {
        var result: [String] = []
        var rest = self[...]
        while let range = rest.firstRange(of: mark) {
            result.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return result + [String(rest)]
    }
}
