import JailSpec
import SpecFile

extension PolicyResolver {
    /// The lists from the laxest to the strictest, so that among groups the strictest holds.
    mutating func apply(groupsOnly: Bool) {
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
            } else if policy.isOfOther(entry.value) {
                let place = origin(words, entry.position)
                policy.namedOfOthers.append(.init(name: entry.value, verdict: verdict, origin: place))
            } else if !CallNames.isKnown(entry.value) {
                unknown("system call", entry, key)
            }
        }
    }

    mutating func unknown(_ what: String, _ entry: Located<String>, _ key: String) {
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
