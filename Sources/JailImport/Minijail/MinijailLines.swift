import JailSpec
import SpecFile

extension MinijailImport {
    mutating func rest(_ line: Line, _ policies: [ImportSource]) {
        let directive = line.directive
        switch line.key {
        case "u", "g", "c", "profile", "P", "C": draft.isPart(directive)
        case "e", "l", "uts", "N", "n", "p", "v", "U", "t", "d", "w", "no-fs-restrictions",
            "no-default-runtime-environment",
            "no-new-sessions", "Y":
            if line.key == "e" || line.key == "uts" || line.key == "t", let value = line.value { valued(line, value) }
            draft.isInForce(Self.claim(line), directive)
        case "r": draft.warn("/proc is the jail's own; nothing of the host's can be changed in it", directive)
        case "I": draft.set("process.init", .boolean(false), directive)
        case "i", "T", "L", "logging", "z", "preload-library": draft.isOutside("", directive)
        case "G": draft.warn("the groups of that user as they are: name them in identity.groups", directive)
        case "ambient": draft.isInForce(.nothing, "capabilities.keep is ambient where the user is not root", directive)
        case "K":
            if line.value == nil || line.value == "private" {
                draft.isInForce(.nothing, directive)
            } else {
                draft.warn("what the host mounts later is not seen in the jail", directive)
            }
        case "b": bind(line)
        case "k": mount(line)
        case "V": draft.set("namespaces.mount", .string(line.value ?? ""), directive)
        case "R": limit(line)
        case "S": policy(line, policies)
        case "seccomp-bpf-binary": draft.lose("a filter that is compiled already", restricts: true, directive)
        case "f": draft.isOutside("a file that gets the process's number, for who watches it", directive)
        case "B":
            draft.isInForce(.nothing, "securebits that are not set; nothing goes beyond capabilities.keep", directive)
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
        case "a": draft.lose("another table of system calls", restricts: true, directive)
        case "m", "M", "H", "y", "add-suppl-group", "allow-speculative-execution", "env-reset":
            draft.lose("no line for it", directive)
        default:
            draft.fail("minijail0 has no option \(line.key)", directive)
        }
    }

    /// What a flag without a word of its own asks for, which every jail has unless another line takes it away.
    private static func claim(_ line: Line) -> Claim {
        switch line.key {
        case "e": line.value == nil ? .noNetwork : .nothing
        case "l": .own(.ipc)
        case "uts": .own(.uts)
        case "N": .own(.cgroup)
        case "p": .own(.pid)
        case "U": .own(.user)
        case "t": .ownDirectory("/tmp")
        case "w": .ownKeyring
        default: .nothing
        }
    }

    private mutating func valued(_ line: Line, _ value: String) {
        switch line.key {
        case "e": draft.set("namespaces.net", .string(value), line.directive)
        case "uts": draft.set("hostname", .string(value), line.directive)
        default:
            if let size = bytes(value.uppercased()) {
                draft.set("filesystem.tmp", .integer(size), line.directive)
            } else {
                draft.lose("no size in bytes: \(value)", restricts: true, line.directive)
            }
        }
    }

    private mutating func bind(_ line: Line) {
        let parts = (line.value ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        let source = cleaned(literal(parts[0]))
        let target = parts.count > 1 && !parts[1].isEmpty ? cleaned(literal(parts[1])) : source
        let isWritable = parts.count > 2 && (Int(parts[2]) ?? 0) != 0
        if target == "/" { return draft.isInForce(.nothing, "the host's programs are there", line.directive) }
        place(source, target, isWritable ? [] : ["ro"], line.directive)
    }

    private mutating func place(_ source: String, _ target: String, _ asked: [String], _ directive: Directive) {
        if source == "/proc", target == "/proc" { return draft.append("filesystem.ro", "/proc", directive) }
        if source == "/dev", target == "/dev" { return draft.set("filesystem.dev", .string("host"), directive) }
        var options = asked
        if isWithin(source, "/dev") { options.append("dev") }
        mounts.bind(source, on: target, options, directive, &draft)
    }

    private mutating func mount(_ line: Line) {
        let parts = (line.value ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 3 else { return draft.fail("not a mount: source,target,type", line.directive) }
        let target = cleaned(literal(parts[1])), type = parts[2]
        guard let flags = MinijailFlags.bits(parts.count > 3 ? parts[3] : "") else {
            return draft.fail("not flags of a mount: \(parts[3])", line.directive)
        }
        let options = MinijailFlags.options(flags)
        if flags & MinijailFlags.bind != 0 || ["none", "bind"].contains(type) {
            return place(cleaned(literal(parts[0])), target, options, line.directive)
        }
        var pairs: [(String, Node.Value)] = []
        switch type {
        case "tmpfs":
            pairs.append(("type", .string("tmpfs")))
            for option in parts.dropFirst(4) {
                if let mode = option.after("mode=") {
                    pairs.append(("mode", .string(mode)))
                } else if let size = option.after("size=").flatMap({ bytes($0.uppercased()) }) {
                    pairs.append(("size", .integer(size)))
                } else if let count = option.after("nr_inodes=").flatMap({ Int64($0) }) {
                    pairs.append(("inodes", .integer(count)))
                } else if !option.isEmpty {
                    draft.lose("the option \(option)", restricts: true, line.directive)
                }
            }
            if !options.isEmpty { pairs.append(("options", .strings(options))) }
        case "proc" where target == "/proc" && self.line("p") != nil:
            return draft.isInForce(.nothing, line.directive)
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
        if !policies.isEmpty { return draft.isInForce(.nothing, "the policy that is given", line.directive) }
        guard let text = context.read(line.value ?? "") else {
            return draft.lose("the policy is not here; give it as another FILE", restricts: true, line.directive)
        }
        MinijailPolicy(context).read(ImportSource(name: line.value ?? "", text: text), into: &draft)
    }
}
