extension EffectivePolicy {
    /// What becomes of a call of another ABI.
    struct Decision {
        let verdict: Verdict
        let origin: Int
        /// Rules of the machine's own call that are asked first: indices of `rules`.
        let rules: Range<Int>
    }

    /// A list's word on a call that only another ABI has.
    struct NamedCall: Equatable, Sendable {
        let name: String
        var verdict: Verdict
        let origin: Int
    }

    /// As the call of the machine's own that it stands for. Where it leads to several, or rules look at arguments that it has
    /// in other places, the strictest of all answers holds whatever the arguments.
    func decision(on call: OtherABI.Call) -> Decision {
        if let named = namedOfOthers.first(where: { $0.name == call.name }), !call.name.isEmpty {
            return Decision(verdict: named.verdict, origin: named.origin, rules: 0..<0)
        }
        guard let first = call.own.first else { return Decision(verdict: unknown, origin: unknownOrigin, rules: 0..<0) }
        if call.own.count == 1 {
            let rules = rulesInOrder(of: first)
            if self.rules[rules].allSatisfy({ $0.conditions.allSatisfy { $0.holdsAlike(in: call) } }) {
                return Decision(verdict: verdicts[first], origin: origins[first], rules: rules)
            }
        }
        var (verdict, origin) = (verdicts[first], origins[first])
        for own in call.own {
            if verdicts[own].isStricter(than: verdict) { (verdict, origin) = (verdicts[own], origins[own]) }
            for rule in rules where rule.call == own && rule.verdict.isStricter(than: verdict) {
                (verdict, origin) = (rule.verdict, rule.origin)
            }
        }
        return Decision(verdict: verdict, origin: origin, rules: 0..<0)
    }

    /// Those of one call, which stand together.
    private func rulesInOrder(of call: Int) -> Range<Int> {
        guard let first = rules.firstIndex(where: { $0.call == call }) else { return 0..<0 }
        return first..<(rules[first...].firstIndex { $0.call != call } ?? rules.endIndex)
    }

    /// Whether a name is of a call that an open ABI has and the machine's own has not.
    func isOfOther(_ name: String) -> Bool {
        CallNames.index(of: name) == nil && others.contains { $0.calls.contains { $0.name == name } }
    }
}

extension Condition {
    /// Whether it says the same of that call's argument: i386 passes 32 bits, above which there are zeros.
    fileprivate func holdsAlike(in call: OtherABI.Call) -> Bool {
        argument < call.alike && value <= UInt64(UInt32.max)
    }
}
