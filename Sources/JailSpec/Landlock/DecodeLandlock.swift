import SpecFile

extension Section {
    /// `[landlock]`; nil where the section is absent or empty.
    mutating func landlock() -> Located<LandlockPolicy>? {
        guard var section = section("landlock") else { return nil }
        var result = LandlockPolicy()
        section.paths(.ro, "ro", into: &result)
        section.paths(.rx, "rx", into: &result)
        section.paths(.rw, "rw", into: &result)
        section.paths(.rwx, "rwx", into: &result)
        section.refuseNarrowing(result.rules)
        result.bindTCP = section.ports("bind_tcp")
        result.connectTCP = section.ports("connect_tcp")
        result.scope = section.distinct("scope", Form.word(LandlockPolicy.Scope.self))
        result.minimumABI = section.value("minimum_abi", Form.integer(1...1000))
        section.finish()
        return result == LandlockPolicy() ? nil : Located(result, at: section.position)
    }

    private mutating func paths(_ grant: LandlockPolicy.Grant, _ key: String, into policy: inout LandlockPolicy) {
        guard let list = distinct(key, Form.expandedPath) else { return }
        if policy.files == nil { policy.files = Located(grant, at: list.position) }
        for path in list.value { policy.rules.append(LandlockPolicy.Rule(grant, path)) }
    }

    /// Landlock adds up what the rules above a file allow (landlock(7)): a line that was to narrow a wider one further up
    /// would be without effect.
    private func refuseNarrowing(_ rules: [LandlockPolicy.Rule]) {
        for rule in rules where !decoding.isFull {
            guard let wider = rules.first(where: { $0.grant.exceeds(rule.grant) && rule.isWithin($0) }) else {
                continue
            }
            let place = wider.path.position.map { " at \($0)" } ?? ""
            report(
                "\(path(rule.grant.rawValue)): \(quoted(rule.path.value)) is within \(quoted(wider.path.value)), which "
                    + "\(wider.grant.rawValue)\(place) opens further", at: rule.path.position,
                hint: "rights add up downwards and no line takes any away: name the directories beside it instead")
        }
    }

    private mutating func ports(_ key: String) -> Located<[UInt16]>? {
        distinct(key, Form.integer(0...UInt16.max)).map { Located($0.value.map(\.value), at: $0.position) }
    }
}

extension LandlockPolicy.Rule {
    /// Whether the path is another rule's, or below it, as far as the text tells.
    fileprivate func isWithin(_ other: LandlockPolicy.Rule) -> Bool {
        let (inner, outer) = (path.value.utf8, other.path.value.utf8)
        guard inner.starts(with: outer) else { return false }
        return inner.count == outer.count || outer.elementsEqual("/".utf8)
            || inner[inner.index(inner.startIndex, offsetBy: outer.count)] == UInt8(ascii: "/")
    }
}
