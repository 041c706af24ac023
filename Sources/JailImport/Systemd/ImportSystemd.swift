import JailSpec
import SpecFile

/// A service unit of systemd's as a spec, for a unit that starts the command through immure.
///
/// systemd.exec(5) has the meaning of what confines; the rest stays in the unit.
package struct SystemdImport {
    var draft = Draft()
    var specifiers = Specifiers()
    private(set) var lines: [UnitFile.Line] = []
    /// Variables that systemd sets for the service and that it has to be given.
    var kept: [String] = []
    /// What is said of the paths of the tree, and of the root the line that leaves it writable.
    var places = SystemdPlaces()
    var rootOrigin: Directive?
    /// Whether `PrivateDevices=` holds.
    var hasPrivateDevices = false
    /// Whether sockets of AF_INET or AF_INET6 can be made.
    var allowsInternet = true

    /// The unit first, then its drop-ins in the order of systemd.
    package static func draft(of sources: [ImportSource], _ words: [String], _ context: ImportContext) -> Draft {
        var unit = UnitFile()
        var imported = SystemdImport()
        var all = sources
        for source in sources {
            for name in context.list(source.name + ".d").sorted() where name.hasSuffix(".conf") {
                let path = source.name + ".d/" + name
                if sources.contains(where: { $0.name == path }) { continue }
                if let text = context.read(path) {
                    all.append(ImportSource(name: path, text: text))
                } else {
                    imported.draft.fail("cannot read \(quoted(path)), which changes \(source.name)", at: nil)
                }
            }
        }
        for source in all { unit.read(source, &imported.draft) }
        imported.lines = unit.lines
        if !imported.draft.isOver { imported.make(words, context) }
        return imported.draft
    }

    private mutating func make(_ words: [String], _ context: ImportContext) {
        sort()
        writeCommand(words)
        writeTree()
        writeIdentity()
        writeCapabilities()
        writePlaces()
        writeFilter()
        writeProcess()
        writeEnvironment(context)
        writeLimits()
        writeService()
        let unread = lines.filter { $0.section == "Service" }
        for line in unread { draft.fail("\(line.key) is not understood here", line.directive) }
        for (name, specifier) in specifiers.variables {
            draft.warn(
                "the spec has ${\(name)}: immure unit SPEC --env \(name)=\(specifier)",
                standard("\(specifier) in paths"))
        }
        draft.finish()
    }

    func standard(_ words: String) -> Directive { Draft.standard("systemd", words) }

    /// What is not about the jail, what has no line, and what no systemd knows.
    private mutating func sort() {
        var rest: [UnitFile.Line] = []
        for line in lines {
            if line.section == "Service", line.key == "Type" {
                rest.append(line)
            } else if line.section != "Service" || line.key.hasPrefix("X-") || UnitNames.ofService.contains(line.key) {
                draft.isOutside("", line.directive)
            } else if UnitNames.inherited.contains(line.key) {
                draft.isOutside("stays in the unit, and the jail inherits it", line.directive)
            } else if let reason = UnitNames.lost[line.key] {
                if line.value.isEmpty {
                    draft.isInForce(.nothing, line.directive)
                } else {
                    draft.lose("no line for \(reason)", restricts: true, line.directive)
                }
            } else if let reason = UnitNames.leftOut[line.key] {
                draft.lose(reason.isEmpty ? "no line for it" : "no line for \(reason)", line.directive)
            } else if UnitNames.read.contains(line.key) {
                rest.append(line)
            } else {
                draft.fail(
                    "unknown directive \(line.key)", line.directive,
                    hint: nearest(line.key, UnitNames.all).map { "did you mean \($0)?" })
            }
        }
        lines = rest
    }

    /// All lines of a key, the last assignment of an empty value resetting what was before; they are read by that.
    mutating func list(_ key: String) -> [UnitFile.Line] {
        var result: [UnitFile.Line] = []
        for line in lines where line.key == key {
            if line.value.isEmpty {
                for earlier in result {
                    draft.warn("has no effect: \(line.directive.reference) resets it", earlier.directive)
                }
                result = []
                draft.isInForce(.nothing, line.directive)
            } else {
                result.append(line)
            }
        }
        lines.removeAll { $0.key == key }
        return result
    }

    /// Whether a line of the key that is not read yet has that value.
    func assigns(_ key: String, _ value: String) -> Bool { lines.contains { $0.key == key && $0.value == value } }

    /// The single values that an empty one resets. Booleans, words and numbers otherwise are not: systemd fails to read
    /// the empty one, and goes on with what was before.
    private static let resettable: Set<String> = [
        "RootDirectory", "User", "Group", "WorkingDirectory", "Nice", "OOMScoreAdjust", "SystemCallErrorNumber",
        "RestrictNamespaces", "AppArmorProfile", "NetworkNamespacePath", "IPCNamespacePath", "CPUQuota", "CPUWeight",
        "IOWeight", "CPUShares", "BlockIOWeight", "TasksMax", "MemoryMax", "MemoryHigh", "MemorySwapMax",
    ]

    /// The last line of a key that holds; nil where there is none, or it was reset.
    mutating func last(_ key: String) -> UnitFile.Line? {
        if !Self.resettable.contains(key) {
            for line in lines where line.key == key && line.value.isEmpty {
                draft.warn("has no effect: systemd passes over an empty value here", line.directive)
            }
            lines.removeAll { $0.key == key && $0.value.isEmpty }
        }
        let all = list(key)
        for earlier in all.dropLast() {
            draft.warn("has no effect: \(all[all.count - 1].directive.reference) comes later", earlier.directive)
        }
        return all.last
    }

    /// A boolean of systemd's, false where it is absent; other words by `others`.
    mutating func truth(_ line: UnitFile.Line?, others: [String] = []) -> Bool {
        guard let line else { return false }
        switch line.value.lowercased() {
        case "1", "yes", "y", "true", "t", "on": return true
        case "0", "no", "n", "false", "f", "off": return false
        case let word where others.contains(word): return true
        default:
            draft.fail("\(quoted(line.value)) is not a boolean", line.directive)
            return false
        }
    }

    /// A boolean whose yes is in force anyway, as the claim says.
    mutating func isOn(_ key: String, _ claim: Claim, _ reason: String = "", others: [String] = []) -> Bool {
        let line = last(key)
        let isOn = truth(line, others: others)
        if let line { draft.isInForce(isOn ? claim : .nothing, isOn ? reason : "closer than that", line.directive) }
        return isOn
    }

    /// A path of the unit, cleaned, with its specifiers as variables; whether it may be missing.
    mutating func path(_ written: String, _ directive: Directive) -> (path: String, isOptional: Bool)? {
        var text = written[...]
        var isOptional = false
        while let first = text.first, first == "-" || first == "+" {
            if first == "-" { isOptional = true }
            text = text.dropFirst()
        }
        let path = specifiers.resolve(String(text))
        guard path.hasPrefix("/") || path.hasPrefix("${") else {
            draft.fail("\(quoted(written)) is not an absolute path", directive)
            return nil
        }
        return (path.hasPrefix("/") ? cleaned(path) : path, isOptional)
    }

    /// The words of all lines of a list.
    mutating func words(_ key: String) -> [(word: String, directive: Directive)] {
        list(key).flatMap { line -> [(String, Directive)] in
            guard let words = unitWords(line.value) else {
                draft.fail("a quote that is not closed", line.directive)
                return []
            }
            return words.map { ($0, line.directive) }
        }
    }

    private mutating func writeCommand(_ words: [String]) {
        var starts = list("ExecStart")
        if !words.isEmpty {
            for line in starts { draft.isOutside("the command was given after --", line.directive) }
            draft.set("command", .strings(words), standard("the command after --"))
            return
        }
        guard !starts.isEmpty else { return }
        if starts.count > 1 {
            for line in starts.dropFirst() {
                draft.warn("stays in the unit, one ExecStart=immure run SPEC -- … for each", line.directive)
            }
            starts = [starts[0]]
        }
        command(starts[0])
    }

    private mutating func command(_ line: UnitFile.Line) {
        guard var words = unitWords(line.value), let first = words.first else {
            return draft.fail("not a command", line.directive)
        }
        let marks = first.prefix { "-@:+!|".contains($0) }
        words[0] = String(first.dropFirst(marks.count))
        if marks.contains("+") {
            draft.warn("`+`: in systemd nothing of the unit holds for it; here all does", line.directive)
        }
        if marks.contains("!") {
            draft.warn("`\(marks)`: here it gets User= and the capabilities of the spec", line.directive)
        }
        if marks.contains("-") { draft.isOutside("`-`: a failure that is none stays in the unit", line.directive) }
        let usesVariables = !marks.contains(":") && line.value.contains("$")
        guard !usesVariables, !Specifiers.isUsed(in: line.value) else {
            return draft.warn(
                "its $VARIABLES and specifiers are systemd's to expand: "
                    + "ExecStart=\(marks)immure run SPEC -- \(shown([String(line.value.dropFirst(marks.count))]))",
                line.directive)
        }
        if marks.contains("@"), words.count > 1 {
            let name = words.remove(at: 1)
            if Available.takes("process.argv0", .string("x")) {
                draft.set("process.argv0", .string(name), line.directive)
            } else {
                draft.lose("an argv[0] other than the program", line.directive)
            }
        }
        draft.set(
            "command",
            .strings(words.map { $0.split(separator: "%%", omittingEmptySubsequences: false).joined(separator: "%") }),
            line.directive)
    }
}
