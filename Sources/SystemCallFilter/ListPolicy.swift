extension EffectivePolicy {
    /// A call of the architecture with what becomes of it.
    package struct Call: Equatable, Sendable {
        package struct Rule: Equatable, Sendable {
            /// The conditions in words: `arg1 == 0x5412`.
            package let words: String
            package let verdict: Verdict
            package let origin: Origin
        }
        package let name: String
        package let number: Int
        /// Where no rule is met.
        package let verdict: Verdict
        package let origin: Origin
        package let rules: [Rule]
    }

    /// Every call of the architecture, by number.
    package var calls: [Call] {
        callTable.indices.compactMap { index -> Call? in
            guard let number = callTable[index].number(on: architecture) else { return nil }
            return Call(
                name: callTable[index].name, number: number, verdict: verdicts[index], origin: sources[origins[index]],
                rules: rules.filter { $0.call == index }.map(listed))
        }.sorted { $0.number < $1.number }
    }

    /// The calls that open ABIs have and the machine's own has not, by number.
    package func ownCalls(of abi: OtherABI) -> [Call] {
        abi.calls.compactMap { call in
            guard !call.name.isEmpty, CallNames.index(of: call.name) == nil else { return nil }
            let decision = decision(on: call)
            return Call(
                name: call.name, number: Int(call.number), verdict: decision.verdict, origin: sources[decision.origin],
                rules: rules[decision.rules].map(listed))
        }
    }

    private func listed(_ rule: Rule) -> Call.Rule {
        Call.Rule(
            words: rule.conditions.map(\.words).joined(separator: ", "), verdict: rule.verdict,
            origin: sources[rule.origin])
    }
}

extension Condition {
    /// `arg0 & 0x7e020000`, as a spec has it.
    package var words: String {
        let sign =
            switch comparison {
            case .equal: "=="
            case .notEqual: "!="
            case .less: "<"
            case .lessOrEqual: "<="
            case .greater: ">"
            case .greaterOrEqual: ">="
            case .anyBit: "&"
            }
        // Widths of what the kernel reads go without saying.
        let isWhole = bits == .max || bits == 0xffff_ffff || bits == 0xffff
        let mask = isWhole ? "" : " & 0x\(String(bits, radix: 16))"
        return "arg\(argument)\(mask) \(sign) 0x\(String(value, radix: 16))"
    }
}
