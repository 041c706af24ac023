import CLinux
import CSeccomp
import JailSpec

@testable import SystemCallFilter

/// A policy compiled by libseccomp: what ours is held against.
enum Library {
    /// The program as bytes of `struct sock_filter`, each as one number; nil where the library refuses the policy.
    static func compile(_ policy: EffectivePolicy) -> [UInt64]? {
        // The unknown is the default; a number of the table that comes to the same needs no rule.
        guard let context = unsafe seccomp_init(policy.unknown.rawValue) else { return nil }
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
        for call in policy.calls {
            guard let number = libraryNumber(call, policy.architecture) else { continue }
            guard unsafe add(policy, call, number, to: context) else { return nil }
        }
        return unsafe exported(context)
    }

    /// Rules are given in the numbers of the machine; a call that the library does not know has none for the other one.
    static func libraryNumber(_ call: EffectivePolicy.Call, _ architecture: Architecture) -> Int32? {
        if architecture == .native { return Int32(call.number) }
        let number = unsafe call.name.withCString { unsafe seccomp_syscall_resolve_name($0) }
        return number == __NR_SCMP_ERROR ? nil : number
    }

    /// A call without rules, or with one: libseccomp has no order among several that are met at once.
    private static func add(
        _ policy: EffectivePolicy, _ call: EffectivePolicy.Call, _ number: Int32, to context: scmp_filter_ctx
    ) -> Bool {
        let rules = policy.rules.filter { callTable[$0.call].name == call.name }
        for rule in rules where rule.verdict != policy.unknown {
            let comparisons = rule.conditions.map(\.comparisonOfLibrary)
            let result = unsafe comparisons.withUnsafeBufferPointer {
                unsafe seccomp_rule_add_array(
                    context, rule.verdict.rawValue, number, UInt32($0.count), $0.baseAddress)
            }
            guard result == 0 else { return false }
        }
        guard rules.isEmpty, call.verdict != policy.unknown else { return true }
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
