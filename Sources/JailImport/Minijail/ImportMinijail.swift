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
    private var lines: [Line] = []
    private let context: ImportContext

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
        if hasConfiguration { imported.write(policies) }
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
        for (index, raw) in source.lines.enumerated() {
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

    private func line(_ key: String) -> Line? { lines.last { $0.key == key } }
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

    private mutating func capabilities(_ line: Line) {
        let value = line.value ?? "0"
        var set: CapabilitySet = []
        if let mask = value.lowercased().after("0x").flatMap({ UInt64($0, radix: 16) }) ?? UInt64(value) {
            set = CapabilitySet(Capability.allCases.filter { mask >> UInt64($0.rawValue) & 1 == 1 })
        } else {
            for clause in value.spaced {
                let names = clause.prefix { $0 != "=" && $0 != "+" }
                for name in names.split(separator: ",") {
                    guard let capability = Capability.named(foreign: String(name)) else {
                        draft.fail("unknown capability \(name)", line.directive)
                        continue
                    }
                    set = set | CapabilitySet(capability)
                }
            }
        }
        draft.isInForce("in capabilities.keep", line.directive)
        if !set.isNone { draft.set("capabilities.keep", .strings(set.capabilities.map(\.name)), line.directive) }
    }
}

extension MinijailImport {
    private mutating func rest(_ line: Line, _ policies: [ImportSource]) {
        let directive = line.directive
        switch line.key {
        case "u", "g", "c", "profile", "P", "C": draft.isPart(directive)
        case "e", "l", "uts", "N", "n", "p", "v", "U", "t", "d", "w", "no-fs-restrictions",
            "no-default-runtime-environment",
            "no-new-sessions", "Y":
            if line.key == "e" || line.key == "uts" || line.key == "t", let value = line.value { valued(line, value) }
            draft.isInForce("", directive)
        case "r": draft.warn("/proc is the jail's own; nothing of the host's can be changed in it", directive)
        case "I": draft.set("process.init", .boolean(false), directive)
        case "i", "T", "L", "logging", "z", "preload-library": draft.isOutside("", directive)
        case "G": draft.warn("the groups of that user as they are: name them in identity.groups", directive)
        case "ambient": draft.isInForce("capabilities.keep is ambient where the user is not root", directive)
        case "K":
            if line.value == nil || line.value == "private" {
                draft.isInForce("", directive)
            } else {
                draft.lose("mounts that come later", directive)
            }
        case "b": bind(line)
        case "k": mount(line)
        case "V": draft.set("namespaces.mount", .string(line.value ?? ""), directive)
        case "R": limit(line)
        case "S": policy(line, policies)
        case "seccomp-bpf-binary": draft.lose("a filter that is compiled already", restricts: true, directive)
        case "f": draft.lose("a file that gets the process's number", directive)
        case "B": draft.lose("securebits", restricts: true, directive)
        case "s": draft.set("seccomp.profile", .string("strict"), directive)
        case "fs-path-ro": draft.append("landlock.ro", literal(line.value ?? ""), directive)
        case "fs-path-rx": draft.append("landlock.rx", literal(line.value ?? ""), directive)
        case "fs-path-rw", "fs-path-advanced-rw": draft.append("landlock.rw", literal(line.value ?? ""), directive)
        case "fs-default-paths":
            draft.append("landlock.rx", [.string("/usr"), .string("/etc")], directive)
            draft.warn(
                "minijail has a set of paths of that name; the jail's programs and their settings stand for it",
                directive)
        case "env-add":
            let (name, value) = (line.value ?? "").cut("=")
            draft.setLiteral(name, value ?? "", directive)
        case "m", "M", "a", "H", "y", "add-suppl-group", "allow-speculative-execution", "env-reset":
            draft.lose("no line for it", directive)
        default:
            draft.fail("minijail0 has no option \(line.key)", directive)
        }
    }

    private mutating func valued(_ line: Line, _ value: String) {
        switch line.key {
        case "e": draft.set("namespaces.net", .string(value), line.directive)
        case "uts": draft.set("hostname", .string(value), line.directive)
        default: if let size = bytes(value.uppercased()) { draft.set("filesystem.tmp", .integer(size), line.directive) }
        }
    }

    private mutating func bind(_ line: Line) {
        let parts = (line.value ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        let source = cleaned(literal(parts[0]))
        let target = parts.count > 1 && !parts[1].isEmpty ? cleaned(literal(parts[1])) : source
        let isWritable = parts.count > 2 && (Int(parts[2]) ?? 0) != 0
        if target == "/" { return draft.isInForce("the host's programs are there", line.directive) }
        place(source, target, isWritable, line.directive)
    }

    private mutating func place(_ source: String, _ target: String, _ isWritable: Bool, _ directive: Directive) {
        if source == "/proc", target == "/proc" { return draft.append("filesystem.ro", "/proc", directive) }
        if source == "/dev", target == "/dev" { return draft.set("filesystem.dev", .string("host"), directive) }
        var options = isWritable ? [] : ["ro"]
        if isWithin(source, "/dev") { options.append("dev") }
        mounts.bind(source, on: target, options, directive, &draft)
    }

    private mutating func mount(_ line: Line) {
        let parts = (line.value ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 3 else { return draft.fail("not a mount: source,target,type", line.directive) }
        let target = cleaned(literal(parts[1])), type = parts[2]
        let flags = parts.count > 3 ? parts[3].split(separator: "|").map { String($0).uppercased() } : []
        if flags.contains("MS_BIND") || flags.contains("BIND") || ["none", "bind"].contains(type) {
            let isReadOnly = flags.contains("MS_RDONLY")
            return place(cleaned(literal(parts[0])), target, !isReadOnly, line.directive)
        }
        var pairs: [(String, Node.Value)] = []
        switch type {
        case "tmpfs":
            pairs.append(("type", .string("tmpfs")))
            for option in parts.dropFirst(4) {
                if let mode = option.after("mode=") { pairs.append(("mode", .string(mode))) }
                if let size = option.after("size=").flatMap({ bytes($0.uppercased()) }) {
                    pairs.append(("size", .integer(size)))
                }
            }
            var options: [String] = []
            if flags.contains("MS_NOEXEC") { options.append("noexec") }
            if flags.contains("MS_RDONLY") { options.append("ro") }
            if !options.isEmpty { pairs.append(("options", .strings(options))) }
        case "proc" where target == "/proc" && self.line("p") != nil:
            return draft.isInForce("", line.directive)
        case "proc" where target == "/proc": return draft.append("filesystem.ro", "/proc", line.directive)
        case "sysfs", "mqueue", "devpts", "proc": pairs.append(("type", .string(type)))
        case "cgroup", "cgroup2": pairs.append(("type", .string("cgroup")))
        default: return draft.lose("a file system of the type \(type)", line.directive)
        }
        mounts.add(target, pairs, line.directive, &draft)
    }

    private mutating func limit(_ line: Line) {
        let names = [
            "cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile", "memlock", "as", "locks", "sigpending",
            "msgqueue", "nice", "rtprio", "rttime",
        ]
        let parts = (line.value ?? "").split(separator: ",").map { String($0).trimmed }
        guard parts.count == 3 else { return draft.fail("not a limit: type,current,maximum", line.directive) }
        let name =
            Int(parts[0]).flatMap { names.indices.contains($0) ? names[$0] : nil }
            ?? parts[0].after("RLIMIT_")?.lowercased() ?? ""
        guard names.contains(name) else { return draft.fail("unknown limit \(parts[0])", line.directive) }
        draft.set("rlimits.\(name)", .string("\(parts[1]):\(parts[2])"), line.directive)
    }

    private mutating func policy(_ line: Line, _ policies: [ImportSource]) {
        draft.isPart(line.directive)
        if !policies.isEmpty { return draft.isInForce("the policy that is given", line.directive) }
        guard let text = context.read(line.value ?? "") else {
            return draft.lose("the policy is not here; give it as another FILE", restricts: true, line.directive)
        }
        MinijailPolicy(context).read(ImportSource(name: line.value ?? "", text: text), into: &draft)
    }
}
