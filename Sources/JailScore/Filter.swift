import JailSpec
import SpecFile

extension Check {
    static let filters: [Check] = [
        Check(
            "seccomp.profile", 15, "no filter: every system call of the kernel can be made",
            advice: "profile = \"default\", and in allow the calls that are missing"
        ) { $0.seccomp?.value.profile?.found { $0 == .none } },
        Check(
            "seccomp.profile", 3, "another's list decides; it is not looked into here",
            advice: "profile = \"default\", or \"strict\""
        ) { spec in
            spec.seccomp?.value.profile?.found { if case .file = $0 { true } else { false } }
        },
        Check(
            "seccomp.default", 15, "what no list names is allowed, system calls of the future too",
            advice: "default = \"EPERM\", and the calls that are needed in allow"
        ) { $0.seccomp?.value.defaultAction?.found { $0 == .allow || $0 == .log } },
        Check("seccomp.allow", advice: "single calls in place of a @group; a [[seccomp.rule]] with arguments") { spec in
            guard let policy = spec.seccomp?.value else { return [] }
            // Where all the rest is refused, the list is what is left: it narrows, but for what is dangerous.
            let isWhole = policy.refusesTheRest
            return (policy.allow + policy.log).compactMap { call in
                let danger = danger(ofCall: call.value)
                if danger == nil && isWhole { return nil }
                return Opening(
                    weight: danger ?? 1,
                    what: "\(call.value) can be called"
                        + (danger == nil ? "" : ", which holes in the kernel or other processes are reached by"),
                    origin: call.position)
            }
        },
        Check("seccomp.rule", advice: "narrower arguments, or leave it out") { spec in
            (spec.seccomp?.value.rules ?? []).compactMap { rule in
                guard rule.action == .allow || rule.action == .log else { return nil }
                let weight = danger(ofCall: rule.call.value) ?? 1
                return Opening(
                    weight: rule.arguments.isEmpty ? weight : (weight + 1) / 2,
                    what: "\(rule.call.value) can be called"
                        + (rule.arguments.isEmpty ? "" : " with some arguments"), origin: rule.call.position)
            }
        },
    ]

    /// Tenths of a point for calls and groups that the profile "default" keeps away for a reason; nil for the others.
    static func danger(ofCall name: String) -> Int? {
        switch name {
        case "@known", "@module", "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load": 15
        case "@privileged", "@raw-io", "bpf", "iopl", "ioperm": 10
        case "@mount", "@debug", "perf_event_open", "open_by_handle_at", "mount", "umount2", "pivot_root", "move_mount",
            "fsopen", "fsconfig", "fsmount", "open_tree", "mount_setattr", "fspick":
            8
        case "@io-uring", "io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd", "ptrace", "unshare",
            "setns", "process_vm_writev", "process_vm_readv", "pidfd_getfd", "chroot", "@reboot", "reboot":
            6
        case "@keyring", "keyctl", "add_key", "request_key", "@swap", "@clock", "@cpu-emulation", "@obsolete", "@pkey",
            "modify_ldt", "syslog", "acct", "quotactl", "settimeofday", "clock_settime", "adjtimex":
            4
        default: nil
        }
    }
}

extension SeccompPolicy {
    /// Whether what no list names is refused.
    var refusesTheRest: Bool {
        switch defaultAction?.value {
        case .kill?, .trap?, .errno?: true
        case .allow?, .log?, nil: false
        }
    }

    /// Whether fewer calls are left than the profile "default" leaves, as far as its words tell. Not where what no list
    /// names is allowed, nor where a list gives back what matters most: "@known" is every call that there is.
    var isNarrower: Bool {
        let isList = refusesTheRest || (profile?.value == .strict && defaultAction == nil)
        let given =
            (allow + log).map(\.value)
            + rules.filter { ($0.action == .allow || $0.action == .log) && $0.arguments.isEmpty }.map(\.call.value)
        return isList && !given.contains { (Check.danger(ofCall: $0) ?? 0) >= 10 }
    }
}
