import JailSpec
import SpecFile

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
            policy.verdicts[call] = policy.unknown
            let verdict = verdicts.randomElement(using: &generator) ?? .allow
            // Several rules compare one argument each: libseccomp takes exponential time to join longer chains.
            let count = Bool.random(using: &generator) ? 1 : 3
            for _ in 0..<count {
                let chosen = conditions(of: callTable[call], atMost: count == 1 ? 3 : 1, with: &generator)
                policy.addRule(call, chosen, verdict, 0)
            }
        }
        return policy
    }

    private static func conditions(
        of call: SystemCall, atMost limit: Int, with generator: inout Seeded
    ) -> [Condition] {
        // libseccomp takes one comparison of an argument.
        let arguments = Array(0..<6).shuffled(using: &generator).prefix(Int.random(in: 1...limit, using: &generator))
        let kinds: [Condition.Comparison] = [
            .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .anyBit,
        ]
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
