import JailSpec
import SpecFile

extension OCIImport {
    mutating func process(_ node: Node) {
        var promises = false
        draft.set(
            "environment.defaults", .boolean(false), Draft.standard("oci", "nothing is set but what stands there"))
        for (key, value, directive) in entries(node, "process") {
            switch key {
            case "terminal":
                if value.isTrue {
                    draft.isInForce(.nothing, "a terminal of its own where there is one", directive)
                } else {
                    draft.set("process.tty", .string("none"), directive)
                }
            case "consoleSize": draft.isOutside("the size of the terminal", directive)
            case "user":
                draft.isPart(directive)
                user(value)
            case "args": draft.set("command", .strings(value.elements.compactMap(\.text)), directive)
            case "commandLine": draft.isOutside("for another system", directive)
            case "env":
                draft.isPart(directive)
                for element in value.elements {
                    let (name, text) = (element.text ?? "").cut("=")
                    draft.setLiteral(
                        name, text ?? "", Directive("process.env \(shown([element.text ?? ""]))", at: element.position))
                }
            case "cwd": if let text = value.text { draft.set("cwd", .string(literal(text)), directive) }
            case "capabilities":
                draft.isPart(directive)
                capabilities(value)
            case "rlimits":
                draft.isPart(directive)
                for element in value.elements { limit(element) }
            case "noNewPrivileges":
                promises = true
                draft.isInForce(.nothing, directive)
                if !value.isTrue { draft.set("process.no_new_privs", .boolean(false), directive) }
            case "apparmorProfile": label(value, directive, "process.apparmor", "a profile of AppArmor")
            case "selinuxLabel": label(value, directive, "process.selinux", "a label of SELinux")
            case "oomScoreAdj":
                if let number = value.integer { draft.set("process.oom_score_adj", .integer(number), directive) }
            case "scheduler", "ioPriority", "execCPUAffinity": draft.lose("no line for it", directive)
            default: break
            }
        }
        if !promises {
            draft.warn(
                "no program gains privileges by being executed", Draft.standard("oci", "no process.noNewPrivileges"))
        }
    }

    private mutating func label(_ value: Node, _ directive: Directive, _ key: String, _ what: String) {
        guard let text = value.text, !text.isEmpty else { return draft.isInForce(.nothing, directive) }
        if Available.takes(key, .string("x")) {
            draft.set(key, .string(text), directive)
        } else {
            draft.lose(what, restricts: true, directive)
        }
    }

    private mutating func user(_ node: Node) {
        for (key, value, directive) in entries(node, "process.user") {
            switch key {
            case "uid", "gid":
                guard let number = value.integer else { return draft.fail("must be a number", directive) }
                draft.set("identity.\(key == "uid" ? "user" : "group")", .integer(number), directive)
            case "umask":
                draft.set(
                    "identity.umask", .string(octal(UInt32(truncatingIfNeeded: value.integer ?? 0o22) & 0o777)),
                    directive)
            case "additionalGids":
                draft.set(
                    "identity.groups", .array(value.elements.map { Node($0.value, at: directive.position) }), directive)
            case "username": draft.isOutside("for another system", directive)
            default: break
            }
        }
    }

    private mutating func capabilities(_ node: Node) {
        var inheritable: CapabilitySet = []
        for element in node["inheritable"]?.elements ?? [] {
            if let capability = element.text.flatMap({ Capability.named(foreign: $0) }) {
                inheritable = inheritable | CapabilitySet(capability)
            }
        }
        for (key, value, directive) in entries(node, "process.capabilities") {
            var set: CapabilitySet = []
            for element in value.elements {
                guard let capability = element.text.flatMap({ Capability.named(foreign: $0) }) else {
                    draft.fail("unknown capability \(element.text ?? "")", at: element.position)
                    continue
                }
                set = set | CapabilitySet(capability)
            }
            if key == "ambient", !set.without(inheritable).isNone {
                draft.warn("ambient without inheritable: the kernel refuses it, and runtimes pass over it", directive)
                set = CapabilitySet(set.capabilities.filter { inheritable.contains($0) })
            }
            draft.set("capabilities.\(key)", .strings(set.capabilities.map(\.name)), directive)
        }
    }

    private mutating func limit(_ node: Node) {
        guard let type = node["type"]?.text, let name = type.after("RLIMIT_")?.lowercased() else {
            return draft.fail("a limit without a type", at: node.position)
        }
        let directive = Directive("process.rlimits \(type)", at: node.position)
        draft.take(directive)
        func word(_ node: Node?) -> String {
            switch node?.value {
            case .unsigned: "unlimited"
            case .integer(let number): String(number)
            default: "0"
            }
        }
        draft.set("rlimits.\(name)", .string("\(word(node["soft"])):\(word(node["hard"]))"), directive)
    }
}
