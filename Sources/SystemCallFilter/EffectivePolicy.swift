import LinuxFacts
package import SpecFile

/// What becomes of every call on one architecture, with the reason for each: profile, lists and rules put together.
package struct EffectivePolicy: Equatable, Sendable {
    /// Where a decision comes from.
    package struct Origin: Equatable, Sendable {
        /// In a few words: `seccomp.deny`, `profile "default": keyrings`.
        package let words: String
        /// The line of the spec; nil for what a profile decides.
        package let position: Position?
    }

    /// A decision for arguments that meet all the conditions.
    package struct Rule: Equatable, Sendable {
        /// The index of the call in the table.
        let call: Int
        package let conditions: [Condition]
        package let verdict: Verdict
        let origin: Int
    }

    package let architecture: Architecture
    /// By index of the table.
    var verdicts: [Verdict]
    var origins: [Int]
    /// Those of a call stand together, in the order in which they are asked: the first that is met decides.
    var rules: [Rule] = []
    /// For numbers that are not in the table.
    package var unknown = Verdict.absent
    var unknownOrigin = 0
    /// For calls of another ABI than those of `others`.
    package let foreign = Verdict.kill
    /// Other ABIs whose calls are decided as the machine's own.
    package var others: [OtherABI] = []
    /// What lists say of calls that only those have.
    var namedOfOthers: [NamedCall] = []
    var sources: [Origin]
    /// The line that the filter as a whole comes from; nil for the default.
    package var position: Position?
    /// What a file names and other architectures have: calls and ABIs, with the place.
    package var passedOver: [Located<String>] = []
    package var closedABIs: [Located<String>] = []

    /// What a policy says to one call.
    package struct Answer: Equatable, Sendable {
        /// nil for a number that no table has.
        package let name: String?
        package let verdict: Verdict
        package let origin: Origin
    }

    /// What the policy says to a call: the number and `arch` as `struct seccomp_data` has them, six arguments.
    package func answer(number: Int32, architecture audit: UInt32, arguments: [UInt64]) -> Answer {
        let bits = UInt32(bitPattern: number)
        if let other = OtherABI.ofCall(bits, audit), others.contains(other) {
            return answer(other.call(number: bits), arguments)
        }
        if audit != architecture.auditValue || (architecture.isX86 && bits >= AuditArchitecture.x32Bit && bits != .max)
        {
            let abi = audit == architecture.auditValue ? "x32" : Architecture.name(auditValue: audit)
            let origin = Origin(words: "calls of the foreign ABI \(abi)", position: position)
            return Answer(name: nil, verdict: foreign, origin: origin)
        }
        guard let call = callTable.firstIndex(where: { $0.number(on: architecture) == Int(number) }) else {
            return Answer(name: nil, verdict: unknown, origin: sources[unknownOrigin])
        }
        let name = callTable[call].name
        for rule in rules where rule.call == call && rule.conditions.allSatisfy({ $0.holds(for: arguments) }) {
            return Answer(name: name, verdict: rule.verdict, origin: sources[rule.origin])
        }
        return Answer(name: name, verdict: verdicts[call], origin: sources[origins[call]])
    }

    private func answer(_ call: OtherABI.Call?, _ arguments: [UInt64]) -> Answer {
        guard let call, !call.name.isEmpty else {
            return Answer(name: nil, verdict: unknown, origin: sources[unknownOrigin])
        }
        let decision = decision(on: call)
        for rule in rules[decision.rules] where rule.conditions.allSatisfy({ $0.holds(for: arguments) }) {
            return Answer(name: call.name, verdict: rule.verdict, origin: sources[rule.origin])
        }
        return Answer(name: call.name, verdict: decision.verdict, origin: sources[decision.origin])
    }
}

extension EffectivePolicy {
    /// Whether a call is made whatever its arguments.
    package func permits(_ name: String) -> Bool {
        guard let call = CallNames.index(of: name) else { return false }
        return verdicts[call].permits && rules.allSatisfy { $0.call != call || $0.verdict.permits }
    }

    /// Whether no call of a group is made, whatever its arguments; calls of other architectures do not count.
    package func refuses(group: String) -> Bool {
        guard let members = CallNames.members(of: group) else { return false }
        return members.allSatisfy { call in
            callTable[call].number(on: architecture) == nil
                || !verdicts[call].permits && rules.allSatisfy { $0.call != call || !$0.verdict.permits }
        }
    }

    /// How many calls of the architecture come to each verdict, those with rules apart: the policy in a line.
    package var summary: String {
        var counts: [(name: String, count: Int)] = []
        func add(_ name: String) {
            if let place = counts.firstIndex(where: { $0.name == name }) {
                counts[place].count += 1
            } else {
                counts.append((name, 1))
            }
        }
        for (index, call) in callTable.enumerated() where call.number(on: architecture) != nil {
            add(rules.contains { $0.call == index } ? "by argument" : verdicts[index].name)
        }
        counts.sort { $0.count > $1.count || ($0.count == $1.count && $0.name < $1.name) }
        return counts.map { "\($0.count) \($0.name)" }.joined(separator: ", ")
            + "; unknown \(unknown.name); "
            + (others.isEmpty ? "" : "\(others.map(\.name).joined(separator: ", ")) alike, other ")
            + "foreign ABI \(foreign.name)"
    }
}
