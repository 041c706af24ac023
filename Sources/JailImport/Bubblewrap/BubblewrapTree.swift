import JailSpec
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

        var isLink: Bool { if case .symlink = self { true } else { false } }

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
        var target: String
        var content: Content
        let directive: Directive
        var isOptional = false
        var mode: String?
        var size: String?
        /// Whether it was made read-only after all: a mount that is written to until the jail is complete.
        var isSealed = false
        /// Whether it is only on the way to another, which has made it with a mode of its own.
        var isImplied = false
    }

    private(set) var entries: [Entry] = []
    /// The sources of binds that are covered: bubblewrap fails all the same where one is missing.
    private(set) var coveredSources: [String] = []
    /// The root that was made read-only after all.
    private(set) var rootIsReadOnly = false

    /// The last one on the root.
    var root: Entry? { entries.last { $0.target == "/" } }

    func entry(at target: String) -> Entry? { entries.last { $0.target == target } }

    /// Adds what an option puts at a target, or where a link of this command line leads from there.
    mutating func add(_ written: Entry, _ draft: inout Draft) {
        var entry = written
        if let place = followed(entry.target, followsLast: !entry.content.isLink) { entry.target = place }
        guard !entry.target.split(separator: "/").contains("..") else {
            return draft.fail("\(quoted(entry.target)): a target with `..`", entry.directive)
        }
        if !entry.content.isMount, let there = self.entry(at: entry.target) { return keep(there, entry, &draft) }
        if entry.content.isMount { cover(entry, &draft) }
        addParents(of: entry)
        entries.append(entry)
    }

    /// Where a target leads by the links that are made before it; nil where it is itself.
    private func followed(_ target: String, followsLast: Bool) -> String? {
        var path = target
        for _ in 0..<40 {
            let link = entries.first { entry in
                guard case .symlink = entry.content else { return false }
                return path == entry.target ? followsLast : isWithin(path, entry.target)
            }
            guard let link, case .symlink(let to) = link.content else { return path == target ? nil : path }
            let rest = path.dropFirst(link.target.count)
            let directory = link.target.split(separator: "/").dropLast().map { "/\($0)" }.joined()
            path = cleaned(resolved((to.hasPrefix("/") ? to : "\(directory)/\(to)") + rest))
        }
        return nil
    }

    /// Without `..`, which leads above what is before it.
    private func resolved(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") { if part == ".." { _ = parts.popLast() } else { parts.append(part) } }
        return "/" + parts.joined(separator: "/")
    }

    /// Directories on the way are as closed to the group and to others as what they are made for.
    private mutating func addParents(of entry: Entry) {
        guard let mode = entry.mode.flatMap({ UInt32($0, radix: 8) }) else { return }
        let bits = 0o755 & ~(mode & 0o070 == 0 ? 0o050 : 0) & ~(mode & 0o007 == 0 ? 0o005 : 0) as UInt32
        guard bits != 0o755 else { return }
        var path = ""
        for name in entry.target.split(separator: "/").dropLast() {
            path += "/" + name
            guard self.entry(at: path) == nil else { continue }
            entries.append(
                Entry(
                    target: path, content: .directory, directive: entry.directive, mode: String(bits, radix: 8),
                    isImplied: true))
        }
    }

    /// A directory or a link where something is already.
    private mutating func keep(_ there: Entry, _ entry: Entry, _ draft: inout Draft) {
        switch (entry.content, there.content) {
        case (.symlink(let new), .symlink(let old)) where new != old:
            draft.fail(
                "Can't make symlink at \(entry.target): existing destination is \(old)", entry.directive)
        case (.symlink, .symlink), (.directory, _):
            draft.isInForce(.nothing, "it is there already, by \(there.directive.reference)", entry.directive)
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
            if earlier.isImplied { continue }
            if earlier.target == entry.target, case .directory = earlier.content {
                draft.isInForce(.nothing, "the place that \(entry.directive.words) is mounted on", earlier.directive)
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
            return draft.isInForce(.readOnly("/"), "the root stays read-only", directive)
        }
        guard let index = entries.lastIndex(where: { $0.target == target && $0.content.isMount }) else {
            return draft.fail("\(target) is not a mount of this command line", directive)
        }
        switch entries[index].content {
        case .bind(let source, _, let hasDevices):
            entries[index].content = .bind(source: source, isWritable: false, hasDevices: hasDevices)
            draft.warn("read-only with all that is mounted in it; bubblewrap leaves those writable", directive)
        case .descriptor(let number, _): entries[index].content = .descriptor(number: number, isWritable: false)
        case .data(let number, let isBound, _):
            entries[index].content = .data(descriptor: number, isBound: isBound, isWritable: false)
        case .tmpfs, .overlay:
            entries[index].isSealed = true
            draft.isInForce(.readOnly(target), "\(entries[index].directive.words) is read-only", directive)
        case .dev: draft.isInForce(.nothing, "the jail's /dev is read-only", directive)
        default: draft.lose("what cannot be made read-only afterwards", restricts: true, directive)
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
            draft.isInForce(.nothing, "the mode of \(entries[index].directive.words)", directive)
        default: draft.lose("the mode of what is on the host stays as it is", directive)
        }
    }
}
