import JailSpec
import SpecFile

/// The paths of firejail's profiles, as a spec writes them.
enum FirejailPaths {
    /// The directories of programs; /bin and /sbin lead to them.
    static let programs = [
        "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/games", "/usr/local/games",
    ]

    /// xdg-user-dirs(1)'s names as they are where nobody has changed them.
    private static let macros = [
        "${HOME}": "~", "${RUNUSER}": "${XDG_RUNTIME_DIR}", "${CFG}": "/etc/firejail", "${DOWNLOADS}": "~/Downloads",
        "${DOCUMENTS}": "~/Documents", "${MUSIC}": "~/Music", "${PICTURES}": "~/Pictures", "${VIDEOS}": "~/Videos",
        "${DESKTOP}": "~/Desktop", "${PUBLICSHARE}": "~/Public", "${TEMPLATES}": "~/Templates",
        "${PROJECTS}": "~/Projects",
    ]

    /// What a path stands for; nil where it is none.
    static func expanded(_ written: String) -> [String]? {
        if let rest = written.after("${PATH}/") { return programs.map { classes(literal("\($0)/\(rest)")) } }
        if written == "${PATH}" { return programs }
        if written.hasPrefix("${") {
            let name = String(written.prefix { $0 != "}" }) + "}"
            guard let place = macros[name] else { return nil }
            return [trimmed(place + classes(literal(String(written.dropFirst(name.count)))))]
        }
        if written == "~" || written.hasPrefix("~/") {
            return [trimmed("~" + classes(literal(String(written.dropFirst()))))]
        }
        return written.hasPrefix("/") ? [classes(cleaned(literal(written)))] : nil
    }

    private static func trimmed(_ path: String) -> String {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }

    /// Classes of characters, which a spec's patterns write as ranges.
    private static func classes(_ path: String) -> String {
        var result = path
        for (name, ranges) in [
            ("xdigit", "0-9A-Fa-f"), ("digit", "0-9"), ("alpha", "A-Za-z"), ("alnum", "0-9A-Za-z"), ("lower", "a-z"),
            ("upper", "A-Z"),
        ] {
            result = result.split(separator: "[:\(name):]", omittingEmptySubsequences: false).joined(separator: ranges)
        }
        return result
    }

    /// What firejail's reader refuses in a path, after a name in braces: it would lead elsewhere, or mean something to a shell.
    static func refused(in written: String) -> String? {
        if written.contains("..") { return ".." }
        let rest = written.hasPrefix("${") ? written.drop { $0 != "}" }.dropFirst() : written[...]
        let found = rest.unicodeScalars.first {
            "!\"$%&,;<>\\^`{|}".unicodeScalars.contains($0) || $0.value < 32 || $0.value == 127
        }
        return found.map { String(Character($0)) }
    }

    static func isPattern(_ path: String) -> Bool { path.utf8.contains { "*?[".utf8.contains($0) } }

    /// The directory that a pattern names before its first special character.
    static func literalDirectory(of pattern: String) -> String {
        guard let special = pattern.utf8.firstIndex(where: { "*?[".utf8.contains($0) }) else { return pattern }
        let literal = pattern[..<special]
        return String(literal[..<(literal.lastIndex(of: "/") ?? literal.startIndex)])
    }

    /// Whether a path is, or may be, what a pattern says.
    static func matches(_ pattern: String, _ path: String) -> Bool {
        if pattern == path { return true }
        guard isPattern(pattern) else { return false }
        let parts = PathPattern(pattern).parts
        let names = path.split(separator: "/").map(String.init)
        guard parts.count == names.count else { return false }
        return zip(parts, names).allSatisfy { part, name in
            switch part {
            case .name(let wanted): wanted == name
            case .pattern(let pieces): PathPattern.matches(name, pieces)
            case .anywhere: true
            }
        }
    }

    /// The directory that firejail empties for a whitelisted path: `/`'s own, those of /usr, the home and /run/user/UID.
    static func top(of path: String) -> String {
        for place in ["~", "${XDG_RUNTIME_DIR}", "/sys/module"] where isWithin(path, place) { return place }
        let parts = path.split(separator: "/")
        return "/" + parts.prefix(parts.first == "usr" ? 2 : 1).joined(separator: "/")
    }
}
