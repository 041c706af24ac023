@testable import SystemCallFilter

/// The calls that programs are compared by: every number up to beyond the table, every ABI, and for calls with rules the
/// edges of each comparison.
enum Calls {
    static func all(of policy: EffectivePolicy) -> [Interpreter.Data] {
        let own = policy.architecture.auditValue
        var result: [Interpreter.Data] = []
        for number in Int32(0)..<480 { result.append(.init(number: number, architecture: own)) }
        for number: Int32 in [0x3fff_ffff, 0x4000_0000, 0x4000_0053, 0x7fff_ffff, -1, -2, Int32.min] {
            result.append(.init(number: number, architecture: own))
        }
        for other: UInt32 in [0xC000_003E, 0x4000_0003, 0xC000_00B7, 0x4000_0028, 0, .max] where other != own {
            for number: Int32 in [0, 1, 83, 39, 101] { result.append(.init(number: number, architecture: other)) }
        }
        for rule in policy.rules {
            guard let number = callTable[rule.call].number(on: policy.architecture) else { continue }
            for edge in rule.conditions.flatMap({ edges($0) }) {
                // All the conditions at their value, then one of them at its edge.
                var arguments: [UInt64] = [0, 0, 0, 0, 0, 0]
                for condition in rule.conditions { arguments[condition.argument] = condition.value }
                result.append(.init(number: Int32(number), architecture: own, arguments: arguments))
                arguments[edge.argument] = edge.value
                result.append(.init(number: Int32(number), architecture: own, arguments: arguments))
            }
        }
        return result
    }

    static func byNumber(_ policy: EffectivePolicy) -> [Int: EffectivePolicy.Call] {
        Dictionary(uniqueKeysWithValues: policy.calls.map { ($0.number, $0) })
    }

    private static func edges(_ condition: Condition) -> [(argument: Int, value: UInt64)] {
        let value = condition.value
        let values = [
            0, .max, value, value &+ 1, value &- 1, value | 1 << 32, value | 1 << 63, value ^ 1 << 32, value << 32,
            value & 0xffff_ffff, value ^ 0x8000_0000, value | 0x8000_0000, ~value, value & (value &- 1),
        ]
        return values.map { (condition.argument, $0) }
    }

    /// Whether the library can say the same: not where ours leaves out what the kernel does not read, and not where several
    /// rules of a call are met with different verdicts.
    static func areComparable(
        _ data: Interpreter.Data, _ call: EffectivePolicy.Call?, in policy: EffectivePolicy
    ) -> Bool {
        guard data.architecture == policy.architecture.auditValue, let call else { return true }
        // A call that the library does not know gets the verdict of the unknown on another architecture.
        guard Library.libraryNumber(call, policy.architecture) != nil else { return false }
        guard !call.rules.isEmpty else { return true }
        let rules = policy.rules.filter { callTable[$0.call].name == call.name }
        for condition in rules.flatMap(\.conditions) {
            let isMasked = condition.comparison == .equal || condition.comparison == .anyBit
            if !isMasked, data.arguments[condition.argument] & ~condition.bits != 0 { return false }
            if condition.comparison == .anyBit, condition.value.nonzeroBitCount != 1 { return false }
        }
        // libseccomp 2.5.4 misses some that are met when it puts rules of several comparisons together.
        guard rules.count == 1 || rules.allSatisfy({ $0.conditions.allSatisfy { $0.comparison == .equal } }) else {
            return false
        }
        // libseccomp knows rules of one verdict and the default: the verdict of the call itself it cannot have.
        guard rules.allSatisfy({ $0.verdict == rules[0].verdict }) else { return false }
        return call.verdict == policy.unknown
    }
}
