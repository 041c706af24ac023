import SpecFile

/// What a line of the learned spec opens.
struct Grant: Equatable {
    enum Kind: Equatable {
        case readOnly, writable, device
        /// Writable, and made where it is missing.
        case created(isDirectory: Bool)
        /// A directory of the jail's own, to stand in.
        case empty
        case link(to: String)
    }

    let path: String
    var kind: Kind
    /// What was seen that needs it.
    var reason: String

    var isWritable: Bool {
        switch kind {
        case .writable, .created: true
        case .readOnly, .device, .empty, .link: false
        }
    }
}

/// Grants by their paths: a command may have used ten thousands of places, of which each is held to all others.
struct GrantTable {
    private var indices: [String: [Int]] = [:]
    private let grants: [Grant]

    init(_ grants: [Grant]) {
        self.grants = grants
        for (index, grant) in grants.enumerated() { indices[grant.path, default: []].append(index) }
    }

    /// Whether one that stands at the path or above it is like that; with its place among them.
    func has(at path: String, where isSo: (Grant, Int) -> Bool) -> Bool {
        placesAbove(path).contains { place in
            indices[place]?.contains { isWithin(path, grants[$0].path) && isSo(grants[$0], $0) } ?? false
        }
    }
}

/// Records of a command become the lines that it needs.
struct Generaliser {
    private struct Key: Hashable {
        let path: PathKey
        let isWritable: Bool
    }

    private let places: Places
    /// Whether the jail has the caller's own HOME, in place of a home of its own.
    private let keepsHome: Bool
    private(set) var grants: [Grant] = []
    private var known: [Key: Int] = [:]
    /// What the command did that no line is made of, and why.
    private(set) var untold: [String] = []

    init(_ records: [AccessRecord], _ context: LearnContext) {
        places = Places(context: context)
        keepsHome = records.contains { $0.act == .variable && $0.path == "HOME" }
        for record in records.sorted() { take(record) }
        enter(context.current, "is started in \(context.current)")
        gather(.writable)
        gather(.readOnly)
        drop()
    }

    private mutating func take(_ record: AccessRecord) {
        let path = record.path
        switch record.act {
        case .read, .execute: read(path, record.act == .read ? "reads \(path)" : "executes \(path)")
        case .list: list(path)
        case .write: write(path)
        case .make, .makeDirectory, .replace: change(record)
        case .enter: enter(path, "enters \(path)")
        case .link:
            if places.isStanding(path) || places.isInDevices(path) { return }
            add(path, .link(to: record.detail), "a link on the way to what it uses")
        case .connect where record.isOfFile:
            if !places.isStanding(path) { add(path, .readOnly, "connects to \(path)") }
        case .nest:
            untold.append(
                "makes namespaces, by \(quoted(path)): namespaces.nested = true lets it, and any escape by them")
        case .connect, .listen, .named, .namedWithin, .variable, .owned, .runMade: break
        }
    }

    private mutating func enter(_ path: String, _ reason: String) {
        if places.isStanding(path) || places.isOwn(path) || path == "/" { return }
        // The home of an ordinary user is one that the jail has of its own.
        if path == places.context.home, !keepsHome, !places.context.isRoot { return }
        add(path, .empty, reason)
    }

    private mutating func read(_ path: String, _ reason: String) {
        if places.isStanding(path) || places.isOwn(path) { return }
        if places.isInDevices(path) { return add(path, .device, reason) }
        add(places.anchor(of: path) ?? path, .readOnly, reason)
    }

    private mutating func list(_ path: String) {
        if places.isStanding(path) || places.isOwn(path) || path == "/dev" { return }
        if let anchor = places.anchor(of: path) { return add(anchor, .readOnly, "lists \(path)") }
        if places.isForbidden(path) {
            // A directory of the jail's own has what is shown in it, and nothing else.
            if path != "/" { untold.append("lists \(path): it has only what other lines show in it") }
            return
        }
        add(path, .readOnly, "lists \(path)")
    }

    private mutating func write(_ path: String) {
        if places.isInDevices(path), !places.isStanding(path), !places.isOwn(parent(of: path)) {
            return add(path, .device, "writes to \(path)")
        }
        if places.isOwn(parent(of: path)) && places.isInDevices(path) { return }
        guard !places.isStanding(path) else {
            if !isWithin(path, "/proc"), !places.isInDevices(path) {
                untold.append("writes to \(path), which is the host's system")
            }
            return
        }
        let anchor = places.anchor(of: path)
        let isOfAProgram = anchor != nil && anchor != places.work
        add(isOfAProgram ? anchor ?? path : path, .writable, "writes to \(path)")
    }

    /// A name that comes or goes is a matter of its directory: a file that is mounted cannot be replaced (EBUSY).
    private mutating func change(_ record: AccessRecord) {
        let path = record.path
        let directory = parent(of: path)
        if places.isOwn(directory) { return }
        let does =
            switch record.act {
            case .replace: "removes or replaces \(path)"
            case .makeDirectory: "makes the directory \(path)"
            default: "makes \(path)"
            }
        if places.isStanding(path) || places.isInDevices(path) {
            if !isWithin(path, "/proc") { untold.append("\(does), which is the host's system") }
            return
        }
        if let anchor = places.anchor(of: path), anchor != places.work { return add(anchor, .writable, does) }
        if places.isKeys(path) { return untold.append("\(does): no line shows all of what holds keys") }
        guard places.isForbidden(directory) else { return add(directory, .writable, does) }
        guard record.act != .replace, directory != "/", !isWithin(directory, "/etc") else {
            untold.append("\(does): for that all of \(directory) would have to be writable")
            return
        }
        add(path, .created(isDirectory: record.act == .makeDirectory), does)
    }

    private mutating func add(_ path: String, _ kind: Grant.Kind, _ reason: String) {
        let grant = Grant(path: path, kind: kind, reason: reason)
        // Its mode or its times may be what was asked for: a line would open what it holds.
        if kind == .readOnly || kind == .writable, places.isWhole(path, isWritten: kind == .writable) {
            return untold.append("\(reason): no line shows all of \(path)")
        }
        let key = Key(path: PathKey(path), isWritable: grant.isWritable)
        guard let index = known[key] else {
            known[key] = grants.count
            return grants.append(grant)
        }
        // A directory that is only entered may be one that is read.
        if case .empty = grants[index].kind { grants[index] = grant }
    }
}

extension Generaliser {
    /// Three of a kind in one directory stand for the directory.
    private mutating func gather(_ kind: Grant.Kind) {
        var byDirectory: [PathKey: Int] = [:]
        for grant in grants where grant.kind == kind { byDirectory[PathKey(parent(of: grant.path)), default: 0] += 1 }
        let whole = byDirectory.filter { $0.value >= 3 && !places.isForbidden($0.key.path) }
        grants.removeAll { $0.kind == kind && whole[PathKey(parent(of: $0.path))] != nil }
        for (key, count) in whole.sorted(by: { $0.key.path < $1.key.path }) {
            let directory = key.path
            grants.append(Grant(path: directory, kind: kind, reason: "\(count) paths of \(directory)"))
        }
    }

    /// Drops what another line, or the spec that is extended, shows already, and sorts.
    private mutating func drop() {
        let needed = grants.filter { !isGranted($0) }
        // A target can have one mount only, in whichever of the files.
        let taken = Set(places.context.granted.map(\.path))
        let all = needed.filter { !taken.contains($0.path) }
        for grant in needed where taken.contains(grant.path) && grant.kind != .empty {
            untold.append("\(grant.reason), of which the spec that is extended gives less")
        }
        let table = GrantTable(all)
        grants = all.enumerated().filter { index, grant in
            return !table.has(at: grant.path) { wider, other in
                guard other != index else { return false }
                // A place to stand in is there with whatever stands at the same path.
                if grant.kind == .empty, wider.kind != .empty, wider.path == grant.path { return true }
                switch wider.kind {
                case .writable, .created: return wider.path != grant.path || !grant.isWritable || other < index
                case .readOnly: return !grant.isWritable && (wider.path != grant.path || other < index)
                case .device, .empty, .link:
                    return wider.kind == grant.kind && wider.path == grant.path && other < index
                }
            }
        }.map(\.element).sorted { $0.path < $1.path }
    }

    /// Whether the spec that is extended opens as much.
    private func isGranted(_ grant: Grant) -> Bool {
        places.context.granted.contains { granted in
            switch granted.access {
            case .none: granted.path == grant.path && grant.kind == .empty
            case .readOnly: isWithin(grant.path, granted.path) && !grant.isWritable
            case .writable: isWithin(grant.path, granted.path)
            }
        }
    }
}
