import SpecFile

extension Section {
    /// `[identity]`.
    mutating func identity() -> Identity {
        var result = Identity()
        guard var section = section("identity") else { return result }
        result.user = section.value("user", Form.account)
        result.group = section.value("group", Form.account)
        result.groups = section.distinct("groups", Form.account).map { groups in
            Located(groups.value.map(\.value), at: groups.position)
        }
        // NGROUPS_MAX, setgroups(2)
        if let groups = result.groups, groups.value.count > 65_536 {
            report("identity.groups: more than 65536", at: groups.position)
        }
        result.umask = section.value("umask", Form.mode(upTo: 0o777, isMask: true))
        result.uidMap = section.identityMap("uid_map")
        result.gidMap = section.identityMap("gid_map")
        section.finish()
        return result
    }

    private mutating func identityMap(_ key: String) -> Located<Identity.IdentityMap>? {
        guard let entry = table[key] else {
            // None, but in a survey.
            for var section in sections(key) {
                _ = section.range()
                section.finish()
            }
            return nil
        }
        if case .string = entry.node.value { return value(key, Form.automaticMap) }
        guard case .array(let nodes) = entry.node.value, !nodes.isEmpty else {
            _ = self.entry(key)
            report(
                "\(path(key)): must be \"auto\" or an array of ranges", at: entry.node.position, hint: Form.rangeHint)
            return nil
        }
        // UID_GID_MAP_MAX_EXTENTS, user_namespaces(7)
        if nodes.count > 340 { report("\(path(key)): more than 340 ranges", at: entry.node.position) }
        var ranges: [Located<Identity.Range>] = []
        for var section in sections(key) {
            if let range = section.range(), nodes.count <= 340 {
                section.reportOverlap(range, with: ranges)
                ranges.append(Located(range, at: section.position))
            }
            section.finish()
        }
        return Located(.ranges(ranges.map(\.value)), at: entry.node.position)
    }

    private mutating func range() -> Identity.Range? {
        let inside = required("inside", Form.integer(0...Form.lastID))
        let outside = required("outside", Form.integer(0...Form.lastID))
        let count = required("count", Form.integer(1...UInt32.max))
        guard let inside, let outside, let count else { return nil }
        for (key, first) in [("inside", inside), ("outside", outside)]
        where UInt64(first.value) + UInt64(count.value) > UInt64(UInt32.max) {
            report("\(path(key)): the range runs past the last id, \(Form.lastID)", at: count.position)
            return nil
        }
        return Identity.Range(inside: inside.value, outside: outside.value, count: count.value)
    }

    private func reportOverlap(_ range: Identity.Range, with others: [Located<Identity.Range>]) {
        func overlap(_ a: UInt32, _ b: UInt32, _ other: UInt32) -> Bool {
            UInt64(a) < UInt64(b) + UInt64(other) && UInt64(b) < UInt64(a) + UInt64(range.count)
        }
        for other in others {
            for (side, overlaps) in [
                ("inside", overlap(range.inside, other.value.inside, other.value.count)),
                ("outside", overlap(range.outside, other.value.outside, other.value.count)),
            ] where overlaps {
                report("\(name): overlaps another range \(side)\(also(at: other.position))", at: position)
            }
        }
    }
}

extension Form {
    /// (uid_t)-1 means "leave as it is" in setresuid(2), so that it is not an id.
    static let lastID = UInt32.max - 1
    fileprivate static let rangeHint = "write [{ inside = 0, outside = 1000, count = 1 }]"

    fileprivate static func automaticMap(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> Identity.IdentityMap
    {
        let word = try text(node, decoding)
        guard word == "auto" else { throw fault("unknown word \(quoted(word))", node, hint: "\"auto\", or an array") }
        return .automatic
    }

    /// A user or group: a number, also as a string of digits, or a name. Whatever is neither is an error: a text that is
    /// read as 0 because it is not understood would be root.
    fileprivate static func account(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> Identity.Account {
        if case .integer(let value) = node.value {
            guard let id = UInt32(exactly: value), id <= lastID else { throw fault("\(value) is not an id", node) }
            return .id(id)
        }
        guard case .string = node.value else { throw fault("must be a name or a number, not \(node.kind)", node) }
        let name = try nonEmpty(node, decoding)
        if let number = canonicalNumber(name), number <= lastID { return .id(UInt32(number)) }
        guard isAccountName(name) else {
            throw fault(
                "\(quoted(name)) is neither an id nor a name", node, hint: "an id is 0 to \(lastID), in plain decimal")
        }
        return .name(name)
    }

    /// As useradd(8) has it, and capitals and dots, which directories of accounts have.
    private static func isAccountName(_ name: String) -> Bool {
        guard name.utf8.count <= 256, let first = name.utf8.first else { return false }
        let plain = name.utf8.enumerated().allSatisfy { index, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."): index > 0
            case UInt8(ascii: "$"): index > 0 && index == name.utf8.count - 1
            default: false
            }
        }
        return plain && first != UInt8(ascii: "-")
    }
}
