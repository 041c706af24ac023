import JailSpec
import SpecFile

/// A file of minijail0's --config, and a policy of system calls, as a spec.
package struct MinijailImport {
    struct Line {
        let key: String
        let value: String?
        let directive: Directive
    }

    var draft = Draft()
    var mounts = MountList()
    private(set) var lines: [Line] = []
    let context: ImportContext

    /// Files that begin with minijail's header are configurations, others policies.
    package static func draft(of sources: [ImportSource], _ words: [String], _ context: ImportContext) -> Draft {
        var imported = MinijailImport(context)
        var policies: [ImportSource] = []
        var hasConfiguration = false
        for source in sources {
            if String(decoding: source.text.prefix(22), as: UTF8.self) == "% minijail-config-file" {
                hasConfiguration = true
                imported.read(source)
            } else {
                policies.append(source)
            }
        }
        if hasConfiguration, !imported.draft.isOver { imported.write(policies) }
        for policy in policies { MinijailPolicy(context).read(policy, into: &imported.draft) }
        if !words.isEmpty {
            imported.draft.set("command", .strings(words), Draft.standard("minijail", "the command after --"))
        }
        imported.draft.finish()
        return imported.draft
    }

    private init(_ context: ImportContext) { self.context = context }

    private mutating func read(_ source: ImportSource) {
        var pending: (text: String, line: Int)?
        // A backslash in the last line goes on to nothing.
        for (index, raw) in (source.lines + [""]).enumerated() where !draft.isOver {
            let text = raw.trimmed
            if text.hasPrefix("#") || text.hasPrefix("%") || (text.isEmpty && pending == nil) { continue }
            let (whole, number) = pending.map { ($0.text + text, $0.line) } ?? (text, index + 1)
            pending = nil
            if whole.hasSuffix("\\") {
                pending = (String(whole.dropLast()).trimmed, number)
                continue
            }
            let (key, value) = whole.cut("=")
            let directive = Directive(shown([whole]), at: Position(file: source.name, line: number, column: 1))
            draft.take(directive)
            let name = Self.short[key.trimmed] ?? key.trimmed
            lines.append(Line(key: name, value: value.map(\.trimmed), directive: directive))
        }
    }

    /// Long names of what has a letter.
    private static let short = [
        "ns-mount": "v", "mount-dev": "d", "bind-mount": "b", "mount": "k", "chroot": "C", "pivot-root": "P",
        "user": "u", "group": "g", "inherit-supplementary-groups": "G", "uts-namespace": "uts",
    ]

    func line(_ key: String) -> Line? { lines.last { $0.key == key } }
    private func standard(_ words: String) -> Directive { Draft.standard("minijail", words) }

    private mutating func write(_ policies: [ImportSource]) {
        writeTree()
        writeNamespaces()
        writeIdentity()
        for line in lines { rest(line, policies) }
        mounts.write(into: &draft)
    }

    private mutating func writeTree() {
        let isMinimal = line("profile")
        if let isMinimal {
            guard let value = isMinimal.value, value.hasPrefix("minimalistic-mountns") else {
                return draft.fail("unknown profile \(isMinimal.value ?? "")", isMinimal.directive)
            }
            draft.set("filesystem.root", .string("system"), isMinimal.directive)
            draft.warn(
                "the host's /usr and /etc in a root of the jail's own; minijail binds the root file system",
                isMinimal.directive)
            if value.hasSuffix("nodev") { draft.set("filesystem.dev", .string("host"), isMinimal.directive) }
        } else if let root = line("P") ?? line("C") {
            draft.set("filesystem.root", .string("empty"), root.directive)
            let path = cleaned(root.value ?? "/var/empty")
            if !["/mnt/empty", "/var/empty"].contains(path) {
                draft.set("filesystem.root", .string(literal(path)), root.directive)
            }
            draft.set(
                "filesystem.proc", .boolean(line("p") != nil || line("r") != nil),
                line("p")?.directive ?? root.directive)
            if line("d") == nil { draft.set("filesystem.dev", .string("none"), root.directive) }
        } else {
            draft.set("filesystem.root", .string("host"), standard("the host's tree without -P"))
            if Available.writable("host") {
                draft.set("filesystem.writable", .boolean(true), standard("the host's tree without -P"))
            } else {
                draft.lose("a root that can be written to", standard("the host's tree without -P"))
            }
            if line("d") == nil { draft.set("filesystem.dev", .string("host"), standard("the host's /dev without -d")) }
        }
        if line("t") == nil, isMinimal == nil {
            draft.set("filesystem.tmp", .boolean(false), standard("no /tmp of its own without -t"))
        }
        if Available.takes("filesystem.home", .boolean(false)) {
            draft.set("filesystem.home", .boolean(false), standard("no home of the jail's own"))
        }
    }

    private mutating func writeNamespaces() {
        let isMinimal = line("profile") != nil
        for (key, kind) in [("p", "pid"), ("l", "ipc"), ("uts", "uts"), ("N", "cgroup"), ("U", "user")]
        where line(key) == nil {
            draft.set("namespaces.\(kind)", .string("host"), standard("the host's without -\(key)"))
        }
        if line("p") == nil, isMinimal || line("P") != nil {
            draft.append("filesystem.ro", "/proc", standard("/proc is the host's without -p"))
        }
        if line("e") == nil {
            draft.set("network.mode", .string("host"), standard("the host's network without -e"))
            draft.set("landlock.scope", .array([]), standard("abstract sockets can be reached"))
        }
        if line("n") == nil { draft.warn("no program gains privileges by being executed", standard("without -n")) }
        if line("S") == nil {
            draft.warn(
                "immure's own filter of system calls stays; seccomp.profile = \"none\" is as without it",
                standard("without -S"))
        }
    }

    private mutating func writeIdentity() {
        for (key, name) in [("u", "user"), ("g", "group")] {
            guard let line = line(key), let value = line.value else {
                if key == "u" || self.line("u") == nil {
                    draft.set("identity.\(name)", .integer(0), standard("root without -\(key)"))
                }
                continue
            }
            draft.set("identity.\(name)", Int64(value).map { .integer($0) } ?? .string(value), line.directive)
        }
        if let line = line("c") {
            capabilities(line)
        } else if line("u") == nil {
            draft.set(
                "capabilities.keep", .strings(Capability.allCases.map(\.name)), standard("root keeps all without -c"))
        }
    }
}
