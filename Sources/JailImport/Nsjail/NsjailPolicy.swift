import JailSpec
import SpecFile

extension NsjailImport {
    mutating func writePolicy() {
        let strings = all("seccomp_string")
        var text = strings.compactMap(\.string).joined(separator: "\n")
        var origin = strings.first?.directive
        for field in strings { draft.isPart(field.directive) }
        if let field = last("seccomp_policy_file") {
            guard let bytes = context.read(field.string ?? "") else {
                return draft.fail("cannot read the policy \(quoted(field.string ?? ""))", field.directive)
            }
            text = String(decoding: bytes, as: UTF8.self)
            origin = field.directive
            draft.isPart(field.directive)
        }
        guard let origin else {
            return draft.warn(
                "immure's own filter of system calls stays; seccomp.profile = \"none\" is as without it",
                standard("no policy"))
        }
        do throws(Kafel.Fault) {
            let policy = try Kafel(text, reading: context.read)
            write(policy, origin)
        } catch {
            draft.fail("the policy: \(error.message)", origin)
        }
    }

    private mutating func write(_ policy: Kafel, _ origin: Directive) {
        draft.set("seccomp.profile", .string("none"), origin)
        let standard = policy.standard ?? "KILL"
        draft.set("seccomp.default", .string(word(standard, origin) ?? "kill"), origin)
        var decided: Set<String> = []
        for rule in policy.rules {
            guard draft.knows(rule.call, origin) else { continue }
            // The first rule that matches decides.
            if decided.contains(rule.call) { continue }
            write(rule, standard, origin)
            if rule.alternatives.isEmpty { decided.insert(rule.call) }
        }
        guard standard != "ALLOW", !draft.allows("execve") else { return }
        if draft.allows("execveat"), let directive = descriptorProgram {
            draft.append("seccomp.allow", "execve", directive)
            draft.warn("immure starts the program by execve, where nsjail does it by execveat", directive)
        }
    }

    private mutating func write(_ rule: Kafel.Rule, _ standard: String, _ origin: Directive) {
        guard let action = word(rule.action, origin) else { return }
        if rule.action == standard, rule.alternatives.isEmpty, rule.action != "ALLOW" { return }
        let otherwise = word(standard, origin) ?? "kill"
        if !draft.decide(rule.call, action, rule.alternatives, otherwise: otherwise, origin) {
            draft.lose("\(rule.call): a condition that a spec cannot say", restricts: true, origin)
        }
    }

    /// kafel's action in a spec's word; nil where there is none.
    private mutating func word(_ action: String, _ origin: Directive) -> String? {
        switch action {
        case "ALLOW": return "allow"
        case "LOG": return "log"
        case "KILL_PROCESS": return "kill"
        case "KILL", "KILL_THREAD", "DENY":
            draft.warn("\(action): the whole process is killed, not the thread only", origin)
            return "kill"
        default: break
        }
        let number = action.split(separator: "(").last.flatMap { Int32($0.dropLast()) } ?? 0
        if action.hasPrefix("TRAP") { return "trap" }
        guard action.hasPrefix("ERRNO") else {
            draft.lose("\(action): a decision of another process", restricts: true, origin)
            return nil
        }
        if let name = ErrorNumber.name(of: number) { return name }
        draft.warn("\(action): no errno has that number; the call is refused with EPERM", origin)
        return "EPERM"
    }
}

extension Draft {
    /// Whether a call stands in the list of those that are allowed, or has a rule that allows it.
    func allows(_ call: String) -> Bool {
        if case .array(let list)? = value("seccomp.allow")?.value, list.contains(where: { $0.value == .string(call) }) {
            return true
        }
        guard case .array(let rules)? = value("seccomp.rule")?.value else { return false }
        return rules.contains { node in
            guard case .table(let table) = node.value else { return false }
            return table["call"]?.node.value == .string(call) && table["action"]?.node.value == .string("allow")
        }
    }
}
