import JailSpec
import SpecFile

/// The one form that paths are compared in: what is in the home begins with `~`, as a spec writes it.
extension FirejailPaths {
    /// The forms of a path that may be absolute and in the home all the same.
    ///
    /// A line that restricts holds for all that its path may be; one that opens, only for what it is for certain.
    static func forms(_ path: String, home: String?, restricts: Bool) -> [String] {
        guard path.hasPrefix("/") else { return [path] }
        if restricts, let rest = runtimeRest(path) { return [path, "${XDG_RUNTIME_DIR}" + rest] }
        guard let home else { return [path] }
        if isWithin(path, home) { return ["~" + path.dropFirst(home.count)] }
        guard isPattern(path) else { return [path] }
        let names = path.split(separator: "/").map(String.init)
        let depth = home.split(separator: "/").count
        guard overlap(path, home), names.count >= depth || restricts else { return [path] }
        let inside = (["~"] + names.dropFirst(depth)).joined(separator: "/")
        return restricts ? [path, inside] : [inside]
    }

    /// What follows /run/user/UID.
    private static func runtimeRest(_ path: String) -> String? {
        guard let rest = path.after("/run/user/") else { return nil }
        let user = rest.prefix { $0 != "/" }
        return !user.isEmpty && (isPattern(String(user)) || Int(user) != nil) ? String(rest.dropFirst(user.count)) : nil
    }

    /// Whether one of two paths, or patterns, may be the other or above it.
    static func overlap(_ one: String, _ other: String) -> Bool {
        let ours = one.split(separator: "/").map(String.init)
        let theirs = other.split(separator: "/").map(String.init)
        return zip(ours, theirs).allSatisfy { ours, theirs in
            matches(ours, theirs) || matches(theirs, ours)
                || isPattern(ours) && isPattern(theirs) && PathPattern.mayMeet(ours, theirs)
        }
    }

    /// What a pattern is in a directory that its beginning may be.
    static func part(of pattern: String, in directory: String) -> String {
        let depth = directory.split(separator: "/").count
        return directory + pattern.split(separator: "/").dropFirst(depth).map { "/" + $0 }.joined()
    }

    /// Whether a pattern matches a path or a directory above it.
    static func covers(_ pattern: String, _ path: String) -> Bool {
        let names = path.split(separator: "/", omittingEmptySubsequences: false)
        let depth = pattern.split(separator: "/", omittingEmptySubsequences: false).count
        return isPattern(pattern) && matches(pattern, names.prefix(depth).joined(separator: "/"))
    }
}

extension FirejailPlaces {
    /// Whether a path is a directory or in it, wherever the home is.
    func isWithin(_ path: String, _ directory: String) -> Bool {
        if SpecFile.isWithin(path, directory) { return true }
        guard directory.hasPrefix("/") else { return false }
        if SpecFile.isWithin(path, "~") { return SpecFile.isWithin(home ?? "/home/user", directory) }
        return SpecFile.isWithin(path, "${XDG_RUNTIME_DIR}") && SpecFile.isWithin("/run/user/0", directory)
    }

    /// Whether what is mounted at one path is at or below another, or what the other, a pattern, may be.
    func covers(_ path: String, _ target: String) -> Bool {
        isWithin(target, path) || FirejailPaths.covers(path, target)
    }

    /// Whether a pattern among what is shown leaves open if a path is.
    func mayShow(_ path: String) -> Bool {
        if home == nil, ["/home", "/root"].contains(where: { SpecFile.isWithin(path, $0) }) { return true }
        let literal = FirejailPaths.literalDirectory(of: path)
        // What surrounds it is known: a pattern leaves open only what lies below its first special character.
        if shown.contains(where: { FirejailPaths.overlap(path, $0.path) && !SpecFile.isWithin(literal, $0.path) }) {
            return true
        }
        let closest = index(literal).map { all[$0] } ?? around(literal)
        let isPattern = FirejailPaths.isPattern(path)
        return all.contains { place in
            guard case .bind = place.kind, isPattern || FirejailPaths.isPattern(place.target) else { return false }
            if let closest, closest.target != place.target, isWithin(closest.target, place.target) { return false }
            return FirejailPaths.overlap(path, place.target)
        }
    }

    /// What is shown of the host that a path may be, or be part of, other than by the names in it.
    func shown(reaching path: String) -> [Place] {
        let depth = path.split(separator: "/").count
        let isPattern = FirejailPaths.isPattern(path)
        return all.filter { place in
            guard case .bind = place.kind, place.target.split(separator: "/").count <= depth else { return false }
            if !isPattern { return FirejailPaths.covers(place.target, path) }
            return !covers(path, place.target) && FirejailPaths.overlap(path, place.target)
        }
    }
}
