import SpecFile

extension Section {
    /// `[seccomp]`; nil where the section is absent or empty.
    mutating func seccomp() -> Located<SeccompPolicy>? {
        guard var section = section("seccomp") else { return nil }
        var result = SeccompPolicy()
        result.profile = section.value("profile", Form.profile)
        result.defaultAction = section.value("default", Form.action)
        result.allow = section.list("allow", Form.callOrGroup)?.value ?? []
        result.deny = section.list("deny", Form.callOrGroup)?.value ?? []
        result.log = section.list("log", Form.callOrGroup)?.value ?? []
        result.kill = section.list("kill", Form.callOrGroup)?.value ?? []
        if let abis = section.distinct("architectures", Form.word(SeccompPolicy.ABI.self)) {
            result.abis = Located(abis.value.map(\.value), at: abis.position)
        }
        if let programs = section.distinct("bpf", Form.programDescriptor), !programs.value.isEmpty {
            result.programs = Located(programs.value.map(\.value), at: programs.position)
        }
        for var entry in section.sections("rule") {
            entry.rule(into: &result)
            entry.finish()
        }
        section.finish()
        section.reportContradictions(result)
        return result == SeccompPolicy() ? nil : Located(result, at: section.position)
    }

    private func reportContradictions(_ policy: SeccompPolicy) {
        let lists = [("allow", policy.allow), ("deny", policy.deny), ("log", policy.log), ("kill", policy.kill)]
        // A launch has no time to look for what cannot be.
        var written = 0
        for (_, calls) in lists where !calls.isEmpty { written += 1 }
        guard written > 1 else { return }
        var seen: [String: (list: String, position: Position?)] = [:]
        for (list, calls) in lists {
            for call in calls {
                if let first = seen[call.value], first.list != list {
                    report(
                        "seccomp.\(list): \(quoted(call.value)) is also in seccomp.\(first.list)\(also(at: first.position))",
                        at: call.position)
                }
                seen[call.value] = (list, call.position)
            }
        }
    }

    private mutating func rule(into policy: inout SeccompPolicy) {
        let call = required("call", Form.call)
        let action = required("action", Form.action)
        var arguments: [SeccompPolicy.Argument] = []
        var values: [Located<String>] = []
        var isWhole = true
        for var entry in sections("args") {
            let (argument, value) = entry.argument()
            if let argument {
                arguments.append(argument)
            } else {
                isWhole = false
                if let value { values.append(value) }
            }
            entry.finish()
        }
        guard let call, let action, isWhole else {
            policy.brokenRules.append(.init(call: call, arguments: arguments, values: values))
            return
        }
        policy.rules.append(SeccompPolicy.Rule(call: call, action: action.value, arguments: arguments))
    }

    /// nil where a part of it cannot be read, and its value where that can.
    private mutating func argument() -> (SeccompPolicy.Argument?, value: Located<String>?) {
        let index = required("index", Form.integer(0...5))
        let op = required("op", Form.word(SeccompPolicy.Argument.Operator.self))
        let value = required("value", Form.argumentValue)
        guard let index, let op, let value else { return (nil, value) }
        return (SeccompPolicy.Argument(index: index.value, op: op.value, value: value), value)
    }
}

extension Form {
    fileprivate static func profile(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> SeccompPolicy.Profile {
        let written = try nonEmpty(node, decoding)
        switch written {
        case "default": return .default
        case "strict": return .strict
        case "none": return .none
        default: break
        }
        if looksLikePath(written) || written.hasSuffix(".json") { return .file(try hostPath(node, decoding)) }
        let unknown = unknown(written, of: ["default", "strict", "none"], node)
        throw fault(unknown.message, node, hint: "\(unknown.hint ?? ""), or the path of an OCI seccomp file")
    }

    fileprivate static func action(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> SeccompPolicy.Action {
        let word = try text(node, decoding)
        switch word {
        case "allow": return .allow
        case "kill": return .kill
        case "log": return .log
        case "trap": return .trap
        default: break
        }
        if let number = ErrorNumber.named(word) { return .errno(number) }
        let known = ["allow", "kill", "log", "trap"] + ErrorNumber.names
        throw fault(
            "unknown action \(quoted(word))", node,
            hint: nearest(word, known).map { "did you mean \(quoted($0))?" }
                ?? "\"allow\", \"kill\", \"log\", \"trap\", or the name of an errno")
    }

    /// A descriptor that is read to its end, so that the command has no use for it.
    fileprivate static func programDescriptor(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> Int32 {
        let number = try integer(0...Int32.max)(node, decoding)
        if number <= 2 { throw fault("\(number) is the command's own", node, hint: "open the filter on 3 or above") }
        return number
    }

    /// The form only: which names there are, the table of calls knows.
    static func call(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> String {
        if case .string(let name) = node.value, isCallName(name) { return name }
        throw fault("\(quoted(try text(node, decoding))) is not the name of a system call", node)
    }

    fileprivate static func callOrGroup(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> String {
        if case .string(let name) = node.value, isCallName(name, orGroup: true) { return name }
        throw fault("\(quoted(try text(node, decoding))) is not the name of a system call or a @group", node)
    }

    /// In one pass: lists of hundreds of names are read on each launch.
    static func isCallName(_ name: String, orGroup: Bool = false) -> Bool {
        var (place, mark) = (0, 0)
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                break
            case UInt8(ascii: "@") where orGroup && place == 0: mark = 1
            default: return false
            }
            place += 1
        }
        return 1...64 ~= place - mark
    }

    /// A number, a name that the kernel's headers give to one, or several of them joined by `|`.
    fileprivate static func argumentValue(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> String {
        if case .integer(let value) = node.value {
            guard value >= 0 else { throw fault("\(value) is negative", node, hint: "write it in hexadecimal") }
            return String(value)
        }
        let name = try nonEmpty(node, decoding)
        let plain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"),
                UInt8(ascii: "|"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "x"):
                true
            default: false
            }
        }
        guard plain, name.utf8.count <= 256 else { throw fault("\(quoted(name)) is not a number or a constant", node) }
        return name
    }
}
