import SpecFile

/// What bubblewrap's operations on files leave in the end: it does them in the order of the words, each over the last.
struct BubblewrapTree {
    /// What stands at a target.
    enum Content {
        case bind(source: String, isWritable: Bool, hasDevices: Bool)
        case descriptor(number: String, isWritable: Bool)
        case data(descriptor: String, isBound: Bool, isWritable: Bool)
        case overlay(lower: [String], upper: String?, work: String?, isWritable: Bool)
        case proc, dev, tmpfs, mqueue, directory
        case symlink(to: String)

        /// Whether it covers what is below its target.
        var isMount: Bool {
            switch self {
            case .directory, .symlink: false
            case .data(_, let isBound, _): isBound
            default: true
            }
        }
    }

    struct Entry {
        let target: String
        var content: Content
        let directive: Directive
        var isOptional = false
        var mode: String?
        var size: String?
    }

    private(set) var entries: [Entry] = []
    /// The sources of binds that are covered: bubblewrap fails all the same where one is missing.
    private(set) var coveredSources: [String] = []
    /// The root that was made read-only after all.
    private(set) var rootIsReadOnly = false

    /// The last one on the root.
    var root: Entry? { entries.last { $0.target == "/" } }

    func entry(at target: String) -> Entry? { entries.last { $0.target == target } }

    mutating func add(_ entry: Entry, _ draft: inout Draft) {
        guard !entry.target.split(separator: "/").contains("..") else {
            return draft.fail("\(quoted(entry.target)): a target with `..`", entry.directive)
        }
        if !entry.content.isMount, let there = self.entry(at: entry.target) { return keep(there, entry, &draft) }
        if entry.content.isMount { cover(entry, &draft) }
        entries.append(entry)
    }

    /// A directory or a link where something is already.
    private mutating func keep(_ there: Entry, _ entry: Entry, _ draft: inout Draft) {
        switch (entry.content, there.content) {
        case (.symlink(let new), .symlink(let old)) where new != old:
            draft.fail(
                "Can't make symlink at \(entry.target): existing destination is \(old)", entry.directive)
        case (.symlink, .symlink), (.directory, _):
            draft.isInForce("it is there already, by \(there.directive.reference)", entry.directive)
        default:
            draft.fail("\(entry.target) is there already, by \(there.directive.reference)", entry.directive)
        }
    }

    /// What is on the target or below it is not to be seen any more.
    private mutating func cover(_ entry: Entry, _ draft: inout Draft) {
        var kept: [Entry] = []
        for earlier in entries {
            guard isWithin(earlier.target, entry.target) else {
                kept.append(earlier)
                continue
            }
            if case .bind(let source, _, _) = earlier.content, !earlier.isOptional { coveredSources.append(source) }
            if earlier.target == entry.target, case .directory = earlier.content {
                draft.isInForce("the place that \(entry.directive.words) is mounted on", earlier.directive)
            } else if entry.isOptional {
                draft.warn(
                    "left out: \(entry.directive.reference) covers it where its source is there", earlier.directive)
            } else {
                draft.warn("has no effect: \(entry.directive.reference) covers it", earlier.directive)
            }
        }
        entries = kept
    }

    /// `--remount-ro`, of that one mount.
    mutating func makeReadOnly(_ target: String, _ directive: Directive, _ draft: inout Draft) {
        if target == "/" {
            rootIsReadOnly = true
            return draft.isInForce("the root stays read-only", directive)
        }
        guard let index = entries.lastIndex(where: { $0.target == target && $0.content.isMount }) else {
            return draft.fail("\(target) is not a mount of this command line", directive)
        }
        switch entries[index].content {
        case .bind(let source, _, let hasDevices):
            entries[index].content = .bind(source: source, isWritable: false, hasDevices: hasDevices)
            draft.warn("read-only with all that is mounted in it; bubblewrap leaves those writable", directive)
        case .tmpfs: draft.lose("a tmpfs that is read-only, with what was put into it", restricts: true, directive)
        default: draft.lose("nothing but a bind can be made read-only afterwards", restricts: true, directive)
        }
    }

    /// `--chmod`.
    mutating func change(_ mode: String, of target: String, _ directive: Directive, _ draft: inout Draft) {
        guard let index = entries.lastIndex(where: { $0.target == target }) else {
            return draft.lose("\(target) is not made by this command line", directive)
        }
        switch entries[index].content {
        case .directory, .tmpfs, .data(_, false, _):
            entries[index].mode = mode
            draft.isInForce("the mode of \(entries[index].directive.words)", directive)
        default: draft.lose("the mode of what is on the host stays as it is", directive)
        }
    }
}
