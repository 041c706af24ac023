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

    /// Whether the library decides the same: not on what it does not know, and not where ours leaves out of a comparison
    /// what the kernel does not read.
    static func areComparable(
        _ data: Interpreter.Data, _ call: EffectivePolicy.Call?, _ rules: [EffectivePolicy.Rule],
        in policy: EffectivePolicy
    ) -> Bool {
        guard data.architecture == policy.architecture.auditValue, let call else { return true }
        guard Library.knows(call, rules, in: policy) else { return false }
        for condition in rules.flatMap(\.conditions) {
            let isMasked = condition.comparison == .equal || condition.comparison == .anyBit
            if !isMasked, data.arguments[condition.argument] & ~condition.bits != 0 { return false }
        }
        return true
    }
}
