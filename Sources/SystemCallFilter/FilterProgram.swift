/// A policy, ready to be installed.
package struct FilterProgram: Equatable, Sendable {
    /// nil: the profile "default" for a jail to which it opens nothing further.
    private let written: EffectivePolicy?
    /// Of the smallest jail, where `written` is nil.
    private let owners: MappedOwners?
    /// `struct sock_filter` as one number each: code, jumps, operand from the low bits upwards. `kill` and `log` are the
    /// kernel's own actions here.
    package let instructions: [UInt64]

    package init(_ policy: EffectivePolicy) {
        (written, owners) = (policy, nil)
        instructions = FilterCompiler.compile(policy, notifies: false)
    }

    /// The profile "default", which most jails have as it is: that one was compiled ahead (`make test` holds it against the
    /// compiler), and costs a launch nothing.
    package init(defaultIn context: FilterContext) {
        if context.opensNothing, context.filesOfOthers == nil, let owners = context.owners,
            let ahead = DefaultProgram.native(for: owners)
        {
            (written, self.owners, instructions) = (nil, owners, ahead)
        } else {
            var policy = EffectivePolicy(defaultIn: context)
            policy.guardRights(in: context)
            (written, owners, instructions) = (policy, nil, FilterCompiler.compile(policy, notifies: false))
        }
    }

    package var policy: EffectivePolicy {
        if let written { return written }
        var smallest = FilterContext()
        smallest.owners = owners
        return EffectivePolicy(defaultIn: smallest)
    }

    /// The program in which `kill` and `log` ask whoever holds the listener (SECCOMP_RET_USER_NOTIF), who then says what
    /// `explain` says.
    package var notifying: [UInt64] { FilterCompiler.compile(policy, notifies: true) }

    /// The same, where further the calls of these names ask that are allowed, and all that are answered with an errno.
    package func observing(_ names: [String]) -> [UInt64] {
        FilterCompiler.compile(policy.asking(names), notifies: true)
    }

    /// Whether any call is killed or logged: whether there is anything to listen for.
    package var hasSomethingToSay: Bool { notifying != instructions }

    /// The name of a refused call, what becomes of it and why, from `struct seccomp_data`.
    package func explain(number: Int32, architecture: UInt32, arguments: [UInt64]) -> EffectivePolicy.Answer {
        policy.answer(number: number, architecture: architecture, arguments: arguments)
    }
}

extension FilterProgram {
    /// Whether the policy kills or logs any call of the machine's own.
    package var killsOrLogs: Bool {
        guard let policy = written else { return false }
        return policy.unknown.isTold || policy.verdicts.contains { $0.isTold }
            || policy.rules.contains { $0.verdict.isTold } || policy.namedOfOthers.contains { $0.verdict.isTold }
    }

    /// Whether a call is made whatever its arguments, and nobody is told.
    package func leavesAlone(_ name: String) -> Bool {
        // What a launch asks for.
        if written == nil, name == "pread64" || name == "prctl" { return true }
        guard let call = CallNames.index(of: name) else { return false }
        let policy = self.policy
        return policy.verdicts[call].rawValue == Verdict.allow.rawValue && !policy.rules.contains { $0.call == call }
    }

    /// The errno that a call fails with whatever its arguments; nil where it is made, or something else becomes of it.
    package func answer(to name: String) -> Int32? {
        if leavesAlone(name) { return nil }
        let policy = self.policy
        guard let call = CallNames.index(of: name), !policy.rules.contains(where: { $0.call == call }) else {
            return nil
        }
        return policy.verdicts[call].errno
    }
}

extension EffectivePolicy {
    /// This policy with `log`, which a listener is asked about, in place of what it is to hear of.
    fileprivate func asking(_ names: [String]) -> EffectivePolicy {
        let observed = Set(names.compactMap { CallNames.index(of: $0) })
        func changed(_ verdict: Verdict, _ call: Int) -> Verdict {
            // The errno 0 is no refusal: the call is not made, and nobody could be told so by an answer.
            if let errno = verdict.errno { return errno == 0 ? verdict : .log }
            return verdict == .allow && observed.contains(call) ? .log : verdict
        }
        var result = self
        for call in verdicts.indices { result.verdicts[call] = changed(verdicts[call], call) }
        result.namedOfOthers = namedOfOthers.map {
            NamedCall(name: $0.name, verdict: changed($0.verdict, -1), origin: $0.origin)
        }
        result.rules = rules.map {
            Rule(call: $0.call, conditions: $0.conditions, verdict: changed($0.verdict, $0.call), origin: $0.origin)
        }
        return result
    }
}

extension Verdict {
    /// The errno of SECCOMP_RET_ERRNO.
    package var errno: Int32? { rawValue >> 16 == 0x0005 ? Int32(rawValue & 0xffff) : nil }

    /// Whether somebody is to be told of the call.
    fileprivate var isTold: Bool { rawValue == Self.kill.rawValue || rawValue == Self.log.rawValue }
}
