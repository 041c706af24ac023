import JailSpec
import SpecFile

extension PolicyResolver {
    /// `[[seccomp.rule]]`.
    mutating func applyRules() {
        for broken in written.brokenRules { lookUp(broken) }
        guard !written.rules.isEmpty else { return }
        // More instructions than a filter may have, whatever they are.
        guard written.rules.count <= FilterCompiler.limit else {
            fault(
                "seccomp.rule: \(written.rules.count) rules are more than a filter can hold",
                at: written.rules[FilterCompiler.limit].call.position, hint: "name calls in the lists")
            return
        }
        var own: [(rule: EffectivePolicy.Rule, position: Position?)] = []
        for rule in written.rules {
            let call = index(of: rule.call)
            guard let conditions = conditions(of: rule.arguments, call.map { callTable[$0] }, at: rule.call.position),
                let call
            else { continue }
            let place = origin("seccomp.rule", rule.call.position)
            own.append(
                (
                    EffectivePolicy.Rule(
                        call: call, conditions: conditions, verdict: Verdict(rule.action), origin: place),
                    rule.call.position
                ))
        }
        // Stable by call, then the strictest first.
        let order = own.indices.sorted { a, b in
            let (left, right) = (own[a].rule, own[b].rule)
            if left.call != right.call { return left.call < right.call }
            if left.verdict.rawValue != right.verdict.rawValue { return left.verdict.isStricter(than: right.verdict) }
            return a < b
        }
        let sorted = order.map { own[$0] }
        reportContradictions(sorted)
        narrow(sorted.map(\.rule))
        // In front of the profile's.
        policy.rules = Self.merged(sorted.map(\.rule), policy.rules)
    }

    /// What a rule names that is wrong in another part: for all of it to be told at once.
    private mutating func lookUp(_ broken: SeccompPolicy.BrokenRule) {
        let call = broken.call.flatMap { index(of: $0) }
        _ = conditions(of: broken.arguments, call.map { callTable[$0] }, at: broken.call?.position)
        for value in broken.values { _ = number(value) }
    }

    /// The index of a rule's call; nil, and told, where there is none.
    private mutating func index(of call: Located<String>) -> Int? {
        if let index = CallNames.index(of: call.value) { return index }
        if !CallNames.isKnown(call.value) { unknown("system call", call, "rule") }
        if policy.isOfOther(call.value) {
            fault(
                "seccomp.rule: arguments of \(call.value) are not looked at: x86-64 has no such call",
                at: call.position, hint: "name it in seccomp.allow or seccomp.deny")
        }
        return nil
    }

    /// Rules of one call together, the user's before the profile's.
    private static func merged(_ own: [EffectivePolicy.Rule], _ profile: [EffectivePolicy.Rule]) -> [EffectivePolicy
        .Rule]
    {
        var result: [EffectivePolicy.Rule] = []
        var calls: [Int] = []
        for rule in own + profile where !calls.contains(rule.call) { calls.append(rule.call) }
        for call in calls {
            result += own.filter { $0.call == call }
            result += profile.filter { $0.call == call }
        }
        return result
    }

    /// A call that a rule allows for some arguments is allowed only for what rules say: what the profile or a list lets
    /// through besides goes. What the profile refuses by arguments stays, after the rules, and keeps its errno.
    private mutating func narrow(_ own: [EffectivePolicy.Rule]) {
        for rule in own where rule.verdict.permits && !rule.conditions.isEmpty {
            policy.rules.removeAll { $0.call == rule.call && $0.verdict.permits }
            guard policy.verdicts[rule.call].permits else { continue }
            policy.verdicts[rule.call] = refusal
            policy.origins[rule.call] = rule.origin
        }
    }

    private mutating func reportContradictions(_ own: [(rule: EffectivePolicy.Rule, position: Position?)]) {
        // What the rules of one call say, as one word for each: equal ones with another action stand side by side.
        let keyed = own.map { entry in
            (
                key: "\(entry.rule.call) " + entry.rule.conditions.map(\.key).sorted().joined(separator: " "),
                entry: entry
            )
        }.sorted { $0.key < $1.key }
        for (one, other) in zip(keyed, keyed.dropFirst()) where one.key == other.key {
            guard one.entry.rule.verdict != other.entry.rule.verdict else { continue }
            fault(
                "seccomp.rule: \(callTable[one.entry.rule.call].name) for the same arguments has another action"
                    + (one.entry.position.map { ", first at \($0)" } ?? ""), at: other.entry.position)
        }
        for entry in own where entry.rule.conditions.isEmpty && isNamed[entry.rule.call] {
            fault(
                "seccomp.rule: \(callTable[entry.rule.call].name) without arguments is in a list too"
                    + (named[entry.rule.call].map { ", first at \($0)" } ?? ""), at: entry.position)
        }
    }
}

extension Condition {
    fileprivate var key: String { "\(argument) \(comparison) \(value) \(bits)" }
}
