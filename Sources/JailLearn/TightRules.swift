import SpecFile

/// The lists of `[landlock]` that leave open what was seen to be used: programs to execute, files and directories to read, and what
/// the other lines of the spec let the command write to.
struct TightRules {
    enum List: String, CaseIterable {
        case ro, rx, rw, rwx
    }

    private(set) var lists: [List: [(path: String, reason: String)]] = [:]

    private let places: Places
    private let table: GrantTable

    init(_ records: [AccessRecord], _ grants: [Grant], _ context: LearnContext) {
        (places, table) = (Places(context: context), GrantTable(grants))
        var rules: [(list: List, path: String, reason: String)] = []
        // What a jail has of its own, and programs look at without its being seen: proc(5), the null device.
        rules.append((.ro, "/proc", "the jail's own processes"))
        rules.append((.rw, "/dev/null", "every shell opens it"))
        for directory in ["/tmp", "/dev/shm", "/dev/pts", "/dev/mqueue"]
        where records.contains(where: { isWithin($0.path, directory) && $0.act != .link }) {
            rules.append((.rw, directory, "uses files of its own there"))
        }
        let made = Set(records.filter { $0.act == .runMade }.map(\.path))
        for grant in grants {
            switch grant.kind {
            case .writable, .created:
                let runs = made.contains { isWithin($0, grant.path) }
                rules.append((runs ? .rwx : .rw, grant.path, runs ? "executes what it has made" : grant.reason))
            case .device: rules.append((.rw, grant.path, grant.reason))
            case .readOnly, .empty, .link: break
            }
        }
        if made.contains(where: { isWithin($0, "/tmp") || isWithin($0, "/var/tmp") }) {
            rules.append((.rwx, "/tmp", "executes what it has made"))
        }
        var read: [(path: String, reason: String)] = []
        for record in records {
            switch record.act {
            case .execute: rules.append((.rx, record.path, "executes \(record.path)"))
            case .read, .list: read.append((record.path, "reads \(record.path)"))
            case .write where places.isStanding(record.path) && isWithin(record.path, "/dev"):
                rules.append((.rw, record.path, "writes to \(record.path)"))
            default: break
            }
        }
        for one in gathered(read) where isShown(one.path) { rules.append((.ro, one.path, one.reason)) }
        for rule in Self.narrowed(rules) { lists[rule.list, default: []].append((rule.path, rule.reason)) }
    }

    /// Whether the jail has it, or a directory made of what other lines show: a rule for what is missing is an error.
    private func isShown(_ path: String) -> Bool {
        if isWithin(path, "/proc") || isWithin(path, "/sys") || path == "/" { return false }
        return places.isStanding(path) || table.has(at: path) { _, _ in true }
    }

    /// Three files of a directory stand for it.
    private func gathered(_ read: [(path: String, reason: String)]) -> [(path: String, reason: String)] {
        var counts: [PathKey: Int] = [:]
        for one in read { counts[PathKey(parent(of: one.path)), default: 0] += 1 }
        var whole: Set<PathKey> = []
        var result: [(path: String, reason: String)] = []
        for one in read {
            let directory = parent(of: one.path)
            guard let count = counts[PathKey(directory)], count >= 3, !places.isForbidden(directory) else {
                result.append(one)
                continue
            }
            if whole.insert(PathKey(directory)).inserted {
                result.append((directory, "\(count) paths of \(directory)"))
            }
        }
        return result
    }

    private typealias Rule = (list: List, path: String, reason: String)

    /// Without those that a wider one opens as far.
    private static func narrowed(_ rules: [Rule]) -> [Rule] {
        var indices: [String: [Int]] = [:]
        for (index, rule) in rules.enumerated() { indices[rule.path, default: []].append(index) }
        return rules.enumerated().filter { index, rule in
            !placesAbove(rule.path).flatMap { indices[$0] ?? [] }.contains { other in
                let wider = rules[other]
                guard other != index, isWithin(rule.path, wider.path), wider.list.gives(rule.list) else { return false }
                // Of two that give each other only the first stays.
                return !(rule.list.gives(wider.list) && rule.path == wider.path) || other < index
            }
        }.map(\.element).sorted { $0.path < $1.path }
    }
}

extension TightRules.List {
    /// Whether it opens all that the other does.
    fileprivate func gives(_ other: Self) -> Bool {
        switch (self, other) {
        case (.rwx, _), (_, .ro), (.rx, .rx), (.rw, .rw): true
        default: false
        }
    }
}
