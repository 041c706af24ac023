import SpecFile

/// Mounts that a tool makes one after the other, each over what is there: what is left of them in the end.
struct MountList {
    struct Entry {
        let target: String
        let pairs: [(String, Node.Value)]
        let directive: Directive
    }

    private(set) var entries: [Entry] = []

    /// Adds a mount; `pairs` are its keys but the target.
    mutating func add(_ target: String, _ pairs: [(String, Node.Value)], _ directive: Directive, _ draft: inout Draft) {
        var kept: [Entry] = []
        for earlier in entries {
            if isWithin(earlier.target, target) {
                draft.warn("has no effect: \(directive.reference) covers it", earlier.directive)
            } else {
                kept.append(earlier)
            }
        }
        entries = kept + [Entry(target: target, pairs: pairs, directive: directive)]
    }

    /// A bind, in its short form where that says it all.
    mutating func bind(
        _ source: String, on target: String, _ options: [String], optional: Bool = false, _ directive: Directive,
        _ draft: inout Draft
    ) {
        var pairs: [(String, Node.Value)] = [("source", .string(source))]
        if !options.isEmpty { pairs.append(("options", .strings(options))) }
        if optional { pairs.append(("optional", .boolean(true))) }
        add(target, pairs, directive, &draft)
    }

    /// Gives a key of the mount on a target another value.
    mutating func change(_ target: String, _ key: String, to value: Node.Value) {
        for (index, entry) in entries.enumerated() where entry.target == target {
            let pairs = entry.pairs.filter { $0.0 != key } + [(key, value)]
            entries[index] = Entry(target: target, pairs: pairs, directive: entry.directive)
        }
    }

    func has(_ target: String) -> Bool { entries.contains { $0.target == target } }

    /// Where a hierarchy of control groups is shown; nil for nowhere.
    var cgroup: Directive? {
        entries.first { entry in entry.pairs.contains { $0.0 == "type" && $0.1 == .string("cgroup") } }?.directive
    }

    /// Without limits the jail has no control group of its own, and one that it may write to would be the caller's.
    mutating func closeGroups(_ draft: inout Draft) {
        for (index, entry) in entries.enumerated() {
            guard entry.pairs.contains(where: { $0.0 == "type" && $0.1 == .string("cgroup") }),
                case .array(let options)? = entry.pairs.first(where: { $0.0 == "options" })?.1,
                options.contains(where: { $0.value == .string("rw") })
            else { continue }
            let left = options.filter { $0.value != .string("rw") }
            let pairs = entry.pairs.filter { $0.0 != "options" } + (left.isEmpty ? [] : [("options", .array(left))])
            entries[index] = Entry(target: entry.target, pairs: pairs, directive: entry.directive)
            draft.warn("read-only, as a jail without limits has no control group of its own", entry.directive)
        }
    }

    func write(into draft: inout Draft) {
        for entry in entries {
            let plain = entry.pairs.count == 1 ? [] : entry.pairs.dropFirst().map(\.0)
            if case .string(let source)? = entry.pairs.first?.1, entry.pairs[0].0 == "source",
                plain.isEmpty || (plain == ["options"] && entry.pairs[1].1 == .strings(["ro"]))
            {
                draft.place(plain.isEmpty ? "rw" : "ro", source, on: entry.target, entry.directive)
            } else {
                draft.add("mount", [("target", .string(entry.target))] + entry.pairs, entry.directive)
            }
        }
    }
}

extension Draft {
    /// Shows what a pattern matches, which may be nothing; nil as options hides it.
    mutating func addPattern(_ pattern: String, _ options: [String]?, _ directive: Directive) {
        var pairs: [(String, Node.Value)] = [("target", .string(pattern))]
        pairs.append(options == nil ? ("type", .string("hide")) : ("source", .string(pattern)))
        if let options, !options.isEmpty { pairs.append(("options", .strings(options))) }
        add("mount", pairs + [("pattern", .boolean(true)), ("optional", .boolean(true))], directive)
    }
}
