import JailSpec
import SpecFile

extension PolicyResolver {
    /// The comparisons of a rule; nil where one of them is wrong. All of them are looked at, also where the call is not known, and with
    /// it the width of its arguments.
    mutating func conditions(
        of arguments: [SeccompPolicy.Argument], _ call: SystemCall?, at position: Position?
    ) -> [Condition]? {
        guard arguments.count <= 12 else {
            fault("seccomp.rule: more than 12 comparisons in one rule", at: position)
            return nil
        }
        var result: [Condition] = []
        var isWhole = true
        for argument in arguments {
            guard let value = number(argument.value) else {
                isWhole = false
                continue
            }
            guard let call else { continue }
            guard let condition = condition(argument, value, call, beside: result) else {
                isWhole = false
                continue
            }
            result.append(condition)
        }
        return isWhole && call != nil ? result : nil
    }

    /// What a value stands for; nil, and told, where it is none.
    mutating func number(_ value: Located<String>) -> UInt64? {
        do throws(Constants.Unknown) {
            return try Constants.value(of: value.value, on: context.architecture)
        } catch {
            fault(
                "seccomp.rule: unknown constant \(quoted(error.word))", at: value.position,
                hint: Constants.nearest(to: error.word).map { "did you mean \(quoted($0))?" } ?? "write its number")
            return nil
        }
    }

    /// One comparison of a call, beside those that stand before it; nil, and told, where no argument meets them.
    private mutating func condition(
        _ argument: SeccompPolicy.Argument, _ value: UInt64, _ call: SystemCall, beside others: [Condition]
    ) -> Condition? {
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
        let result = Condition(argument.index, argument.op.comparison, value, bits)
        // Before what follows is looked at: the first comparison that leaves nothing is the one to show.
        guard (others + [result]).canHold(for: argument.index) else {
            let isAlone = !others.contains { $0.argument == argument.index }
            fault(
                "seccomp.rule: no argument \(argument.index) of \(call.name) is "
                    + "\(argument.op.rawValue) \(argument.value.value)"
                    + (isAlone ? "" : " and meets the rule's other comparisons"), at: argument.value.position,
                hint: isAlone ? nil : "write a rule for each: rules of one call add up")
            return nil
        }
        return result
    }
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
