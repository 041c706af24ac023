import JailSpec
import SpecFile

extension SystemdImport {
    /// The tree: the host's, as far as the unit leaves it.
    mutating func writeTree() {
        let root = writeRoot()
        _ = isOn("PrivateMounts", .own(.mount))
        writeHome()
        writeTemporary()
        writeDeviceNodes()
        writeDirectories()
        writePaths()
        writeExecutable()
        if !places.rootIsReadOnly {
            let origin = rootOrigin ?? standard("without ProtectSystem= the host's tree can be written to")
            if Available.writable(root == "/" ? "host" : root) {
                draft.set("filesystem.writable", .boolean(true), origin)
            } else {
                draft.lose("a root that can be written to: name in filesystem.rw what the service writes", origin)
                places.rootIsReadOnly = true
            }
        }
        places.root = root
    }

    /// The mounts of the tree, once it is known whether the service may mount.
    mutating func writePlaces() {
        let hasHostDevices = draft.value("filesystem.dev")?.value == .string("host")
        places.write(hasHostDevices: hasHostDevices, mayMount: draft.keeps("sys_admin"), into: &draft)
    }

    /// Returns where the root is on the host.
    private mutating func writeRoot() -> String {
        let root = last("RootDirectory"), protect = last("ProtectSystem")
        rootOrigin = protect?.directive
        if let line = last("RootEphemeral") {
            if truth(line) {
                draft.lose(
                    "the original is written to: filesystem.changes = \"discard\" has a copy, by hand", restricts: true,
                    line.directive)
            } else {
                draft.isInForce(.nothing, line.directive)
            }
        }
        let origin = protect?.directive ?? standard("without ProtectSystem= the host's tree can be written to")
        var base = "/"
        if let root, let place = path(root.value, root.directive), place.path != "/" {
            base = place.path
            draft.set("filesystem.root", .string(base), root.directive)
        } else {
            draft.set("filesystem.root", .string("host"), root?.directive ?? origin)
        }
        let word = protect?.value.lowercased() ?? "no"
        var readOnly: [String] = []
        switch word {
        case "strict":
            places.rootIsReadOnly = true
            draft.isPart(origin)
        case "full": readOnly = ["/usr", "/boot", "/efi", "/etc"]
        case "1", "yes", "y", "true", "t", "on": readOnly = ["/usr", "/boot", "/efi"]
        case "0", "no", "n", "false", "f", "off": break
        default: draft.fail("\(quoted(word)) is not a value of ProtectSystem=", origin)
        }
        for path in readOnly {
            let isOptional = base != "/" || (path != "/usr" && path != "/etc")
            show(path, readOnly: true, optional: isOptional, origin)
        }
        return base
    }

    /// Says something of a path whose files are those of the root, or of what is mounted around it.
    private mutating func show(
        _ path: String, readOnly: Bool? = nil, noExec: Bool? = nil, optional: Bool, _ directive: Directive
    ) {
        places.add(
            SystemdPlaces.Place(
                path: path, isReadOnly: readOnly, isNoExec: noExec, isOptional: optional, directive: directive), &draft)
    }

    /// Mounts something of its own on a path, writable unless it is said not to be.
    mutating func mount(
        _ path: String, _ content: [(String, Node.Value)], readOnly: Bool = false, noExec: Bool? = nil,
        options: [String] = [], optional: Bool = false, fixed: Bool = false, _ directive: Directive
    ) {
        places.add(
            SystemdPlaces.Place(
                path: path, content: content, isReadOnly: readOnly, isNoExec: noExec, isFixed: fixed, options: options,
                isOptional: optional, directive: directive), &draft)
    }

    mutating func hide(_ path: String, _ directive: Directive) {
        places.add(SystemdPlaces.Place(path: path, isHidden: true, directive: directive), &draft)
    }

    private static let homes = ["/home", "/root", "/run/user"]

    private mutating func writeHome() {
        guard let line = last("ProtectHome") else { return }
        switch line.value.lowercased() {
        case "read-only": for path in Self.homes { show(path, readOnly: true, optional: true, line.directive) }
        case "tmpfs":
            for path in Self.homes {
                mount(path, [("type", .string("tmpfs")), ("mode", .string("0755"))], line.directive)
            }
        default:
            if truth(line) {
                for path in Self.homes { hide(path, line.directive) }
            } else {
                draft.isInForce(.nothing, line.directive)
            }
        }
    }

    private mutating func writeTemporary() {
        let line = last("PrivateTmp")
        let content: [(String, Node.Value)] = [("type", .string("tmpfs")), ("mode", .string("1777"))]
        if truth(line, others: ["connected", "disconnected"]), let line {
            draft.isInForce(.ownDirectory("/tmp"), "/tmp is the jail's own", line.directive)
            mount("/tmp", content, fixed: true, line.directive)
            mount("/var/tmp", content, line.directive)
        } else {
            draft.set(
                "filesystem.tmp", .boolean(false), line?.directive ?? standard("without PrivateTmp= /tmp is the host's")
            )
        }
    }

    // MARK: Paths

    /// A path; nil also for what procfs has of one process: that is another file for each, and nothing can be put there for all.
    private mutating func commonPath(
        _ word: String, restricts: Bool, _ directive: Directive
    ) -> (path: String, isOptional: Bool)? {
        guard let place = path(word, directive) else { return nil }
        guard ["/proc/self", "/proc/thread-self"].contains(where: { isWithin(place.path, $0) }) else { return place }
        draft.lose("a file of procfs that is another for each process", restricts: restricts, directive)
        return nil
    }

    private mutating func writePaths() {
        let open = words("ReadWritePaths"), closed = words("ReadOnlyPaths")
        for (word, directive) in closed {
            guard let place = commonPath(word, restricts: true, directive) else { continue }
            if place.path == "/" {
                draft.isInForce(.nothing, "the root is read-only", directive)
                places.rootIsReadOnly = true
            } else {
                show(place.path, readOnly: true, optional: place.isOptional, directive)
            }
        }
        for (word, directive) in open {
            guard let place = commonPath(word, restricts: false, directive) else { continue }
            if place.path != "/" {
                show(place.path, readOnly: false, optional: place.isOptional, directive)
            } else if places.rootIsReadOnly {
                draft.warn("has no effect: for one path what is read-only goes first", directive)
            } else {
                rootOrigin = directive
                draft.isPart(directive)
            }
        }
        for (word, directive) in words("InaccessiblePaths") {
            guard let place = commonPath(word, restricts: true, directive) else { continue }
            hide(place.path, directive)
        }
        for (word, directive) in words("TemporaryFileSystem") { temporary(word, directive) }
        for (key, isReadOnly) in [("BindPaths", false), ("BindReadOnlyPaths", true)] {
            for (word, directive) in words(key) { bind(word, isReadOnly, directive) }
        }
    }

    private mutating func temporary(_ word: String, _ directive: Directive) {
        let (written, options) = word.cut(":")
        guard let place = path(written, directive) else { return }
        var pairs: [(String, Node.Value)] = [("type", .string("tmpfs"))]
        var flags: Set<String> = []
        var mode = "0755"
        for option in (options ?? "").split(separator: ",").map(String.init) {
            if let bits = option.after("mode=") {
                mode = bits
            } else if let size = option.after("size=") {
                let text = size.uppercased()
                guard Available.mount([("type", .string("tmpfs")), ("size", .string(text))]) else {
                    draft.lose("the size \(size)", restricts: true, directive)
                    continue
                }
                pairs.append(("size", .string(text)))
            } else if let number = option.after("nr_inodes=").flatMap({ Int64($0) }) {
                pairs.append(("inodes", .integer(number)))
            } else if ["ro", "noexec"].contains(option) {
                flags.insert(option)
            } else if !["rw", "nosuid", "nodev", "strictatime"].contains(option) {
                draft.lose("the option \(option)", directive)
            }
        }
        pairs.append(("mode", .string(mode)))
        mount(
            place.path, pairs, readOnly: flags.contains("ro"), noExec: flags.contains("noexec") ? true : nil, directive)
    }

    private mutating func bind(_ word: String, _ isReadOnly: Bool, _ directive: Directive) {
        let parts = word.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard let source = path(parts[0], directive) else { return }
        let written = parts.count > 1 && !parts[1].isEmpty ? parts[1] : parts[0]
        guard let target = path(written, directive) else { return }
        mount(
            target.path, [("source", .string(source.path))], readOnly: isReadOnly,
            options: parts.count > 2 && parts[2] == "norbind" ? ["bind"] : [], optional: source.isOptional, directive)
    }

    private mutating func writeExecutable() {
        let closed = words("NoExecPaths"), open = words("ExecPaths")
        guard !closed.isEmpty else {
            for (_, directive) in open { draft.isInForce(.nothing, "nothing is closed", directive) }
            return
        }
        for (word, directive) in closed {
            guard let place = path(word, directive) else { continue }
            if place.path == "/" {
                draft.append("landlock.rw", "/", directive)
                draft.warn(
                    "by Landlock: the command, its loader and its interpreter must be among ExecPaths=", directive)
            } else {
                show(place.path, noExec: true, optional: place.isOptional, directive)
            }
        }
        for (word, directive) in open {
            guard let place = path(word, directive) else { continue }
            if draft.has("landlock.rw") {
                draft.append("landlock.rx", place.path, directive)
            } else {
                show(place.path, noExec: false, optional: place.isOptional, directive)
            }
        }
    }
}
