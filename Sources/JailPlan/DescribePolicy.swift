package import JailSpec
package import SpecFile
package import SystemCallFilter

extension Spec {
    /// What the policy has to know of the rest of the spec.
    package var filterContext: FilterContext {
        var context = FilterContext()
        for set in [capabilities.keep, capabilities.bounding, capabilities.permitted] {
            context.capabilities = context.capabilities | (set?.value ?? CapabilitySet(rawValue: 0))
        }
        context.isNested = namespaces.nested.value
        context.ownsProcesses = namespaces[.pid].value.isNew
        return context
    }

    /// What is wrong with `[seccomp]` beyond its form: names, constants, contradictions.
    package var policyFaults: [Diagnostic] { EffectivePolicy.resolve(seccomp, in: filterContext).faults }
}

extension EffectivePolicy {
    /// Every call with what becomes of it and why, as `immure plan --json` shows it.
    package var json: JSON {
        .object([
            (
                "calls",
                .array(
                    calls.map { call in
                        .object(
                            [
                                ("name", .string(call.name)), ("number", .integer(call.number)),
                                ("action", .string(call.verdict.name)), ("reason", .string(call.origin.words)),
                                ("position", JSON(call.origin.position)),
                            ] + (call.rules.isEmpty ? [] : [("rules", .array(call.rules.map(\.json)))]))
                    })
            ),
            ("unknown", .string(unknown.name)), ("foreign", .string(foreign.name)),
        ])
    }
}

extension EffectivePolicy.Call.Rule {
    fileprivate var json: JSON {
        .object([
            ("arguments", .string(words)), ("action", .string(verdict.name)), ("reason", .string(origin.words)),
            ("position", JSON(origin.position)),
        ])
    }
}
