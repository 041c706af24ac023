import JailSpec

/// What opens a call for the arguments that it was refused with, where a profile refuses it for some: a name in `seccomp.allow` would
/// open it for all.
package struct NarrowOpening: Equatable, Sendable {
    /// As it stands in a spec.
    package let line: String
    /// The argument that it was refused for, in words.
    package let argument: String
}

extension FilterProgram {
    /// nil where the profile does not look at the call's arguments, or no rule can say it.
    package func opening(_ name: String, _ arguments: [UInt64]) -> NarrowOpening? { policy.opening(name, arguments) }
}

extension EffectivePolicy {
    func opening(_ name: String, _ arguments: [UInt64]) -> NarrowOpening? {
        guard let call = CallNames.index(of: name) else { return nil }
        let asking = rules.filter { $0.call == call }
        guard !asking.isEmpty else { return nil }
        let found =
            verdicts[call].permits
            ? refusingOne(of: asking.filter(isOfProfile), arguments)
            : allowingOneMore(than: asking, callTable[call], arguments)
        guard let (rules, asked) = found, rules.allSatisfy({ $0.allSatisfy { $0.value <= UInt64(Int64.max) } }) else {
            return nil
        }
        let written = rules.map { conditions in
            let list = conditions.map { $0.written(for: name) }.joined(separator: ", ")
            return "{ call = \"\(name)\", action = \"allow\", args = [\(list)] }"
        }
        return NarrowOpening(
            line: "seccomp.rule = [\(written.joined(separator: ", "))]",
            argument: asked.map { $0.words(for: name) }.joined(separator: ", "))
    }

    /// Of a call that is made but for some arguments. A rule that allows lets nothing else of the call through: it is for all but what
    /// stays refused.
    private func refusingOne(
        of rules: [Rule], _ arguments: [UInt64]
    ) -> (rules: [[Condition]], asked: [Condition])? {
        let isPlain = rules.allSatisfy {
            !$0.verdict.permits && $0.conditions.count == 1 && $0.conditions[0].comparison == .equal
        }
        guard isPlain, rules.count > 1 else { return nil }
        let conditions = rules.map { $0.conditions[0] }
        guard let hit = conditions.first(where: { $0.holds(for: arguments) }) else { return nil }
        let others = conditions.filter { $0 != hit }.map { Condition($0.argument, .notEqual, $0.value, $0.bits) }
        return ([others], [hit])
    }

    /// Of a call that is refused but for some arguments, which one rule that allows takes away: they are said again.
    private func allowingOneMore(
        than rules: [Rule], _ call: SystemCall, _ arguments: [UInt64]
    ) -> (rules: [[Condition]], asked: [Condition])? {
        var compared = Set(0...5)
        for rule in rules { compared.formIntersection(rule.conditions.map(\.argument)) }
        guard !compared.isEmpty else { return nil }
        let asked = compared.sorted().map { index in
            let bits = call.bits(ofArgument: index)
            return Condition(index, .equal, arguments[index] & bits, bits)
        }
        // What lines of the spec say stays, beside one more rule.
        return (rules.filter { $0.verdict.permits && isOfProfile($0) }.map(\.conditions) + [asked], asked)
    }

    private func isOfProfile(_ rule: Rule) -> Bool { sources[rule.origin].position == nil }
}

extension Condition {
    fileprivate func written(for call: String) -> String {
        let name = name(for: call).map { "\"\($0)\"" }
        return "{ index = \(argument), op = \"\(operation.rawValue)\", value = \(name ?? number) }"
    }

    fileprivate func words(for call: String) -> String { name(for: call) ?? number }

    private var number: String { value < 10 ? "\(value)" : "0x" + String(value, radix: 16) }

    private func name(for call: String) -> String? {
        switch (call, argument) {
        case ("socket", 0): Constants.name(of: value, from: "AF_")
        case ("ioctl", 1): Constants.name(of: value, from: "TIOC")
        default: nil
        }
    }

    private var operation: SeccompPolicy.Argument.Operator {
        switch comparison {
        case .equal: .equal
        case .notEqual: .notEqual
        case .less: .less
        case .lessOrEqual: .lessOrEqual
        case .greater: .greater
        case .greaterOrEqual: .greaterOrEqual
        case .anyBit: .masked
        }
    }
}
