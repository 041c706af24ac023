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
        guard let written else { return Resolved(policy: EffectivePolicy(defaultIn: context), faults: []) }
        var resolver = PolicyResolver(written.value, at: written.position, in: context)
        resolver.resolve()
        let isNone = resolver.faults.isEmpty && resolver.allowsAll
        return Resolved(policy: isNone ? nil : resolver.policy, faults: resolver.faults)
    }
}

struct PolicyResolver {
    let written: SeccompPolicy
    let context: FilterContext
    var policy: EffectivePolicy
    var faults: [Diagnostic] = []
    /// What a call that is refused without a word of its own answers.
    var refusal = Verdict.refuse
    var refusalOrigin: Int?
    /// A profile without a rule or list that takes anything away.
    private(set) var allowsAll = false
    /// Calls named one by one, with the line.
    private var named = [Position?](repeating: nil, count: callTable.count)
    private var isNamed = [Bool](repeating: false, count: callTable.count)
    /// The profile, where it is that of a file.
    private var file: FileProfile?
    /// What stood before the lists, where `log` needs it.
    private var unlisted: EffectivePolicy?

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
        policy.position = position
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
        let execve = KnownCall.execve
        if !policy.verdicts[execve].permits, !policy.rules.contains(where: { $0.call == execve && $0.verdict.permits })
        {
            fault(
                "seccomp refuses execve, and with it the command: \(policy.sources[policy.origins[execve]].words)",
                at: policy.sources[policy.origins[execve]].position ?? policy.position, hint: "add it to seccomp.allow")
        }
    }

    mutating func fault(_ message: String, at position: Position?, hint: String? = nil) {
        guard faults.count < 100 else { return }
        faults.append(Diagnostic(message, at: position, hint: hint))
    }

    mutating func origin(_ words: String, _ position: Position?) -> Int {
        policy.sources.append(EffectivePolicy.Origin(words: words, position: position))
        return policy.sources.count - 1
    }

    /// `default`: for what the profile refuses as a whole, and for everything where there is no profile.
    private mutating func applyDefault() {
        guard let written = written.defaultAction else { return }
        let verdict = Verdict(written.value)
        let place = origin("seccomp.default", written.position)
        let isOpen: Bool = if case .none? = self.written.profile?.value { true } else { file?.refusesTheRest == false }
        if verdict.rawValue == Verdict.allow.rawValue {
            if !isOpen {
                fault(
                    "seccomp.default: \"allow\" would undo the profile", at: written.position,
                    hint: "set profile = \"none\" to allow all that no list names")
            }
            return
        }
        if !verdict.permits {
            refusal = verdict
            refusalOrigin = place
        }
        for index in policy.verdicts.indices where isLeftOver(index, isOpen) {
            policy.verdicts[index] = verdict
            policy.origins[index] = place
        }
        // An unknown number that is refused is one that the kernel does not have, as far as libc can tell.
        let isErrno = verdict.rawValue >> 16 == 5
        if !isErrno {
            policy.unknown = verdict
            policy.unknownOrigin = place
        } else if isOpen {
            policy.unknown = .absent
            policy.unknownOrigin = ProfileReason.younger.place
        }
    }

    /// Whether `default` is for a call: what the profile refuses as a whole, in a file what it does not name.
    private func isLeftOver(_ call: Int, _ isOpen: Bool) -> Bool {
        if let file {
            // What the file is too old for answers ENOSYS as long as the rest answers with an errno.
            let isYoung = policy.origins[call] == ProfileReason.youngerThanFile.place
            return file.isUnnamed[call] && !(isYoung && refusal.rawValue >> 16 == 5)
        }
        return isOpen || policy.verdicts[call].rawValue == Verdict.refuse.rawValue
    }

    /// What `deny` answers: an errno.
    private var denial: Verdict { refusal.rawValue >> 16 == 5 ? refusal : .refuse }

    /// The lists from the laxest to the strictest, so that among groups the strictest holds.
    private mutating func apply(groupsOnly: Bool) {
        apply(written.allow, "allow", .allow, groupsOnly)
        apply(written.log, "log", .log, groupsOnly)
        apply(written.deny, "deny", denial, groupsOnly)
        apply(written.kill, "kill", .kill, groupsOnly)
    }

    private mutating func apply(
        _ list: [Located<String>], _ key: String, _ verdict: Verdict, _ groupsOnly: Bool
    ) {
        let words = "seccomp.\(key)"
        for entry in list where CallNames.isGroup(entry.value) == groupsOnly {
            if groupsOnly {
                guard let members = CallNames.members(of: entry.value) else {
                    unknown("group", entry, key)
                    continue
                }
                let place = origin("\(words): \(entry.value)", entry.position)
                for call in members { decide(call, verdict, place, opens: !isGuarded(call)) }
            } else if let call = CallNames.index(of: entry.value) {
                let place = origin(words, entry.position)
                // A name in `log` is over what groups say, not over what the profile looks at.
                if verdict.rawValue == Verdict.log.rawValue { restore(call) }
                decide(call, verdict, place, opens: true)
                isNamed[call] = true
                named[call] = entry.position
            } else if !CallNames.isKnown(entry.value) {
                unknown("system call", entry, key)
            }
        }
    }

    private mutating func unknown(_ what: String, _ entry: Located<String>, _ key: String) {
        guard faults.count < 100 else { return }
        fault(
            "seccomp.\(key): unknown \(what) \(quoted(entry.value))", at: entry.position,
            hint: CallNames.nearest(to: entry.value).map { "did you mean \(quoted($0))?" })
    }

    /// What a group does not open: the calls that make namespaces, and those that a profile looks into.
    private func isGuarded(_ call: Int) -> Bool {
        if case .none? = written.profile?.value { return false }
        switch callTable[call].kind {
        case .namespaces, .guarded: return true
        default: return false
        }
    }

    /// What a list makes of a call; `opens`: of one that is refused too.
    private mutating func decide(_ call: Int, _ verdict: Verdict, _ origin: Int, opens: Bool) {
        if verdict.rawValue == Verdict.log.rawValue {
            log(call, origin, opens)
        } else if opens || !verdict.permits {
            policy.verdicts[call] = verdict
            policy.origins[call] = origin
            dropRules(of: call)
        }
    }

    /// To log is not to open: what is made of a call for some arguments is told, and what is refused by arguments stays so.
    /// A call that is refused whatever its arguments is opened by it.
    private mutating func log(_ call: Int, _ origin: Int, _ opens: Bool) {
        var isMade = policy.verdicts[call].permits
        for index in policy.rules.indices {
            let rule = policy.rules[index]
            guard rule.call == call, rule.verdict.permits else { continue }
            isMade = true
            policy.rules[index] = EffectivePolicy.Rule(
                call: call, conditions: rule.conditions, verdict: .log, origin: origin)
        }
        guard policy.verdicts[call].permits || (!isMade && opens) else { return }
        policy.verdicts[call] = .log
        policy.origins[call] = origin
    }

    /// As before the lists.
    private mutating func restore(_ call: Int) {
        guard let unlisted else { return }
        policy.verdicts[call] = unlisted.verdicts[call]
        policy.origins[call] = unlisted.origins[call]
        dropRules(of: call)
        policy.rules += unlisted.rules.filter { $0.call == call }
    }

    private mutating func dropRules(of call: Int) {
        if !policy.rules.isEmpty { policy.rules.removeAll { $0.call == call } }
    }
}

extension PolicyResolver {
    /// `[[seccomp.rule]]`.
    fileprivate mutating func applyRules() {
        guard !written.rules.isEmpty else { return }
        // More instructions than a filter may have, whatever they are.
        guard written.rules.count <= FilterCompiler.limit else {
            fault(
                "seccomp.rule: \(written.rules.count) rules are more than a filter can hold",
                at: written.rules[FilterCompiler.limit].call.position, hint: "name calls in the lists")
            return
        }
        var own: [(rule: EffectivePolicy.Rule, position: Position?)] = []
        for rule in written.rules {
            guard let call = CallNames.index(of: rule.call.value) else {
                if !CallNames.isKnown(rule.call.value) { unknown("system call", rule.call, "rule") }
                continue
            }
            guard let conditions = conditions(of: rule, callTable[call]) else { continue }
            let place = origin("seccomp.rule", rule.call.position)
            own.append(
                (
                    EffectivePolicy.Rule(
                        call: call, conditions: conditions, verdict: Verdict(rule.action), origin: place),
                    rule.call.position
                ))
        }
        // Stable by call, then the strictest first.
        let order = own.indices.sorted { a, b in
            let (left, right) = (own[a].rule, own[b].rule)
            if left.call != right.call { return left.call < right.call }
            if left.verdict.rawValue != right.verdict.rawValue { return left.verdict.isStricter(than: right.verdict) }
            return a < b
        }
        let sorted = order.map { own[$0] }
        reportContradictions(sorted)
        narrow(sorted.map(\.rule))
        // In front of the profile's.
        policy.rules = Self.merged(sorted.map(\.rule), policy.rules)
    }

    /// Rules of one call together, the user's before the profile's.
    private static func merged(_ own: [EffectivePolicy.Rule], _ profile: [EffectivePolicy.Rule]) -> [EffectivePolicy
        .Rule]
    {
        var result: [EffectivePolicy.Rule] = []
        var calls: [Int] = []
        for rule in own + profile where !calls.contains(rule.call) { calls.append(rule.call) }
        for call in calls {
            result += own.filter { $0.call == call }
            result += profile.filter { $0.call == call }
        }
        return result
    }

    /// A call that a rule allows for some arguments is allowed for what rules say alone: what the profile or a list lets
    /// through besides goes. What the profile refuses by arguments stays, behind the rules, and keeps its errno.
    private mutating func narrow(_ own: [EffectivePolicy.Rule]) {
        for rule in own where rule.verdict.permits && !rule.conditions.isEmpty {
            policy.rules.removeAll { $0.call == rule.call && $0.verdict.permits }
            guard policy.verdicts[rule.call].permits else { continue }
            policy.verdicts[rule.call] = refusal
            policy.origins[rule.call] = rule.origin
        }
    }

    private mutating func reportContradictions(_ own: [(rule: EffectivePolicy.Rule, position: Position?)]) {
        // What the rules of one call say, as one word for each: equal ones with another action stand side by side.
        let keyed = own.map { entry in
            (
                key: "\(entry.rule.call) " + entry.rule.conditions.map(\.key).sorted().joined(separator: " "),
                entry: entry
            )
        }.sorted { $0.key < $1.key }
        for (one, other) in zip(keyed, keyed.dropFirst()) where one.key == other.key {
            guard one.entry.rule.verdict != other.entry.rule.verdict else { continue }
            fault(
                "seccomp.rule: \(callTable[one.entry.rule.call].name) for the same arguments has another action"
                    + (one.entry.position.map { ", first at \($0)" } ?? ""), at: other.entry.position)
        }
        for entry in own where entry.rule.conditions.isEmpty && isNamed[entry.rule.call] {
            fault(
                "seccomp.rule: \(callTable[entry.rule.call].name) without arguments is in a list too"
                    + (named[entry.rule.call].map { ", first at \($0)" } ?? ""), at: entry.position)
        }
    }

    private mutating func conditions(of rule: SeccompPolicy.Rule, _ call: SystemCall) -> [Condition]? {
        guard rule.arguments.count <= 12 else {
            fault("seccomp.rule: more than 12 comparisons in one rule", at: rule.call.position)
            return nil
        }
        var result: [Condition] = []
        for argument in rule.arguments {
            let value: UInt64
            do throws(Constants.Unknown) {
                value = try Constants.value(of: argument.value.value, on: context.architecture)
            } catch {
                fault(
                    "seccomp.rule: unknown constant \(quoted(error.word))", at: argument.value.position,
                    hint: Constants.nearest(to: error.word).map { "did you mean \(quoted($0))?" } ?? "write its number")
                return nil
            }
            let bits = call.bits(ofArgument: argument.index)
            guard value & ~bits == 0 else {
                fault(
                    "seccomp.rule: the kernel reads \(bits.nonzeroBitCount) bits of argument \(argument.index) of "
                        + "\(call.name), which are never \(quoted(argument.value.value))", at: argument.value.position)
                return nil
            }
            if case .masked = argument.op, value == 0 {
                fault("seccomp.rule: no bit is set in 0", at: argument.value.position)
                return nil
            }
            result.append(Condition(argument.index, argument.op.comparison, value, bits))
            // Before what follows is looked at: the first comparison that leaves nothing is the one to show.
            guard result.canHold(for: argument.index) else {
                let isAlone = result.count { $0.argument == argument.index } == 1
                fault(
                    "seccomp.rule: no argument \(argument.index) of \(call.name) is "
                        + "\(argument.op.rawValue) \(argument.value.value)"
                        + (isAlone ? "" : " and meets the rule's other comparisons"), at: argument.value.position,
                    hint: isAlone ? nil : "write a rule for each: rules of one call add up")
                return nil
            }
        }
        return result
    }
}

extension Condition {
    fileprivate var key: String { "\(argument) \(comparison) \(value) \(bits)" }
}

extension SeccompPolicy.Argument.Operator {
    var comparison: Condition.Comparison {
        switch self {
        case .equal: .equal
        case .notEqual: .notEqual
        case .less: .less
        case .lessOrEqual: .lessOrEqual
        case .greater: .greater
        case .greaterOrEqual: .greaterOrEqual
        case .masked: .anyBit
        }
    }
}
