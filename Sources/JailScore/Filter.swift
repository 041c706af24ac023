import JailSpec
import SpecFile

extension Check {
    static let filters: [Check] = [
        Check(
            "seccomp.profile", Weight.noFilter, "no filter: every system call of the kernel can be made",
            advice: "profile = \"default\", and in allow the calls that are missing"
        ) { $0.seccomp?.value.profile?.found { $0 == .none } },
        Check(
            "seccomp.profile", Weight.othersFilter, "another's list decides; it is not looked into here",
            advice: "profile = \"default\", or \"strict\""
        ) { spec in
            spec.seccomp?.value.profile?.found { if case .file = $0 { true } else { false } }
        },
        Check(
            "seccomp.architectures", Weight.otherABI,
            "calls of another ABI reach code of the kernel that little else does", advice: "leave it out"
        ) { $0.seccomp?.value.abis?.found { $0.contains { $0 != .native } } },
        Check(
            "seccomp.default", Weight.openFilter, "what no list names is allowed, system calls of the future too",
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
                    weight: danger ?? Weight.call,
                    what: "\(call.value) can be called"
                        + (danger == nil ? "" : ", which holes in the kernel or other processes are reached by"),
                    origin: call.position)
            }
        },
        Check("seccomp.rule", advice: "narrower arguments, or leave it out") { spec in
            (spec.seccomp?.value.rules ?? []).compactMap { rule in
                guard rule.action == .allow || rule.action == .log else { return nil }
                let weight = danger(ofCall: rule.call.value) ?? Weight.call
                return Opening(
                    weight: rule.arguments.isEmpty ? weight : (weight + 1) / 2,
                    what: "\(rule.call.value) can be called"
                        + (rule.arguments.isEmpty ? "" : " with some arguments"), origin: rule.call.position)
            }
        },
    ]
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
        return isList && !given.contains { (Check.danger(ofCall: $0) ?? 0) >= Weight.callThatUndoesAList }
    }
}
