import SpecFile

extension Section {
    /// `[capabilities]`.
    mutating func capabilities() -> CapabilitySets {
        var result = CapabilitySets()
        guard var section = section("capabilities") else { return result }
        result.keep = section.capabilitySet("keep")
        result.bounding = section.capabilitySet("bounding")
        result.permitted = section.capabilitySet("permitted")
        result.effective = section.capabilitySet("effective")
        result.inheritable = section.capabilitySet("inheritable")
        result.ambient = section.capabilitySet("ambient")
        section.finish()
        section.reportUnreachable(result)
        return result
    }

    private mutating func capabilitySet(_ key: String) -> Located<CapabilitySet>? {
        guard let list = list(key, Form.capability) else { return nil }
        var set: CapabilitySet = []
        for (index, capability) in list.value.enumerated() {
            if set.contains(capability.value) {
                let first = list.value[..<index].first { $0.value == capability.value }
                report("\(path(key)): given twice\(also(at: first?.position))", at: capability.position)
            }
            set = set | CapabilitySet(capability.value)
        }
        return Located(set, at: list.position)
    }

    /// capabilities(7): effective lies within permitted, ambient within permitted and inheritable; the kernel refuses the
    /// rest with EPERM.
    private func reportUnreachable(_ sets: CapabilitySets) {
        let keep = sets.keep?.value ?? []
        func check(
            _ name: String, _ set: Located<CapabilitySet>?, within other: Located<CapabilitySet>?, _ outer: String
        ) {
            guard let set else { return }
            let missing = set.value.subtracting(keep.union(other?.value ?? [])).capabilities.map(\.name)
            guard !missing.isEmpty else { return }
            reportLack(
                "\(path(name)): \(missing.joined(separator: ", ")) is not in \(outer)", at: set.position,
                hint: "add it to capabilities.\(outer), or use only capabilities.keep")
        }
        check("effective", sets.effective, within: sets.permitted, "permitted")
        check("ambient", sets.ambient, within: sets.permitted, "permitted")
        check("ambient", sets.ambient, within: sets.inheritable, "inheritable")
    }
}

extension Form {
    fileprivate static func capability(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> Capability {
        let word = try text(node, decoding)
        if let capability = Capability(named: word) { return capability }
        let bare = word.lowercased().hasPrefix("cap_") ? String(word.dropFirst(4)) : word
        let near = nearest(bare, Capability.allCases.map(\.name))
        throw fault(
            "unknown capability \(quoted(word))", node, hint: near.map { "did you mean \(quoted($0))?" })
    }
}
