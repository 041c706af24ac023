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
        context.ownsUsers = namespaces[.user].value.isNew
        context.filesOfOthers = filesystem.filesOfOthers
        return context
    }

    /// What is wrong with `[seccomp]` beyond its form: names, constants, contradictions.
    ///
    /// Of names alone where `isPartial`, or where a profile's file could not be read: whoever tried has said why.
    package func policyFaults(isPartial: Bool = false) -> [Diagnostic] {
        guard let seccomp else { return [] }
        var isUnread = false
        if case .file? = seccomp.value.profile?.value { isUnread = seccomp.value.file == nil }
        if isPartial || isUnread { return EffectivePolicy.faults(ofNames: seccomp, in: filterContext) }
        return EffectivePolicy.resolve(seccomp, in: filterContext).faults
    }
}

extension EffectivePolicy {
    /// What of a file is not put in force, as it is for other machines: a line for calls, one for ABIs.
    package var leftOut: [String] {
        [
            ("passed over, being calls of other architectures: ", passedOver),
            ("closed nevertheless: ", closedABIs),
        ].filter { !$0.1.isEmpty }.map { $0.0 + Self.words($0.1) }
    }

    private static func words(_ names: [Located<String>]) -> String {
        var distinct: [String] = []
        for name in names.map(\.value).sorted() where distinct.last != name { distinct.append(name) }
        return distinct.joined(separator: " ")
    }

    /// Every call with what becomes of it and why, as `immure plan --json` shows it.
    package var json: JSON {
        .object(
            [
                ("calls", .array(calls.map(\.json))), ("unknown", .string(unknown.name)),
                ("foreign", .string(foreign.name)),
            ] + others.map { ($0.name, .array(ownCalls(of: $0).map(\.json))) })
    }
}

extension EffectivePolicy.Call {
    fileprivate var json: JSON {
        .object(
            [
                ("name", .string(name)), ("number", .integer(number)), ("action", .string(verdict.name)),
                ("reason", .string(origin.words)), ("position", JSON(origin.position)),
            ] + (rules.isEmpty ? [] : [("rules", .array(rules.map(\.json)))]))
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
