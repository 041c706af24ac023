import SpecFile

/// Whom the command of a spec that root has learned must be: root's files are closed to the user that a jail has by default.
struct LearnedIdentity {
    /// nil for the default.
    private(set) var user: Int?
    private(set) var reason = ""
    private(set) var untold: [String] = []

    init(_ records: [AccessRecord], _ grants: [Grant], _ context: LearnContext) {
        guard context.isRoot else { return }
        let places = Places(context: context)
        var owners: [Int: String] = [:]
        let table = GrantTable(grants)
        for record in records where record.act == .owned {
            let words = record.detail.split(separator: " ")
            guard words.count == 2, let owner = Int(words[0]), let act = AccessRecord.Act(rawValue: String(words[1]))
            else { continue }
            let shown = table.has(at: record.path) { grant, _ in grant.isWritable || !act.changes }
            guard shown || places.isStanding(record.path) && !act.changes else { continue }
            if owners[owner] == nil { owners[owner] = "\(act.words) \(record.path)" }
        }
        guard let first = owners.keys.sorted().first, let why = owners[first] else { return }
        (user, reason) = (first, "\(why), which only \(first == 0 ? "root" : "uid \(first)") may")
        for (owner, what) in owners.sorted(by: { $0.key < $1.key }) where owner != first {
            untold.append("\(what), which only uid \(owner) may, and the command is uid \(first)")
        }
    }
}

extension AccessRecord.Act {
    /// Whether what is at the path, or its name, is another after it.
    var changes: Bool {
        switch self {
        case .write, .make, .makeDirectory, .replace: true
        case .read, .list, .enter, .execute, .link, .connect, .listen, .named, .namedWithin, .variable, .owned,
            .runMade, .nest:
            false
        }
    }

    fileprivate var words: String {
        switch self {
        case .read: "reads"
        case .list: "lists"
        case .enter: "enters"
        case .execute: "executes"
        case .connect: "connects to"
        case .write: "writes to"
        case .make, .makeDirectory: "makes"
        case .replace: "replaces"
        case .link, .listen, .named, .namedWithin, .variable, .owned, .runMade, .nest: "uses"
        }
    }
}
