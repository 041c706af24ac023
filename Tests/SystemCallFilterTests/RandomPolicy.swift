import JailSpec
import SpecFile
import TestSupport

@testable import SystemCallFilter

/// Policies by chance, the same ones every time.
enum RandomPolicy {
    static func make(on architecture: Architecture, with generator: inout Seeded) -> EffectivePolicy {
        var policy = EffectivePolicy(allowingAllOn: architecture)
        let verdicts: [Verdict] = [.allow, .errno(1), .errno(13), .kill, .log, .trap]
        policy.unknown = verdicts.randomElement(using: &generator) ?? .allow
        let share = Int.random(in: 0...100, using: &generator)
        for index in policy.verdicts.indices {
            let isOther = Int.random(in: 0..<100, using: &generator) < share
            policy.verdicts[index] = isOther ? verdicts.randomElement(using: &generator) ?? .allow : policy.unknown
        }
        for _ in 0..<Int.random(in: 0...12, using: &generator) {
            let call = Int.random(in: callTable.indices, using: &generator)
            guard !policy.rules.contains(where: { $0.call == call }) else { continue }
            let verdict = verdicts.randomElement(using: &generator) ?? .allow
            // One rule of several comparisons, several of one, several of equality, several of any.
            let shape = Int.random(in: 0...3, using: &generator)
            for _ in 0..<(shape == 0 ? 1 : Int.random(in: 2...4, using: &generator)) {
                let own = shape == 3 && Bool.random(using: &generator) ? verdicts.randomElement(using: &generator) : nil
                policy.addRule(
                    call,
                    conditions(
                        of: callTable[call], atMost: shape == 1 ? 1 : 3, onlyEqual: shape == 2, with: &generator),
                    own ?? verdict, 0)
            }
        }
        return policy
    }

    private static func conditions(
        of call: SystemCall, atMost limit: Int, onlyEqual: Bool, with generator: inout Seeded
    ) -> [Condition] {
        // libseccomp takes one comparison of an argument.
        let arguments = Array(0..<6).shuffled(using: &generator).prefix(Int.random(in: 1...limit, using: &generator))
        let kinds: [Condition.Comparison] =
            onlyEqual ? [.equal] : [.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .anyBit]
        return arguments.sorted().map { argument in
            let bits = call.bits(ofArgument: argument)
            let kind = kinds.randomElement(using: &generator) ?? .equal
            let value: UInt64 =
                kind == .anyBit
                ? 1 << UInt64.random(in: 0..<UInt64(bits.nonzeroBitCount), using: &generator)
                : [0, 1, 0xffff_ffff, 1 << 32, .max, UInt64.random(in: 0...(.max), using: &generator)]
                    .randomElement(using: &generator).map { $0 & bits } ?? 0
            return Condition(argument, kind, value, bits)
        }
    }

    /// One with hundreds of rules.
    static func large(on architecture: Architecture) -> EffectivePolicy {
        var policy = EffectivePolicy(allowingAllOn: architecture)
        policy.unknown = .absent
        for index in stride(from: 0, to: callTable.count, by: 2) {
            policy.verdicts[index] = .errno(Int32(index % 40 + 1))
            policy.addRule(index, [Condition(0, .greater, UInt64(index) << 30, .max)], .allow, 0)
            policy.addRule(index, [Condition(1, .anyBit, 0x1_0000_0001, .max)], .trap, 0)
        }
        return policy
    }
}
