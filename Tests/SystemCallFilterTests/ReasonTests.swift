import Testing

@testable import SystemCallFilter

/// What people are told of a refusal, word for word: a reason that slips to the next kind of call is a lie.
@Suite("Reasons")
struct ReasonTests {
    private static let reasons: [(kind: CallKind, example: String, words: String)] = [
        (.strict, "read", ""), (.usual, "bind", ""), (.guarded, "personality", ": guarded arguments"),
        (.namespaces, "unshare", ": namespaces"), (.mounts, "mount", ": mounts"),
        (.administration, "sethostname", ": administration"), (.kernelLog, "syslog", ": the kernel's log"),
        (.programs, "bpf", ": programs in the kernel"), (.measuring, "perf_event_open", ": measuring"),
        (.boot, "reboot", ": reboot"), (.chroot, "chroot", ": chroot"),
        (.modules, "init_module", ": kernel modules"), (.accounting, "acct", ": accounting"),
        (.tracing, "ptrace", ": processes of the host"), (.otherProcesses, "kcmp", ": other processes"),
        (.ports, "iopl", ": ports"), (.clock, "settimeofday", ": the clock"),
        (.hangup, "vhangup", ": terminals of others"), (.memoryPolicy, "mbind", ": memory policy"),
        (.handles, "open_by_handle_at", ": files by handle"),
        (.keyrings, "keyctl", ": keyrings, which no namespace separates"),
        (.ring, "io_uring_setup", ": io_uring, which no filter sees into"),
        (.faults, "userfaultfd", ": page faults handled in user space"),
        (.newKernel, "kexec_load", ": another kernel"), (.swap, "swapon", ": swap"),
        (.segments, "modify_ldt", ": 16-bit segments"),
    ]

    @Test("Each kind of call says its own, and a policy says the same")
    func kinds() throws {
        let policy = EffectivePolicy(defaultIn: Self.context)
        for (kind, example, words) in Self.reasons {
            #expect(kind.reason == "profile \"default\"" + words)
            let index = try #require(CallNames.index(of: example))
            #expect(callTable[index].kind == kind, "\(example)")
            #expect(try Self.reason(of: example, in: policy) == kind.reason, "\(example)")
        }
        #expect(CallKind.obsolete.reason == "not in Linux any more")
        #expect(try Self.reason(of: "_sysctl", in: policy) == "not in Linux any more")
        #expect(Set(Self.reasons.map(\.kind)).union([.obsolete]) == Set(CallKind.allCases))
        #expect(Self.reasons.count + 1 == CallKind.allCases.count)
    }

    @Test("What no kind of call says is told by the profile")
    func profiles() throws {
        let unknown: (EffectivePolicy) -> String = { policy in
            policy.answer(number: 5000, architecture: policy.architecture.auditValue, arguments: Self.none).origin.words
        }
        let all = EffectivePolicy(allowingAllOn: .x86_64)
        #expect(try Self.reason(of: "mount", in: all) == "profile \"none\"" && unknown(all) == "profile \"none\"")
        let strict = EffectivePolicy(strictOn: .x86_64)
        #expect(try Self.reason(of: "mount", in: strict) == "profile \"strict\"")
        #expect(try Self.reason(of: "read", in: strict) == "profile \"strict\"")
        #expect(unknown(strict) == "younger than the table")
        #expect(unknown(EffectivePolicy(defaultIn: Self.context)) == "younger than the table")
        #expect(ProfileReason.youngerThanFile.words == "younger than the profile")
    }

    /// Places among the origins are made of the order of the cases, and must be those of that order.
    @Test("Every reason is where its place says")
    func places() {
        let sources = EffectivePolicy(allowingAllOn: .x86_64).sources.map(\.words)
        for kind in CallKind.allCases { #expect(sources[kind.place] == kind.reason) }
        for reason in ProfileReason.allCases { #expect(sources[reason.place] == reason.words) }
        #expect(sources.count == CallKind.allCases.count + ProfileReason.allCases.count)
    }

    private static let none = [UInt64](repeating: 0, count: 6)

    private static var context: FilterContext {
        var context = FilterContext()
        context.architecture = .x86_64
        return context
    }

    /// By arguments that no rule is met by.
    private static func reason(of name: String, in policy: EffectivePolicy) throws -> String {
        let index = try #require(CallNames.index(of: name))
        let number = try #require(callTable[index].number(on: policy.architecture))
        let arguments = [UInt64](repeating: 0x4000, count: 6)
        return policy.answer(
            number: Int32(number), architecture: policy.architecture.auditValue, arguments: arguments
        ).origin.words
    }
}
