package import JailSpec
package import SpecFile

extension EffectivePolicy {
    /// A policy with everything that is wrong with it.
    package struct Resolved: Sendable {
        /// nil where nothing is filtered.
        package let policy: EffectivePolicy?
        package let faults: [Diagnostic]
    }

    /// Puts profile, lists and rules together.
    ///
    /// The profile decides first. A group of a list overrides it, a name overrides a group, and a rule whose arguments are
    /// met overrides both. Where two groups disagree, or two rules are met, the stricter holds.
    package static func resolve(_ written: Located<SeccompPolicy>?, in context: FilterContext) -> Resolved {
        guard let written else {
            var policy = EffectivePolicy(defaultIn: context)
            policy.guardRights(in: context)
            return Resolved(policy: policy, faults: [])
        }
        var resolver = PolicyResolver(written.value, at: written.position, in: context)
        resolver.resolve()
        let isNone = resolver.faults.isEmpty && resolver.allowsAll && context.filesOfOthers == nil
        return Resolved(policy: isNone ? nil : resolver.policy, faults: resolver.faults)
    }

    /// What is wrong with lists and rules by themselves, whatever the rest of the policy is, which could not be read.
    package static func faults(ofNames written: Located<SeccompPolicy>, in context: FilterContext) -> [Diagnostic] {
        var named = written.value
        (named.profile, named.defaultAction) = (nil, nil)
        var resolver = PolicyResolver(named, at: written.position, in: context)
        resolver.apply(groupsOnly: true)
        resolver.apply(groupsOnly: false)
        resolver.applyRules()
        return resolver.faults
    }
}

struct PolicyResolver {
    let written: SeccompPolicy
    let context: FilterContext
    var policy: EffectivePolicy
    var faults: [Diagnostic] = []
    /// What a call that is refused without a word of its own answers.
    var refusal = Verdict.refuse
    /// A profile without a rule or list that takes anything away.
    var allowsAll = false
    /// Calls named one by one, with the line.
    var named = [Position?](repeating: nil, count: callTable.count)
    var isNamed = [Bool](repeating: false, count: callTable.count)
    /// The profile, where it is that of a file.
    var file: FileProfile?
    /// What stood before the lists, where `log` needs it.
    var unlisted: EffectivePolicy?

    init(_ written: SeccompPolicy, at position: Position?, in context: FilterContext) {
        self.written = written
        self.context = context
        switch written.profile?.value {
        case .none?: policy = EffectivePolicy(allowingAllOn: context.architecture)
        case .strict?: policy = EffectivePolicy(strictOn: context.architecture)
        case .file?:
            if let profile = written.file {
                let file = FileProfile(profile, at: position, in: context)
                policy = file.policy
                faults = file.faults
                self.file = file
            } else {
                policy = EffectivePolicy(strictOn: context.architecture)
                faults.append(Diagnostic("seccomp.profile: the file was not read", at: written.profile?.position))
            }
        default: policy = EffectivePolicy(defaultIn: context)
        }
        if file != nil { policy.guardOwners(context.owners) }
        policy.position = position
        openOthers()
    }

    /// `architectures`.
    private mutating func openOthers() {
        guard let abis = written.abis else { return }
        policy.others = abis.value.compactMap { OtherABI($0) }
        guard let first = policy.others.first else { return }
        guard context.architecture.isX86 else {
            return fault("seccomp.architectures: only x86-64 has the ABI \(first.name)", at: abis.position)
        }
        let opened = policy.others.map(\.libraryName)
        policy.closedABIs.removeAll { opened.contains($0.value) }
    }

    mutating func resolve() {
        if case .strict? = written.profile?.value, context.isNested {
            fault(
                "seccomp.profile: \"strict\" refuses the calls that namespaces.nested = true is for",
                at: written.profile?.position, hint: "take the profile \"default\", or remove nested")
        }
        applyDefault()
        if !written.log.isEmpty { unlisted = policy }
        apply(groupsOnly: true)
        // A group opens no owner that there is not; a name opens the call whatever its arguments.
        if !isUnfiltered { policy.guardOwners(context.owners) }
        apply(groupsOnly: false)
        applyRules()
        if case .none? = written.profile?.value {
            let opens = written.defaultAction == nil
            allowsAll =
                opens && written.deny.isEmpty && written.log.isEmpty && written.kill.isEmpty && written.rules.isEmpty
            if opens, let first = written.allow.first {
                fault(
                    "seccomp.allow: everything is allowed already", at: first.position,
                    hint: "write default = \"EPERM\" to allow nothing else, or remove the list")
            }
        }
        // Over all that the spec says: no line opens the host's files to the calls that it allows.
        policy.guardRights(in: context)
        requireExecve()
    }

    /// The last call of a launch is the one that becomes the command.
    private mutating func requireExecve() {
        let execve = KnownCall.execve
        let rules = policy.rules.filter { $0.call == execve }
        var origin = policy.origins[execve]
        // A rule without arguments is met by every call.
        // Closures: the runtime makes a key path of two parts by the names of its types, for 12 µs of a launch.
        if let rule = rules.first(where: { $0.conditions.isEmpty }) {
            if rule.verdict.permits { return }
            origin = rule.origin
        } else if policy.verdicts[execve].permits || rules.contains(where: { $0.verdict.permits }) {
            return
        }
        let source = policy.sources[origin]
        fault(
            "seccomp refuses execve, and with it the command: \(source.words)", at: source.position ?? policy.position,
            hint: isNamed[execve] || !rules.isEmpty ? "take it out of \(source.words)" : "add it to seccomp.allow")
    }

    private var isUnfiltered: Bool { if case .none? = written.profile?.value { true } else { false } }

    mutating func fault(_ message: String, at position: Position?, hint: String? = nil) {
        guard faults.count < 100 else { return }
        faults.append(Diagnostic(message, at: position, hint: hint))
    }

    mutating func origin(_ words: String, _ position: Position?) -> Int {
        policy.sources.append(EffectivePolicy.Origin(words: words, position: position))
        return policy.sources.count - 1
    }
}
