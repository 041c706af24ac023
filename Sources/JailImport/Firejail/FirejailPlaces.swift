import SpecFile

/// What a profile shows, hides and empties, by target: later lines change what earlier ones said.
struct FirejailPlaces {
    enum Kind: Equatable {
        case bind(source: String)
        case hidden
        case empty(mode: String)
        case file(String)
    }

    struct Place {
        let target: String
        var kind: Kind
        var options: [String]
        /// Made where it is missing: a directory, or a file.
        var creates: Node.Value?
        let directive: Directive
    }

    private(set) var all: [Place] = []
    /// The absolute path of `~`; nil where it is not known.
    var home: String?
    /// Where each target stands in that list: profiles with their includes have more than a thousand.
    private var indices: [String: Int] = [:]
    /// Directories of the host that the jail shows.
    var shown: [(path: String, isWritable: Bool)] = [
        ("/usr", false), ("/etc", false), ("/bin", false), ("/sbin", false), ("/lib", false), ("/lib64", false),
        ("/lib32", false), ("/libx32", false),
    ]

    func index(_ target: String) -> Int? { indices[target] }

    /// What is hidden is not shown again; else the later line counts.
    mutating func add(
        _ target: String, _ kind: Kind, _ options: [String], creates: Node.Value? = nil, _ directive: Directive
    ) {
        let place = Place(target: target, kind: kind, options: options, creates: creates, directive: directive)
        guard let index = index(target) else {
            indices[target] = all.count
            return all.append(place)
        }
        if all[index].kind != .hidden { all[index] = place }
    }

    mutating func add(_ target: String, _ kind: Kind, creates: Node.Value? = nil, _ directive: Directive) {
        add(target, kind, [], creates: creates, directive)
    }

    /// Changes the places at a path and below it; false where there are none.
    mutating func change(within path: String, _ work: (inout Place) -> Void) -> Bool {
        var isFound = false
        for index in all.indices where covers(path, all[index].target) {
            work(&all[index])
            isFound = true
        }
        return isFound
    }

    mutating func remove(within path: String) {
        let kept = all.filter { !isWithin($0.target, path) }
        if kept.count == all.count { return }
        all = kept
        indices = [:]
        for (index, place) in all.enumerated() { indices[place.target] = index }
    }

    /// The nearest one that a path is within, and that is not the path itself.
    func around(_ path: String) -> Place? {
        var end = path.utf8.endIndex
        while let slash = path.utf8[..<end].lastIndex(of: UInt8(ascii: "/")) {
            let above = slash == path.startIndex ? "/" : String(path[..<slash])
            if above != path, let index = indices[above] { return all[index] }
            end = slash
        }
        if path != "~", SpecFile.isWithin(path, "~"), let index = indices["~"] { return all[index] }
        // What is mounted above the home shows it too.
        guard SpecFile.isWithin(path, "~"), let home else { return nil }
        return around(home)
    }

    /// Whether the jail shows what is at a path, as far as that is known.
    func shows(_ path: String) -> Bool {
        switch around(path)?.kind {
        case .bind: return true
        case .hidden, .empty, .file: return false
        case nil: return shown.contains { isWithin(path, $0.path) }
        }
    }

    /// Where on the host the files are that a path of the jail shows, or would show if it were: below a directory that stands in
    /// another's place, it is that directory's; nil for a pattern there.
    func source(of path: String) -> String? {
        if let index = index(path), case .bind(let source) = all[index].kind { return source }
        guard let place = around(path), case .bind(let source) = place.kind, source != place.target else { return path }
        if FirejailPaths.isPattern(path) { return nil }
        let isOfHome = SpecFile.isWithin(path, "~") && !SpecFile.isWithin(place.target, "~")
        let whole = isOfHome ? (home ?? "") + path.dropFirst() : path
        let rest = place.target == "/" ? Substring(whole) : whole.dropFirst(place.target.count)
        return source == "/" ? String(rest) : source + rest
    }

    /// The mounts, without those that a hidden directory would cover.
    func write(into draft: inout Draft) {
        for place in all {
            if isHidden(place.target) {
                draft.isPart(place.directive)
            } else {
                write(place, &draft)
            }
        }
    }

    /// Whether a directory above a path is hidden.
    private func isHidden(_ path: String) -> Bool {
        var place = around(path)
        while let above = place {
            if above.kind == .hidden { return true }
            place = around(above.target)
        }
        return false
    }

    private func write(_ place: Place, _ draft: inout Draft) {
        let isPattern = FirejailPaths.isPattern(place.target)
        var pairs: [(String, Node.Value)] = [("target", .string(place.target))]
        switch place.kind {
        case .bind(let source):
            if isPattern { return draft.addPattern(place.target, place.options, place.directive) }
            pairs.append(("source", .string(source)))
        case .hidden:
            if isPattern { return draft.addPattern(place.target, nil, place.directive) }
            pairs += [("type", .string("hide")), ("optional", .boolean(true))]
        case .empty(let mode): pairs += [("type", .string("tmpfs")), ("mode", .string(mode))]
        case .file(let text): pairs += [("type", .string("file")), ("content", .string(text))]
        }
        if !place.options.isEmpty { pairs.append(("options", .strings(place.options))) }
        if case .bind = place.kind {
            pairs.append(place.creates.map { ("create", $0) } ?? ("optional", .boolean(true)))
        }
        draft.add("mount", pairs, isNew: true, place.directive)
    }
}
