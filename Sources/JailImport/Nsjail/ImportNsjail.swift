import JailSpec
import SpecFile

/// A configuration of nsjail's, config.proto, as a spec.
package struct NsjailImport {
    var draft = Draft()
    let context: ImportContext
    private(set) var fields: [TextProto.Field] = []
    var mounts = MountList()
    var policy: [(text: String, directive: Directive)] = []
    /// Where the program is executed from, where that is an open descriptor.
    var descriptorProgram: Directive?

    package static func draft(of sources: [ImportSource], _ words: [String], _ context: ImportContext) -> Draft {
        var imported = NsjailImport(context: context)
        for source in sources {
            do throws(Diagnostic) {
                imported.fields += try TextProto.read(source)
            } catch {
                imported.draft.fail(error)
            }
        }
        imported.make(words)
        return imported.draft
    }

    private init(context: ImportContext) { self.context = context }

    private mutating func make(_ words: [String]) {
        check(fields, NsjailFields.top)
        for field in fields {
            switch field.name {
            case "uidmap", "gidmap": check(field.message, NsjailFields.ids)
            case "mount": check(field.message, NsjailFields.mount)
            case "exec_bin": check(field.message, NsjailFields.program)
            default: break
            }
        }
        guard draft.faults.isEmpty else { return }
        writeTree()
        writeCommand(words)
        writeIdentity()
        writeNamespaces()
        writeLimits()
        writeRest()
        writePolicy()
        draft.finish()
    }

    func standard(_ words: String) -> Directive { Draft.standard("nsjail", words) }

    /// What nsjail itself would refuse: names that its schema has not, and values of another type.
    private mutating func check(_ fields: [TextProto.Field], _ known: [String: NsjailFields.Kind]) {
        for field in fields where !draft.isOver {
            draft.take(field.directive)
            guard let kind = known[field.name] else {
                draft.fail(
                    "nsjail has no field \(field.name)", field.directive,
                    hint: nearest(field.name, known.keys.sorted()).map { "did you mean \($0)?" })
                continue
            }
            let fits =
                switch (kind, field.value) {
                case (.text, .string), (.message, .message): true
                case (.number, .word(let word)): parsed(word).map { $0 >= 0 } ?? false
                case (.signed, .word(let word)): parsed(word) != nil
                case (.truth, .word(let word)): ["true", "false", "True", "False", "t", "f", "0", "1"].contains(word)
                case (.word, .word): true
                default: false
                }
            if !fits { draft.fail("\(field.name): a value of another type than nsjail's schema has", field.directive) }
        }
    }

    private func parsed(_ word: String) -> Int64? {
        if let digits = word.lowercased().after("0x") { return Int64(digits, radix: 16) }
        return Int64(word)
    }

    /// The last value of a field; earlier ones have no effect.
    mutating func last(_ name: String) -> TextProto.Field? {
        let all = fields.filter { $0.name == name }
        for field in all.dropLast() { draft.warn("has no effect: it is given again", field.directive) }
        return all.last
    }

    func all(_ name: String) -> [TextProto.Field] { fields.filter { $0.name == name } }

    /// A boolean, and where it stands.
    mutating func truth(_ name: String, _ standard: Bool = false) -> (value: Bool, directive: Directive?) {
        guard let field = last(name) else { return (standard, nil) }
        draft.isPart(field.directive)
        return (field.isTrue, field.directive)
    }

    mutating func number(_ name: String) -> (value: Int64, directive: Directive)? {
        guard let field = last(name), case .word(let word) = field.value, let value = parsed(word) else { return nil }
        draft.isPart(field.directive)
        return (value, field.directive)
    }

    private mutating func writeCommand(_ words: [String]) {
        let program = last("exec_bin")
        if !words.isEmpty {
            draft.set("command", .strings(words), standard("the command after --"))
            if let program {
                draft.isOutside("the command was given after --", program.directive)
                for field in program.message { draft.isPart(field.directive) }
            }
            return
        }
        guard let program else { return }
        let path = program.text("path") ?? ""
        let arguments = program.message.filter { $0.name == "arg" }.compactMap(\.string)
        if path.isEmpty {
            draft.warn("no path: give the command after --", program.directive)
        } else {
            draft.set("command", .strings([path] + arguments), program.directive)
        }
        for field in program.message {
            draft.isPart(field.directive)
            switch field.name {
            case "arg0":
                if Available.takes("process.argv0", .string("x")), let name = field.string {
                    draft.set("process.argv0", .string(name), field.directive)
                } else {
                    draft.lose("an argv[0] other than the program", field.directive)
                }
            case "exec_fd" where field.isTrue:
                descriptorProgram = field.directive
                let isShown =
                    mounts.entries.contains { isWithin(path, $0.target) }
                    || draft.value("filesystem.root")?.value == .string("host")
                if isShown || path.isEmpty {
                    draft.isInForce(.nothing, "the program is in the jail", field.directive)
                } else {
                    draft.append("filesystem.ro", hostPath(path), field.directive)
                    draft.warn(
                        "the program is to be seen in the jail, which nsjail executes by descriptor", field.directive)
                }
            default: break
            }
        }
    }
}

extension TextProto.Field {
    var message: [TextProto.Field] { if case .message(let fields) = value { fields } else { [] } }
    var string: String? { if case .string(let text) = value { text } else { nil } }
    var word: String? { if case .word(let text) = value { text } else { nil } }
    var isTrue: Bool { word.map { ["true", "True", "t", "1"].contains($0) } ?? false }

    /// A field within.
    func text(_ name: String) -> String? { message.last { $0.name == name }?.string }
    func number(_ name: String) -> Int64? { message.last { $0.name == name }?.word.flatMap { Int64($0) } }
    func isTrue(_ name: String, _ standard: Bool = false) -> Bool {
        message.last { $0.name == name }?.isTrue ?? standard
    }
}
