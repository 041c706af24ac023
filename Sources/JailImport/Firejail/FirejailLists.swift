import JailSpec
import SpecFile

extension FirejailImport {
    struct Whitelisted {
        let path: String
        let top: String
        let isReadOnly: Bool
        let directive: Directive
    }

    /// The names of lines that close what they name.
    static let restricting: Set<String> = [
        "blacklist", "blacklist-nolog", "read-only", "noexec", "tmpfs", "whitelist", "whitelist-ro",
    ]

    /// Where a line leads; says so where it is no path of the host's.
    mutating func located(_ line: FirejailLine) -> [String]? {
        if let refused = FirejailPaths.refused(in: line.value) {
            draft.fail("firejail takes no \(quoted(refused)) in a path", line.directive)
            return nil
        }
        if let paths = paths(line) { return paths }
        if line.value.hasPrefix("${") {
            draft.fail("\(quoted(line.value)) is not a path that firejail knows", line.directive)
        } else {
            let restricts = Self.restricting.contains(line.name)
            draft.lose(
                "no absolute path: firejail looks for it from where it is started", restricts: restricts, line.directive
            )
        }
        return nil
    }

    /// The paths that lines of some names lead to, in their order, but for what a line `sparing` before them takes out.
    private mutating func walk(
        _ names: [String], sparing: String,
        _ body: (inout Self, _ path: String, _ spared: [String], FirejailLine) -> Void
    ) {
        var spared: [String] = []
        for line in lines where line.name == sparing || names.contains(line.name) {
            guard let found = located(line) else { continue }
            draft.isPart(line.directive, "what the other lines hide or show already")
            if line.name == sparing {
                draft.isPart(line.directive, "spares what later lines name")
                spared += found
                continue
            }
            for path in found where !spared.contains(where: { FirejailPaths.matches($0, path) }) {
                body(&self, path, spared, line)
            }
        }
    }

    /// What `whitelist` names.
    mutating func whitelist() -> [Whitelisted] {
        var result: [Whitelisted] = []
        walk(["whitelist", "whitelist-ro"], sparing: "nowhitelist") { _, path, _, line in
            result.append(
                Whitelisted(
                    path: path, top: FirejailPaths.top(of: path), isReadOnly: line.name == "whitelist-ro",
                    directive: line.directive))
        }
        return result
    }

    /// Shows what is whitelisted, in a directory that has nothing else.
    mutating func show(_ entry: Whitelisted) {
        let (path, top) = (entry.path, entry.top)
        if hasPrivateHome, isWithin(path, "~") {
            return draft.warn("has no effect: firejail does not whitelist in a private home", entry.directive)
        }
        if path.hasPrefix("/dev/"), !has("private-dev") {
            return draft.isInForce(.nothing, "the host's /dev", entry.directive)
        }
        if top.hasPrefix("/usr/") || top == "/etc", places.index(top) == nil, path != top {
            places.add(top, .empty(mode: "0755"), ["ro"], entry.directive)
        }
        let writable = ["~", "/tmp", "${XDG_RUNTIME_DIR}", "/mnt", "/media"].contains(top)
        var options = writable && !entry.isReadOnly ? [] : ["ro"]
        if top == "/dev" { options = ["rw", "dev"] }
        places.add(path, .bind(source: path), options, entry.directive)
    }

    /// `mkdir` and `mkfile`: what is shown is made where it is missing.
    mutating func writeMade() {
        for line in lines where line.name == "mkdir" || line.name == "mkfile" {
            guard let path = located(line)?.first else { continue }
            let kind: Node.Value = line.name == "mkdir" ? .boolean(true) : .string("file")
            draft.isPart(line.directive)
            if places.index(path) != nil {
                _ = places.change(within: path) { if $0.target == path { $0.creates = kind } }
            } else if places.shows(path), let source = places.source(of: path) {
                places.add(path, .bind(source: source), creates: kind, line.directive)
            } else {
                draft.isOutside("the jail does not show it", line.directive)
            }
        }
    }

    // MARK: What is hidden

    mutating func hide() {
        var unseen: [(file: String, paths: [String])] = []
        walk(["blacklist", "blacklist-nolog"], sparing: "noblacklist") { imported, path, spared, line in
            if imported.hide(path, spared, line.directive) { return }
            if imported.isHostDevice(path) {
                return imported.draft.lose("the host's /dev is shown whole", restricts: true, line.directive)
            }
            let file = line.directive.position.file
            imported.draft.isCounted(line.directive)
            if let index = unseen.firstIndex(where: { $0.file == file }) {
                unseen[index].paths.append(path)
            } else {
                unseen.append((file, [path]))
            }
        }
        for (file, paths) in unseen {
            draft.isInForce(
                .absent(paths), "nothing of it is in the jail",
                Self.standard("\(paths.count) blacklisted path\(paths.count == 1 ? "" : "s") of \(file)"))
        }
    }

    /// Hides a path; false where the jail does not show it.
    private mutating func hide(_ path: String, _ spared: [String], _ directive: Directive) -> Bool {
        let isPattern = FirejailPaths.isPattern(path)
        let covered = places.all.filter { $0.kind != .hidden && places.covers(path, $0.target) }
        for place in covered {
            places.remove(within: place.target)
            if place.directive != directive { draft.warn("has no effect: \(directive.reference)", place.directive) }
        }
        closed.append(path)
        let isOwn = hideOwn(path, directive)
        if isOwn, places.index(path) != nil { return true }
        let isShown = places.shows(path) || isHostDevice(path) && path != "/dev" || Self.isOfEveryProc(path)
        guard isShown || places.mayShow(path) else {
            return isOwn || !covered.isEmpty
        }
        if isPattern {
            for name in spared
            where FirejailPaths.matches(path, name) && (places.shows(name) || Self.isOfEveryProc(name)) {
                draft.warn("\(name) is hidden too, though noblacklist names it", directive)
            }
        }
        places.add(path, .hidden, directive)
        return true
    }

    /// Whether a path is in the host's /dev, which the jail shows without `private-dev`.
    private func isHostDevice(_ path: String) -> Bool { isWithin(path, "/dev") && !has("private-dev") }

    /// Whether a path is in the jail's own /proc, which tells of the host's kernel and machine as well. What belongs to one process is
    /// none of them: it is there anew with the next.
    private static func isOfEveryProc(_ path: String) -> Bool { PathPattern(path).isOfEveryProc }

    // MARK: What is changed afterwards

    mutating func change(_ line: FirejailLine) {
        switch line.name {
        case "read-only", "read-write", "noexec", "tmpfs": break
        case "bind": return bind(line)
        default: return
        }
        guard let found = located(line) else { return }
        for path in found {
            switch line.name {
            case "tmpfs":
                if closed.contains(where: { places.covers($0, path) }) {
                    draft.warn("has no effect: it is blacklisted", line.directive)
                    continue
                }
                for place in places.all where places.isWithin(place.target, path) { draft.isPart(place.directive) }
                places.remove(within: path)
                places.add(path, .empty(mode: "0700"), line.directive)
            case "noexec": set("noexec", path, line.directive)
            case "read-only": set("ro", path, line.directive)
            default: open(path, line.directive)
            }
        }
        draft.isPart(line.directive, "the jail does not show it, or shows it so already")
    }

    /// Adds an option to what is shown at a path, and to what is mounted below it.
    private mutating func set(_ option: String, _ path: String, _ directive: Directive) {
        let isThere = places.index(path) != nil
        _ = places.change(within: path) { place in
            switch place.kind {
            case .bind, .empty: place.options = place.options.filter { $0 != "rw" && $0 != option } + [option]
            case .hidden, .file: break
            }
        }
        if isThere { return }
        restrictOwn(option, path, directive)
        if places.index(path) != nil { return }
        if let options = around(path) {
            if option == "ro" ? !options.contains("ro") : !options.contains("noexec") {
                add(path, options.filter { $0 != "rw" } + [option], directive)
            }
            return
        }
        if places.home == nil, places.mayShow(path) {
            return draft.lose("whether it is in the home is not known", restricts: true, directive)
        }
        setBelowOthers(option, path, directive)
    }

    /// Adds an option to what a path may be part of: what a pattern shows, or, where the path is one, what it may lie in.
    private mutating func setBelowOthers(_ option: String, _ path: String, _ directive: Directive) {
        for place in places.shown(reaching: path) {
            let options = place.options.filter { $0 != "rw" && $0 != option } + [option]
            if !FirejailPaths.isPattern(place.target) {
                add(FirejailPaths.part(of: path, in: place.target), options, directive)
            } else if !FirejailPaths.isPattern(path) {
                places.add(path, .bind(source: path), options, directive)
            } else if place.options != options {
                _ = places.change(within: place.target) { if $0.target == place.target { $0.options = options } }
                draft.warn("\(option) is all that \(place.target) shows", directive)
            }
        }
    }

    /// Lets a path be written to that is part of what is read-only.
    private mutating func open(_ path: String, _ directive: Directive) {
        if let index = places.index(path), case .bind = places.all[index].kind {
            _ = places.change(within: path) { if $0.target == path { $0.options.removeAll { $0 == "ro" } } }
        } else if let options = around(path), options.contains("ro") {
            if let source = places.source(of: path) {
                places.add(path, .bind(source: source), options.filter { $0 != "ro" }, directive)
            } else {
                draft.lose(Self.isElsewhere, directive)
            }
        }
    }

    /// Restricts a part of what is shown.
    private mutating func add(_ path: String, _ options: [String], _ directive: Directive) {
        guard let source = places.source(of: path) else {
            return draft.lose(Self.isElsewhere, restricts: true, directive)
        }
        places.add(path, .bind(source: source), options, directive)
    }

    private static let isElsewhere = "what a pattern matches is shown where it is, and another directory is there"

    /// The options of the mount that a path is seen through; nil where it is not seen.
    private func around(_ path: String) -> [String]? {
        guard places.shows(path) else { return nil }
        return places.around(path)?.options ?? ["ro"]
    }

    private mutating func bind(_ line: FirejailLine) {
        if let refused = line.list.lazy.compactMap(FirejailPaths.refused).first {
            return draft.fail("firejail takes no \(quoted(refused)) in a path", line.directive)
        }
        guard line.list.count == 2, let source = forms(line.list[0])?.first,
            let target = forms(line.list[1])?.first
        else { return draft.fail("bind takes two paths", line.directive) }
        // firejail takes the source from the tree as the lines before have made it.
        if isWithin(source, "~"), places.index(source) == nil, !places.shows(source) {
            return draft.lose("the jail's home has nothing there", line.directive)
        }
        guard let shown = places.source(of: source) else { return draft.lose(Self.isElsewhere, line.directive) }
        places.add(target, .bind(source: shown), line.directive)
    }
}
