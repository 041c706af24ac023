import CLinux
import CSeccomp
import JailSpec

@testable import SystemCallFilter

/// A policy compiled by libseccomp: what ours is held against.
enum Library {
    /// A program for each verdict that a call with rules has where none is met: the library knows rules and one default
    /// alone. nil where it refuses the policy.
    static func programs(_ policy: EffectivePolicy) -> [Verdict: Interpreter]? {
        var result: [Verdict: Interpreter] = [:]
        for verdict in Set([policy.unknown] + policy.rules.map { policy.verdicts[$0.call] }) {
            guard let code = compile(policy, rest: verdict) else { return nil }
            result[verdict] = Interpreter(code: code)
        }
        return result
    }

    /// The program as bytes of `struct sock_filter`, each as one number; nil where the library refuses the policy.
    private static func compile(_ policy: EffectivePolicy, rest: Verdict) -> [UInt64]? {
        guard let context = unsafe seccomp_init(rest.rawValue) else { return nil }
        defer { unsafe seccomp_release(context) }
        // SCMP_ARCH_X86_64 and SCMP_ARCH_AARCH64 are those of audit.
        let architecture = policy.architecture.auditValue
        if seccomp_arch_native() != architecture {
            guard unsafe seccomp_arch_add(context, architecture) == 0,
                unsafe seccomp_arch_remove(context, seccomp_arch_native()) == 0
            else { return nil }
        }
        guard unsafe seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, policy.foreign.rawValue) == 0 else {
            return nil
        }
        let rulesOf = Dictionary(grouping: policy.rules) { callTable[$0.call].name }
        for call in policy.calls {
            let rules = rulesOf[call.name] ?? []
            guard rules.isEmpty || call.verdict == rest, knows(call, rules, in: policy) else { continue }
            guard let number = libraryNumber(call, policy.architecture) else { continue }
            guard unsafe add(call, rules, number, rest, to: context) else { return nil }
        }
        return unsafe exported(context)
    }

    /// Rules are given in the numbers of the machine; a call that the library does not know has none for the other one.
    static func libraryNumber(_ call: EffectivePolicy.Call, _ architecture: Architecture) -> Int32? {
        if architecture == .native { return Int32(call.number) }
        let number = unsafe call.name.withCString { unsafe seccomp_syscall_resolve_name($0) }
        return number == __NR_SCMP_ERROR ? nil : number
    }

    /// Whether the library can say of a call what the policy says. It has no comparison for any of several bits, no order
    /// among rules of different verdicts that are met at once, and several rules of several comparisons that are not all
    /// of equality it merges wrongly, or in no time: of `3 <= 0x4e85c793a0abd3a5` and `3 <= 0x100000000` it lets neither hold
    /// for 0x180000000 (2.5.4, where the upper halves meet in one tree).
    static func knows(
        _ call: EffectivePolicy.Call, _ rules: [EffectivePolicy.Rule], in policy: EffectivePolicy
    ) -> Bool {
        guard libraryNumber(call, policy.architecture) != nil else { return false }
        guard let first = rules.first else { return true }
        let conditions = rules.flatMap(\.conditions)
        if conditions.contains(where: { $0.comparison == .anyBit && $0.value.nonzeroBitCount != 1 }) { return false }
        let areApart =
            rules.allSatisfy { $0.conditions.count == 1 && $0.conditions[0].argument == first.conditions[0].argument }
            && conditions.allSatisfy { $0.comparison == .equal } && Set(conditions.map(\.value)).count == rules.count
        guard areApart || rules.allSatisfy({ $0.verdict == first.verdict }) else { return false }
        return rules.count == 1 || conditions.allSatisfy { $0.comparison == .equal }
            || rules.allSatisfy { $0.conditions.count == 1 } && Set(conditions.map(\.argument)).count == rules.count
    }

    private static func add(
        _ call: EffectivePolicy.Call, _ rules: [EffectivePolicy.Rule], _ number: Int32, _ rest: Verdict,
        to context: scmp_filter_ctx
    ) -> Bool {
        for rule in rules where rule.verdict != rest {
            let comparisons = rule.conditions.map(\.comparisonOfLibrary)
            let result = unsafe comparisons.withUnsafeBufferPointer {
                unsafe seccomp_rule_add_array(
                    context, rule.verdict.rawValue, number, UInt32($0.count), $0.baseAddress)
            }
            // Twice the same rule is EEXIST.
            guard result == 0 || result == -EEXIST else { return false }
        }
        guard rules.isEmpty, call.verdict != rest else { return true }
        return unsafe seccomp_rule_add_array(context, call.verdict.rawValue, number, 0, nil) == 0
    }

    static func exported(_ context: scmp_filter_ctx) -> [UInt64]? {
        let file = unsafe memfd_create("filter", 0)
        defer { close(file) }
        guard file >= 0, unsafe seccomp_export_bpf(context, file) == 0 else { return nil }
        let size = Int(lseek(file, 0, SEEK_END))
        var program = [UInt64](repeating: 0, count: size / 8)
        let count = unsafe program.withUnsafeMutableBytes { unsafe pread(file, $0.baseAddress, size, 0) }
        return count == size ? program : nil
    }
}

extension Condition {
    /// libseccomp compares 64 bits unless masked, and has no mask but for equality.
    fileprivate var comparisonOfLibrary: scmp_arg_cmp {
        let operation: scmp_compare
        switch comparison {
        case .equal: operation = bits == .max ? SCMP_CMP_EQ : SCMP_CMP_MASKED_EQ
        case .notEqual: operation = SCMP_CMP_NE
        case .less: operation = SCMP_CMP_LT
        case .lessOrEqual: operation = SCMP_CMP_LE
        case .greater: operation = SCMP_CMP_GT
        case .greaterOrEqual: operation = SCMP_CMP_GE
        // One bit: any of it is all of it.
        case .anyBit: operation = SCMP_CMP_MASKED_EQ
        }
        if operation == SCMP_CMP_MASKED_EQ {
            let mask = comparison == .anyBit ? value : bits
            return scmp_arg_cmp(arg: UInt32(argument), op: operation, datum_a: mask, datum_b: value)
        }
        return scmp_arg_cmp(arg: UInt32(argument), op: operation, datum_a: value, datum_b: 0)
    }
}
