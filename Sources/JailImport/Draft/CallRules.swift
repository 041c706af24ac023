import SpecFile
import SystemCallFilter

/// A comparison of an argument of a call: the operators of a spec, and `!&` for "none of these bits is set".
struct ArgumentCondition: Equatable {
    let index: Int
    var op: String
    var value: String

    /// What holds where this does not.
    var opposite: ArgumentCondition {
        let pairs = ["==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "&": "!&", "!&": "&"]
        return ArgumentCondition(index: index, op: pairs[op] ?? op, value: value)
    }

    /// The alternatives under which none of these holds.
    static func negated(_ alternatives: [[Self]]) -> [[Self]] {
        alternatives.reduce([[]]) { result, alternative in
            result.flatMap { left in alternative.map { left + [$0.opposite] } }
        }
    }
}

extension Draft {
    /// Lists a call, or adds a rule for each alternative; false where a spec cannot say the condition.
    ///
    /// `otherwise` is what becomes of the call where no alternative holds.
    mutating func decide(
        _ call: String, _ action: String, _ alternatives: [[ArgumentCondition]], otherwise: String,
        _ directive: Directive
    ) -> Bool {
        guard !alternatives.isEmpty else {
            list(call, action, directive)
            return true
        }
        let isPlain = !alternatives.joined().contains { $0.op == "!&" }
        if isPlain {
            for alternative in alternatives {
                rule(call, action, alternative.map { ($0.index, $0.op, $0.value) }, directive)
            }
            return true
        }
        // Bits that are not to be set: the call is allowed, and what has them is taken away.
        let taken = ArgumentCondition.negated(alternatives)
        guard action == "allow", taken.count <= 64, !taken.joined().contains(where: { $0.op == "!&" }) else {
            return false
        }
        list(call, "allow", directive)
        for alternative in taken { rule(call, otherwise, alternative.map { ($0.index, $0.op, $0.value) }, directive) }
        return true
    }

    private mutating func list(_ call: String, _ action: String, _ directive: Directive) {
        switch action {
        case "allow", "kill", "log": append("seccomp.\(action)", call, directive)
        default: rule(call, action, [], directive)
        }
    }

    /// Whether such a call is known; a fault where it is not.
    mutating func knows(_ call: String, _ directive: Directive) -> Bool {
        if CallNames.isKnown(call) { return true }
        fail(
            "unknown system call \(call)", directive,
            hint: CallNames.nearest(to: call).map { "did you mean \($0)?" })
        return false
    }
}
