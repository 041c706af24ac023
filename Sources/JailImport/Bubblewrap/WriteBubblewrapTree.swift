import JailSpec
import SpecFile

extension BubblewrapTree {
    /// Whether the command can start in a directory of that name: the host's, or another in its place.
    func shows(_ directory: String, _ context: ImportContext) -> Bool {
        let nearest = entries.filter { isWithin(directory, $0.target) }.max {
            $0.target.utf8.count < $1.target.utf8.count
        }
        if let nearest, case .bind(let source, _, _) = nearest.content {
            let rest = nearest.target == "/" ? directory : String(directory.dropFirst(nearest.target.count))
            let place = cleaned(source + "/" + rest)
            if place == directory || context.isDirectory(place) {
                if context.mayEnter(place) { return true }
                // There, and closed: what is made for others below it is made in it.
                if context.isDirectory(place) { return false }
            }
        }
        // What something stands on is made, with all that is above it.
        return entries.contains { $0.target == directory ? $0.content.isDirectory : isWithin($0.target, directory) }
    }
}

extension BubblewrapTree.Content {
    /// Whether it is a directory of the jail's own.
    fileprivate var isDirectory: Bool {
        switch self {
        case .tmpfs, .directory, .overlay, .proc, .dev, .mqueue: true
        case .bind, .descriptor, .data, .symlink: false
        }
    }
}

extension BubblewrapImport {
    /// `[filesystem]` and the mounts.
    mutating func writeTree() {
        writeRoot()
        writePlaces()
        for entry in tree.entries where entry.target != "/" { write(entry) }
    }

    private mutating func writeRoot() {
        let root = tree.root
        let origin = root?.directive ?? standard("the root is a tmpfs")
        if let root, case .overlay = root.content { return write(root) }
        guard let root, case .bind(let source, let isWritable, let hasDevices) = root.content else {
            draft.set("filesystem.root", .string("empty"), origin)
            if let root {
                switch root.content {
                case .tmpfs: if root.size != nil { draft.warn("the size of the root is not limited", origin) }
                default: return draft.lose("a root of that kind", restricts: true, origin)
                }
            }
            if !tree.rootIsReadOnly { draft.set("filesystem.writable", .boolean(true), origin) }
            return
        }
        if root.isOptional { draft.warn("refused where the source is missing", origin) }
        let isHost = cleaned(source) == "/"
        draft.set("filesystem.root", .string(isHost ? "host" : rootPath(source)), origin)
        if isWritable, !tree.rootIsReadOnly { draft.set("filesystem.writable", .boolean(true), origin) }
        if hasDevices, isHost, tree.entry(at: "/dev") == nil {
            showDevices(origin)
        } else if hasDevices {
            draft.warn("device nodes of the root cannot be opened", origin)
        }
        if isHost, tree.entry(at: "/proc") == nil {
            draft.append(
                "filesystem.\(isWritable ? "rw" : "ro")", "/proc", standard("/proc is the host's, part of its tree"))
        }
    }

    /// A path, which has to look like one.
    private func rootPath(_ source: String) -> String { hostPath(source) }

    /// What a jail has without being asked for, and bubblewrap has not.
    private mutating func writePlaces() {
        if !draft.hasBind("/proc"), tree.entry(at: "/proc").map(\.isProc) != true {
            draft.set("filesystem.proc", .boolean(false), standard("no /proc without --proc"))
        }
        if !draft.has("filesystem.dev"), tree.entry(at: "/dev") == nil {
            let standard = standard("no nodes of devices without --dev")
            draft.set("filesystem.dev", .string("none"), standard)
            if let root = tree.root, case .bind = root.content {
                draft.warn(
                    "what the root has in /dev is not seen, where bubblewrap shows nodes that cannot be opened",
                    standard)
            }
        }
        draft.set("filesystem.tmp", .boolean(false), standard("no /tmp of the jail's own without --tmpfs /tmp"))
        draft.set("filesystem.home", .boolean(false), standard("no home of the jail's own"))
    }

    private mutating func write(_ entry: BubblewrapTree.Entry) {
        let from = entry.directive
        switch entry.content {
        case .bind(let source, let isWritable, let hasDevices): bind(entry, source, isWritable, hasDevices)
        case .descriptor(let number, let isWritable):
            draft.add(
                "mount",
                [("target", .string(literal(entry.target))), ("source_fd", .integer(Int64(number) ?? 0))]
                    + [("options", .strings(isWritable ? ["nodev"] : ["ro", "nodev"]))], from)
        case .data(let number, let isBound, let isWritable): data(entry, number, isBound, isWritable)
        case .overlay(let lower, let upper, let work, let isWritable):
            var pairs: [(String, Node.Value)] = [
                ("target", .string(literal(entry.target))), ("type", .string("overlay")),
                ("lower", .strings(lower.map(hostPath))),
            ]
            if let upper, let work {
                // Whatever upper has is taken.
                pairs += [
                    ("upper", .string(hostPath(upper))), ("work", .string(hostPath(work))), ("record", .boolean(false)),
                ]
            }
            if !isWritable || entry.isSealed { pairs.append(("options", .strings(["ro"]))) }
            draft.add("mount", pairs, from)
        case .proc: proc(entry)
        case .dev:
            if entry.target == "/dev" {
                draft.warn("the jail's /dev is read-only but for /dev/shm, and no program there can be executed", from)
                draft.add(
                    "mount",
                    [("target", .string("/dev/core")), ("type", .string("symlink")), ("to", .string("/proc/kcore"))],
                    from)
            } else {
                draft.lose("a set of device nodes anywhere but on /dev", from)
            }
        case .tmpfs:
            var pairs: [(String, Node.Value)] = [
                ("target", .string(literal(entry.target))), ("type", .string("tmpfs")),
                ("mode", .string(directoryMode(entry, "0755"))),
            ]
            if let size = entry.size { pairs.append(("size", .integer(Int64(size) ?? 1))) }
            if entry.isSealed { pairs.append(("options", .strings(["ro"]))) }
            draft.add("mount", pairs, from)
        case .mqueue:
            draft.add("mount", [("target", .string(literal(entry.target))), ("type", .string("mqueue"))], from)
        case .directory:
            var pairs: [(String, Node.Value)] = [("target", .string(literal(entry.target))), ("type", .string("dir"))]
            if entry.mode != nil {
                // One that is there already keeps the mode that it has.
                pairs += [("mode", .string(directoryMode(entry, "0755"))), ("optional", .boolean(true))]
            }
            draft.add("mount", pairs, from)
        case .symlink(let to):
            draft.add(
                "mount",
                [("target", .string(literal(entry.target))), ("type", .string("symlink")), ("to", .string(to))], from)
        }
    }

    /// All devices of the host.
    private mutating func showDevices(_ directive: Directive) {
        draft.set("filesystem.dev", .string("host"), directive)
        draft.warn("the host's /dev is read-only: its nodes are used, and none is made or removed", directive)
    }

    private mutating func proc(_ entry: BubblewrapTree.Entry) {
        let sharesProcesses = !unshared.contains("pid") && !draft.has("namespaces.pid")
        if sharesProcesses {
            // A new procfs of a pid namespace that others own shows what the old one does.
            let pairs: [(String, Node.Value)] = [
                ("target", .string(literal(entry.target))), ("source", .string("/proc")),
            ]
            if entry.target == "/proc" {
                draft.append("filesystem.rw", "/proc", entry.directive)
            } else {
                draft.add("mount", pairs, entry.directive)
            }
        } else if entry.target == "/proc" {
            draft.isInForce(.nothing, entry.directive)
        } else {
            draft.add(
                "mount", [("target", .string(literal(entry.target))), ("type", .string("proc"))], entry.directive)
        }
    }

    private mutating func bind(
        _ entry: BubblewrapTree.Entry, _ source: String, _ isWritable: Bool, _ hasDevices: Bool
    ) {
        let (from, path) = (entry.directive, hostPath(source))
        if hasDevices, entry.target == "/dev", cleaned(source) == "/dev", !entry.isOptional {
            return showDevices(from)
        }
        let target = literal(entry.target)
        // The short form opens a node that it names below a dev, and takes no directory of nodes; bubblewrap opens them with
        // --dev-bind only, and shows them without.
        let staysClosed = !hasDevices && source.split(separator: "/").contains("dev")
        if !hasDevices, !staysClosed, !entry.isOptional {
            return draft.place(isWritable ? "rw" : "ro", path, on: target, from)
        }
        var pairs: [(String, Node.Value)] = [("target", .string(target)), ("source", .string(path))]
        var options: [String] = isWritable ? [] : ["ro"]
        if hasDevices { options.append("dev") }
        if staysClosed { options.append("nodev") }
        if !options.isEmpty { pairs.append(("options", .strings(options))) }
        if entry.isOptional { pairs.append(("optional", .boolean(true))) }
        draft.add("mount", pairs, from)
    }

    private mutating func data(_ entry: BubblewrapTree.Entry, _ number: String, _ isBound: Bool, _ isWritable: Bool) {
        let bits = entry.mode.flatMap { UInt32($0, radix: 8) } ?? (isBound ? 0o600 : 0o666)
        var pairs: [(String, Node.Value)] = [
            ("target", .string(literal(entry.target))), ("type", .string("file")),
            ("content_fd", .integer(Int64(number) ?? 0)), ("mode", .string(octal(bits & 0o777))),
        ]
        if isWritable { pairs.append(("options", .strings(["rw"]))) }
        draft.add("mount", pairs, entry.directive)
    }

    private func directoryMode(_ entry: BubblewrapTree.Entry, _ standard: String) -> String {
        entry.mode.flatMap { UInt32($0, radix: 8) }.map { octal($0 & 0o3777) } ?? standard
    }
}

extension BubblewrapTree.Entry {
    fileprivate var isProc: Bool { if case .proc = content { true } else { false } }
}

extension Draft {
    /// Whether something is shown at that place by a short line.
    func hasBind(_ target: String) -> Bool {
        for key in ["filesystem.ro", "filesystem.rw"] {
            guard case .array(let list)? = value(key)?.value else { continue }
            for node in list where node.value == .string(target) { return true }
        }
        return false
    }
}

/// Permissions as a spec has them.
func octal(_ bits: UInt32) -> String { "0" + String(bits, radix: 8) }
