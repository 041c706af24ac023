import JailSpec
import SpecFile

extension PolicyResolver {
    mutating func conditions(of rule: SeccompPolicy.Rule, _ call: SystemCall) -> [Condition]? {
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
