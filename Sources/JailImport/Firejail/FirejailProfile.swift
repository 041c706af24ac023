import SpecFile

/// A line of a profile that holds: the includes are read in its place, and what `ignore` names and conditions that do not hold are
/// left out.
struct FirejailLine {
    let name: String
    /// What follows the name; empty where nothing does.
    let value: String
    let directive: Directive

    /// The words of a list with commas.
    var list: [String] { value.split(separator: ",").map { String($0).trimmed }.filter { !$0.isEmpty } }
}

/// Reads profiles of firejail-profile(5).
struct FirejailProfile {
    private(set) var lines: [FirejailLine] = []
    private var ignored: [String] = []
    private var reading: [String] = []
    /// Whether nothing more is read: a profile that includes others without end is none.
    private var isOver = false
    private let sources: [ImportSource]
    private let context: ImportContext

    /// Profiles that are read in their order; the others among the sources are there for `include`.
    init(_ sources: [ImportSource], _ context: ImportContext, into draft: inout Draft) {
        (self.sources, self.context) = (sources, context)
        for source in sources.prefix(1) { read(source, &draft) }
    }

    private mutating func read(_ source: ImportSource, _ draft: inout Draft) {
        reading.append(source.name)
        for (index, raw) in source.lines.enumerated() where !isOver && !draft.isOver {
            let text = Self.withoutComment(raw).spaced.joined(separator: " ")
            if text.isEmpty { continue }
            let directive = Directive(shown([text]), at: Position(file: source.name, line: index + 1, column: 1))
            draft.take(directive)
            take(text, directive, &draft)
        }
        reading.removeLast()
    }

    /// A `#` begins a comment, wherever it stands.
    private static func withoutComment(_ line: String) -> String {
        line.utf8.firstIndex(of: UInt8(ascii: "#")).map { String(line[..<$0]) } ?? line
    }

    private mutating func take(_ text: String, _ directive: Directive, _ draft: inout Draft) {
        if text.hasPrefix("?") {
            let (condition, line) = text.dropFirst().description.cut(":")
            guard let holds = Self.conditions[condition.trimmed], let line else {
                return draft.fail("firejail has no condition \(condition)", directive)
            }
            guard holds else { return draft.isOutside("the condition does not hold by default", directive) }
            return take(line.trimmed, directive, &draft)
        }
        if let ignored = ignored.first(where: { text == $0 || text.hasPrefix($0 + " ") }) {
            return draft.isOutside("by `ignore \(ignored)`", directive)
        }
        let name = String(text.prefix { $0 != " " && $0 != "\t" })
        let value = String(text.dropFirst(name.count)).trimmed
        switch name {
        case "ignore":
            ignored.append(value)
            draft.isPart(directive)
        case "include": include(value, directive, &draft)
        default: lines.append(FirejailLine(name: name, value: value, directive: directive))
        }
    }

    /// Those that firejail.config and the command line decide, as both are by default.
    private static let conditions = [
        "HAS_APPIMAGE": false, "HAS_NET": false, "HAS_NODBUS": false, "HAS_NOSOUND": false, "HAS_PRIVATE": false,
        "HAS_X11": false, "BROWSER_DISABLE_U2F": true, "BROWSER_ALLOW_DRM": false, "ALLOW_TRAY": false,
    ]

    private mutating func include(_ name: String, _ directive: Directive, _ draft: inout Draft) {
        guard reading.count < 16 else {
            isOver = true
            return draft.fail("includes within includes, too deep", directive)
        }
        if let source = find(name) {
            draft.isPart(directive)
            return read(source, &draft)
        }
        if name.hasSuffix(".local") { return draft.isOutside("the file does not exist", directive) }
        draft.lose("\(name) is not here; give it as another FILE", restricts: true, directive)
    }

    /// As firejail looks for it, and before that beside whoever includes it and among what was given.
    private func find(_ name: String) -> ImportSource? {
        let base = name.split(separator: "/").last.map(String.init) ?? name
        if let given = sources.dropFirst().first(where: { $0.name == base || $0.name.hasSuffix("/" + base) }) {
            return given
        }
        let home = context.home ?? "/root"
        var paths = [name]
        if let rest = name.after("${CFG}/") { paths = ["/etc/firejail/" + rest] }
        if let rest = name.after("${HOME}/") ?? name.after("~/") { paths = [home + "/" + rest] }
        if !name.contains("/") {
            let directory = (reading.last ?? "").split(separator: "/", omittingEmptySubsequences: false).dropLast()
            paths = [
                (directory + [Substring(name)]).joined(separator: "/"), "\(home)/.config/firejail/\(name)",
                "/etc/firejail/\(name)",
            ]
        }
        for path in paths {
            if let text = context.read(path) { return ImportSource(name: path, text: text) }
        }
        return nil
    }
}
