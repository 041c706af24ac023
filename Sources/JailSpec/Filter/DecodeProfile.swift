package import SpecFile

extension SeccompProfile {
    /// Decodes a file of OCI's `seccomp` block, with every fault found; the profile is nil where there is one.
    package static func decode(
        _ root: Node, in surroundings: Surroundings
    ) -> (profile: SeccompProfile?, diagnostics: [Diagnostic]) {
        let decoding = Decoding(surroundings)
        guard case .table(let table) = root.value else {
            return (nil, [Diagnostic("must be an object, not \(root.kind)", at: root.position)])
        }
        var section = Section(table, named: "", at: root.position, in: decoding)
        let profile = section.profile()
        section.finish()
        let faults = decoding.sorted(by: [])
        return (faults.isEmpty ? profile : nil, faults)
    }
}

extension Section {
    fileprivate mutating func profile() -> SeccompProfile? {
        let action = outcome("defaultAction", "defaultErrnoRet", "defaultErrno")
        var result = SeccompProfile(defaultAction: action ?? Located(.kill))
        result.architectures = list("architectures", Form.architecture)?.value ?? []
        for var entry in sections("archMap") {
            let architecture = entry.required("architecture", Form.architecture)
            let others = entry.list("subArchitectures", Form.architecture)?.value ?? []
            if let architecture { result.companions.append(.init(architecture: architecture, others: others)) }
            entry.finish()
        }
        if !result.companions.isEmpty, let first = result.architectures.first {
            report("architectures: there is an archMap as well", at: first.position)
        }
        refuseFlags()
        refuse("listenerPath", "a listener of the container engine")
        refuse("listenerMetadata", "a listener of the container engine")
        for var entry in sections("syscalls") where !decoding.isFull {
            if let calls = entry.entry() { result.entries.append(calls) }
            entry.finish()
        }
        return action == nil ? nil : result
    }

    /// An action with the errno that goes with it, which some files give by number, some by name, some by both.
    private mutating func outcome(
        _ key: String, _ number: String, _ name: String
    ) -> Located<SeccompPolicy.Action>? {
        let action = required(key, Form.engineAction)
        let number = value(number, Form.integer(0...4095 as ClosedRange<Int32>))
        let named = value(name, Form.errnoName)
        if let number, let named, number.value != named.value {
            report("\(path(name)): is not the errno of number \(number.value)", at: named.position)
        }
        guard let action, case .errno = action.value else {
            if let errno = number ?? named, let action {
                report("\(path(key)): the action has no errno", at: errno.position ?? action.position)
            }
            return action
        }
        return Located(.errno((number ?? named)?.value ?? 1), at: action.position)
    }

    /// SECCOMP_FILTER_FLAG_TSYNC is for the other threads of the launcher, of which there are none.
    private mutating func refuseFlags() {
        for flag in list("flags", Form.text)?.value ?? [] where flag.value != "SECCOMP_FILTER_FLAG_TSYNC" {
            report("flags: \(quoted(flag.value)) is not implemented", at: flag.position, hint: "remove it")
        }
    }

    private mutating func refuse(_ key: String, _ what: String) {
        guard let entry = entry(key) else { return }
        report("\(path(key)): \(what) is not implemented", at: entry.keyPosition, hint: "remove it")
    }

    private mutating func entry() -> SeccompProfile.Entry? {
        var names = list("names", Form.call)?.value ?? []
        if let name = value("name", Form.call) {
            if !names.isEmpty { report("\(path("name")): there are names as well", at: name.position) }
            names.append(name)
        }
        if names.isEmpty, table["names"] == nil, table["name"] == nil {
            report("\(path("names")): is missing", at: position)
        }
        let action = outcome("action", "errnoRet", "errno")
        _ = value("comment", Form.text)
        var comparisons: [SeccompProfile.Comparison] = []
        for var entry in sections("args") {
            if let comparison = entry.comparison() {
                if comparisons.contains(where: { $0.index == comparison.index }) {
                    entry.report(
                        "\(entry.path("index")): two comparisons of argument \(comparison.index), which container "
                            + "engines read in different ways", at: comparison.value.position,
                        hint: "write an entry for each")
                }
                comparisons.append(comparison)
            }
            entry.finish()
        }
        let includes = circumstances("includes")
        let excludes = circumstances("excludes")
        guard let action else { return nil }
        var result = SeccompProfile.Entry(names: names, action: action.value, comparisons: comparisons)
        (result.includes, result.excludes) = (includes, excludes)
        return result
    }

    /// `value` is the mask of a masked comparison, and `valueTwo` what it is compared with.
    private mutating func comparison() -> SeccompProfile.Comparison? {
        let index = required("index", Form.integer(0...5))
        let value = required("value", Form.integer(0...UInt64.max))
        let second = self.value("valueTwo", Form.integer(0...UInt64.max))
        let op = required("op", Form.engineOperator)
        guard let index, let value, let op else { return nil }
        guard let plain = op.value else {
            let wanted = Located(second?.value ?? 0, at: second?.position ?? value.position)
            return .init(index: index.value, op: .equal, value: wanted, mask: value.value)
        }
        if let second, second.value != 0 {
            report("\(path("valueTwo")): is only for SCMP_CMP_MASKED_EQ", at: second.position)
        }
        return .init(index: index.value, op: plain, value: value)
    }

    private mutating func circumstances(_ key: String) -> SeccompProfile.Circumstances {
        var result = SeccompProfile.Circumstances()
        guard var section = section(key) else { return result }
        for capability in section.list("caps", Form.engineCapability)?.value ?? [] {
            result.capabilities = result.capabilities | CapabilitySet(capability.value)
        }
        result.architectures = section.list("arches", Form.engineArchitecture)?.value.map(\.value) ?? []
        result.kernel = section.value("minKernel", Form.kernel)?.value
        section.finish()
        return result
    }
}
