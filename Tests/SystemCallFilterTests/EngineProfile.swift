import CLinux
import CSeccomp
import JailSpec
import SpecFile

@testable import SystemCallFilter

/// A profile of a container engine as runc gives it to libseccomp: what ours is held against.
struct EngineProfile {
    let profile: SeccompProfile
    let context: FilterContext

    /// The entries that hold under these circumstances.
    var entries: [SeccompProfile.Entry] {
        let go = context.architecture == .x86_64 ? "amd64" : "arm64"
        let held = Set(context.capabilities.capabilities)
        return profile.entries.filter { entry in
            let (wanted, unwanted) = (entry.includes, entry.excludes)
            if unwanted.architectures.contains(go) { return false }
            if !held.isDisjoint(with: unwanted.capabilities.capabilities) { return false }
            if let kernel = unwanted.kernel, newest(kernel) { return false }
            if !wanted.architectures.isEmpty, !wanted.architectures.contains(go) { return false }
            if !held.isSuperset(of: wanted.capabilities.capabilities) { return false }
            if let kernel = wanted.kernel, !newest(kernel) { return false }
            return true
        }
    }

    private func newest(_ kernel: KernelVersion) -> Bool {
        guard let own = context.kernel else { return true }
        return (own.major, own.minor) >= (kernel.major, kernel.minor)
    }

    /// The highest number that the file names: what is above answers ENOSYS, as runc has it.
    var highest: Int {
        let numbers = profile.entries.flatMap(\.names).map { number(of: $0.value) ?? -1 }
        return numbers.max() ?? -1
    }

    /// Where entries without comparisons contradict each other, what the strictest says.
    func strictest(of name: String) -> UInt32? {
        let whole = entries.filter { $0.comparisons.isEmpty && $0.names.contains { $0.value == name } }
        let verdicts = whole.map { Verdict($0.action) }
        guard Set(verdicts).count > 1 else { return nil }
        return verdicts.min { Int32(bitPattern: $0.rawValue) < Int32(bitPattern: $1.rawValue) }?.rawValue
    }

    func number(of name: String) -> Int? {
        let number = unsafe name.withCString {
            unsafe seccomp_syscall_resolve_name_arch(context.architecture.auditValue, $0)
        }
        return number < 0 ? nil : Int(number)
    }

    /// The program of libseccomp; nil where it refuses a rule.
    func compile() -> [UInt64]? {
        let rest = Verdict(profile.defaultAction.value)
        guard let library = unsafe seccomp_init(rest.rawValue) else { return nil }
        defer { unsafe seccomp_release(library) }
        let architecture = context.architecture.auditValue
        if seccomp_arch_native() != architecture {
            guard unsafe seccomp_arch_add(library, architecture) == 0,
                unsafe seccomp_arch_remove(library, seccomp_arch_native()) == 0
            else { return nil }
        }
        guard unsafe seccomp_attr_set(library, SCMP_FLTATR_ACT_BADARCH, Verdict.kill.rawValue) == 0 else { return nil }
        for entry in entries where Verdict(entry.action) != rest {
            let comparisons = entry.comparisons.map(\.ofLibrary)
            for name in entry.names where number(of: name.value) != nil {
                // Rules are given in the numbers of the machine.
                let number = unsafe name.value.withCString { unsafe seccomp_syscall_resolve_name($0) }
                let result = unsafe comparisons.withUnsafeBufferPointer {
                    unsafe seccomp_rule_add_array(
                        library, Verdict(entry.action).rawValue, number, UInt32($0.count), $0.baseAddress)
                }
                guard result == 0 else { return nil }
            }
        }
        return unsafe Library.exported(library)
    }
}

extension SeccompProfile.Comparison {
    fileprivate var ofLibrary: scmp_arg_cmp {
        let argument = UInt32(index)
        if let mask {
            return scmp_arg_cmp(arg: argument, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value.value)
        }
        let operation =
            switch op {
            case .equal: SCMP_CMP_EQ
            case .notEqual: SCMP_CMP_NE
            case .less: SCMP_CMP_LT
            case .lessOrEqual: SCMP_CMP_LE
            case .greater: SCMP_CMP_GT
            case .greaterOrEqual, .masked: SCMP_CMP_GE
            }
        return scmp_arg_cmp(arg: argument, op: operation, datum_a: value.value, datum_b: 0)
    }
}
