import JailSpec
import SpecFile

/// The profile of a file, seen from this machine.
///
/// Of the entries that a call meets the strictest decides, whatever their order, and `defaultAction` where it meets none.
/// libseccomp decides alike where no two are met with different actions.
struct FileProfile {
    private(set) var policy: EffectivePolicy
    private(set) var faults: [Diagnostic] = []
    /// Calls that no entry names, which are left to `defaultAction`.
    private(set) var isUnnamed = [Bool](repeating: true, count: callTable.count)
    let refusesTheRest: Bool
    private let context: FilterContext
    private var rules: [(rule: EffectivePolicy.Rule, order: Int)] = []

    init(_ profile: SeccompProfile, at position: Position?, in context: FilterContext) {
        self.context = context
        policy = EffectivePolicy(allowingAllOn: context.architecture)
        policy.position = position
        let verdict = Verdict(profile.defaultAction.value)
        refusesTheRest = !verdict.permits
        let origin = self.origin("profile: defaultAction", profile.defaultAction.position)
        for index in policy.verdicts.indices {
            policy.verdicts[index] = verdict
            policy.origins[index] = origin
        }
        policy.unknown = verdict
        policy.unknownOrigin = origin
        checkArchitectures(profile)
        for entry in profile.entries { add(entry) }
        leaveYoungOnesToTheKernel(origin)
        sortRules()
    }

    private mutating func origin(_ words: String, _ position: Position?) -> Int {
        policy.sources.append(EffectivePolicy.Origin(words: words, position: position))
        return policy.sources.count - 1
    }

    private mutating func fault(_ message: String, at position: Position?, hint: String? = nil) {
        if faults.count < 100 { faults.append(Diagnostic(message, at: position, hint: hint)) }
    }

    /// Calls of another ABI stay closed, whatever the file says.
    private mutating func checkArchitectures(_ profile: SeccompProfile) {
        let own = context.architecture.names.library
        if let first = profile.architectures.first, !profile.architectures.contains(where: { $0.value == own }) {
            fault("architectures: the file is not for this machine, \(own)", at: first.position)
        }
        policy.closedABIs = profile.architectures.filter { $0.value != own }
        for companion in profile.companions where companion.architecture.value == own {
            policy.closedABIs += companion.others.filter { $0.value != own }
        }
    }

    private func counts(_ entry: SeccompProfile.Entry) -> Bool {
        let held = context.capabilities
        let (wanted, unwanted) = (entry.includes, entry.excludes)
        if !wanted.architectures.isEmpty, !wanted.architectures.contains(context.architecture.names.go) { return false }
        if unwanted.architectures.contains(context.architecture.names.go) { return false }
        if !wanted.capabilities.without(held).isNone { return false }
        if unwanted.capabilities.rawValue & held.rawValue != 0 { return false }
        if let kernel = wanted.kernel, let own = context.kernel, !own.isAtLeast(kernel) { return false }
        if let kernel = unwanted.kernel, context.kernel.map({ $0.isAtLeast(kernel) }) ?? true { return false }
        return true
    }

    private mutating func add(_ entry: SeccompProfile.Entry) {
        let isCounted = counts(entry)
        let verdict = Verdict(entry.action)
        for name in entry.names {
            guard let call = CallNames.index(of: name.value) else {
                guard CallNames.isKnown(name.value) else {
                    let near = faults.count < 100 ? CallNames.nearest(to: name.value) : nil
                    fault(
                        "unknown system call \(quoted(name.value))", at: name.position,
                        hint: near.map { "did you mean \(quoted($0))?" })
                    continue
                }
                policy.passedOver.append(name)
                continue
            }
            noteNumber(of: call)
            guard let number = callTable[call].number(on: context.architecture), number >= 0 else {
                policy.passedOver.append(name)
                continue
            }
            guard isCounted else { continue }
            let place = origin("profile", name.position)
            if entry.comparisons.isEmpty {
                if isUnnamed[call] || verdict.isStricter(than: policy.verdicts[call]) {
                    policy.verdicts[call] = verdict
                    policy.origins[call] = place
                }
                isUnnamed[call] = false
            } else {
                addRule(call, entry, verdict, place)
            }
        }
    }

    private var highest = -1

    private mutating func noteNumber(of call: Int) {
        if let number = callTable[call].number(on: context.architecture), number > highest { highest = number }
    }

    private mutating func addRule(_ call: Int, _ entry: SeccompProfile.Entry, _ verdict: Verdict, _ place: Int) {
        guard rules.count < FilterCompiler.limit else {
            if rules.count == FilterCompiler.limit {
                fault("more entries with args than a filter can hold", at: policy.sources[place].position)
            }
            return
        }
        var conditions: [Condition] = []
        for comparison in entry.comparisons {
            guard let condition = condition(comparison, callTable[call]) else { return }
            conditions.append(condition)
        }
        let rule = EffectivePolicy.Rule(call: call, conditions: conditions, verdict: verdict, origin: place)
        rules.append((rule, rules.count))
    }

    private mutating func condition(_ comparison: SeccompProfile.Comparison, _ call: SystemCall) -> Condition? {
        let read = call.bits(ofArgument: comparison.index)
        let bits = read & (comparison.mask ?? .max)
        let value = comparison.value.value
        guard bits != 0 else {
            fault(
                "args: of argument \(comparison.index) of \(call.name) no bit is compared",
                at: comparison.value.position)
            return nil
        }
        guard value & ~bits == 0 else {
            fault(
                "args: argument \(comparison.index) of \(call.name), of which \(bits.nonzeroBitCount) bits are compared, "
                    + "is never \(value)", at: comparison.value.position)
            return nil
        }
        return Condition(comparison.index, comparison.op.comparison, value, bits)
    }

    /// What libc tries first and the file is too old for answers ENOSYS, as where the kernel itself is too old for it.
    private mutating func leaveYoungOnesToTheKernel(_ rest: Int) {
        guard policy.unknown.rawValue >> 16 == 5, highest >= 0 else { return }
        policy.unknown = .absent
        policy.unknownOrigin = ProfileReason.youngerThanFile.place
        for index in policy.verdicts.indices where policy.origins[index] == rest {
            guard let number = callTable[index].number(on: context.architecture), number > highest else { continue }
            policy.verdicts[index] = .absent
            policy.origins[index] = ProfileReason.youngerThanFile.place
        }
    }

    /// The rules of a call together, the strictest first. What all of them leave over meets `defaultAction`, or the entry
    /// without comparisons, which then is met by every call and outweighs what is less strict.
    private mutating func sortRules() {
        guard !rules.isEmpty else { return }
        let sorted = rules.sorted { a, b in
            if a.rule.call != b.rule.call { return a.rule.call < b.rule.call }
            if a.rule.verdict.rawValue != b.rule.verdict.rawValue {
                return a.rule.verdict.isStricter(than: b.rule.verdict)
            }
            return a.order < b.order
        }
        for (rule, _) in sorted {
            let outweighed = !isUnnamed[rule.call] && !rule.verdict.isStricter(than: policy.verdicts[rule.call])
            if !outweighed { policy.rules.append(rule) }
        }
        for rule in policy.rules { isUnnamed[rule.call] = false }
    }
}
