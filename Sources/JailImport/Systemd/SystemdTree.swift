import SpecFile

extension SystemdImport {
    /// The tree: the host's, as far as the unit leaves it.
    mutating func writeTree() {
        let root = last("RootDirectory")
        let protect = last("ProtectSystem")
        let isStrict = writeRoot(root, protect)
        _ = isOn("PrivateMounts")
        writeHome(isStrict)
        writeTemporary()
        writeDevices()
        let made = writeDirectories()
        writePaths(isStrict, made)
        writeExecutable()
    }

    /// Returns whether the whole root is read-only.
    private mutating func writeRoot(_ root: UnitFile.Line?, _ protect: UnitFile.Line?) -> Bool {
        let word = protect?.value.lowercased() ?? "no"
        let isStrict = word == "strict"
        let origin = protect?.directive ?? standard("without ProtectSystem= the host's tree can be written to")
        if let root, let place = path(root.value, root.directive) {
            draft.set("filesystem.root", .string(place.path), root.directive)
        } else {
            draft.set("filesystem.root", .string("host"), origin)
        }
        if isStrict { return true }
        if Available.writable(root == nil ? "host" : "/x") {
            draft.set("filesystem.writable", .boolean(true), origin)
        } else {
            draft.lose("a root that can be written to: name in filesystem.rw what the service writes", origin)
        }
        var readOnly: [String] = []
        switch word {
        case "full": readOnly = ["/usr", "/boot", "/efi", "/etc"]
        case "1", "yes", "y", "true", "t", "on": readOnly = ["/usr", "/boot", "/efi"]
        case "0", "no", "n", "false", "f", "off": break
        default: draft.fail("\(quoted(word)) is not a value of ProtectSystem=", origin)
        }
        for path in readOnly where draft.has("filesystem.writable") {
            if path == "/usr" || path == "/etc" {
                draft.append("filesystem.ro", path, origin)
            } else {
                mount(path, from: path, ["ro"], optional: true, origin)
            }
        }
        return false
    }

    private mutating func mount(
        _ target: String, from source: String, _ options: [String], optional: Bool, _ directive: Directive
    ) {
        var pairs: [(String, Node.Value)] = [("target", .string(target)), ("source", .string(source))]
        if !options.isEmpty { pairs.append(("options", .strings(options))) }
        if optional { pairs.append(("optional", .boolean(true))) }
        draft.add("mount", pairs, directive)
    }

    private static let homes = ["/home", "/root", "/run/user"]

    private mutating func writeHome(_ isStrict: Bool) {
        guard let line = last("ProtectHome") else { return }
        switch line.value.lowercased() {
        case "read-only":
            if isStrict { return draft.isInForce("the root is read-only", line.directive) }
            for path in Self.homes where draft.has("filesystem.writable") {
                mount(path, from: path, ["ro"], optional: true, line.directive)
            }
            draft.isInForce("", line.directive)
        case "tmpfs":
            for path in Self.homes {
                draft.add(
                    "mount",
                    [("target", .string(path)), ("type", .string("tmpfs")), ("mode", .string("0755"))], line.directive)
            }
        default:
            if truth(line) {
                draft.append("filesystem.hide", Self.homes.map { .string($0) }, line.directive)
            } else {
                draft.isInForce("", line.directive)
            }
        }
    }

    private mutating func writeTemporary() {
        let line = last("PrivateTmp")
        if truth(line, others: ["connected", "disconnected"]), let line {
            draft.isInForce("/tmp is the jail's own", line.directive)
            draft.add(
                "mount",
                [("target", .string("/var/tmp")), ("type", .string("tmpfs")), ("mode", .string("1777"))], line.directive
            )
        } else {
            draft.set(
                "filesystem.tmp", .boolean(false), line?.directive ?? standard("without PrivateTmp= /tmp is the host's")
            )
        }
    }

    // MARK: Devices

    private static let classes: [String: [String]] = [
        "char-drm": ["/dev/dri"], "char-alsa": ["/dev/snd"], "char-input": ["/dev/input"], "char-pts": [],
        "block-device-mapper": ["/dev/mapper"], "char-usb_device": ["/dev/bus/usb"],
    ]

    private static let patterns: [String: [String]] = [
        "char-tty": ["/dev/tty[0-9]*"], "char-vcs": ["/dev/vcs*"], "char-rtc": ["/dev/rtc*"], "char-hvc": ["/dev/hvc*"],
        "block-loop": ["/dev/loop[0-9]*"], "block-sd": ["/dev/sd*"], "block-blkext": ["/dev/nvme*"],
        "block-device-mapper": ["/dev/dm-*"], "char-hidraw": ["/dev/hidraw*"], "char-ttyS": ["/dev/ttyS*"],
        "char-ttyUSB": ["/dev/ttyUSB*"], "char-video4linux": ["/dev/video*"], "char-watchdog": ["/dev/watchdog*"],
        "char-ptp": ["/dev/ptp*"], "char-pps": ["/dev/pps*"], "char-tpm": ["/dev/tpm*"], "char-rfkill": ["/dev/rfkill"],
    ]

    private mutating func writeDevices() {
        let line = last("PrivateDevices")
        let isPrivate = truth(line)
        if let line { draft.isInForce(isPrivate ? "" : "as DeviceAllow= says", line.directive) }
        let allowed = list("DeviceAllow")
        let policy = last("DevicePolicy")
        let word = policy?.value.lowercased() ?? "auto"
        if let policy {
            if ["auto", "closed", "strict"].contains(word) {
                draft.isInForce("", policy.directive)
            } else {
                draft.fail("\(quoted(policy.value)) is not a value of DevicePolicy=", policy.directive)
            }
        }
        if !isPrivate, allowed.isEmpty, word == "auto" {
            let origin = line?.directive ?? standard("without PrivateDevices= /dev is the host's")
            return draft.set("filesystem.dev", .string("host"), origin)
        }
        for entry in allowed { allow(entry) }
        // As in the private /dev of systemd.
        if !draft.has("filesystem.dev") {
            draft.add(
                "mount",
                [
                    ("target", .string("/dev/log")), ("type", .string("symlink")),
                    ("to", .string("/run/systemd/journal/dev-log")),
                ], line?.directive ?? standard("/dev/log leads to the journal"))
        }
    }

    private mutating func allow(_ entry: UnitFile.Line) {
        let words = entry.value.spaced
        guard let device = words.first else { return }
        let name = specifiers.resolve(device)
        if name.hasPrefix("/dev/") {
            if ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx"]
                .contains(name)
            {
                return draft.isInForce("", entry.directive)
            }
            let options = words.count > 1 && !words[1].contains("w") ? ["ro", "dev"] : ["rw", "dev"]
            return mount(name, from: name, options, optional: true, entry.directive)
        }
        if name == "char-*" || name == "block-*" {
            draft.warn("all devices of the host are there, not only one kind", entry.directive)
            return draft.set("filesystem.dev", .string("host"), entry.directive)
        }
        let directories = Self.classes[name], patterns = Self.patterns[name] ?? []
        if name.hasPrefix("char-/") || name.hasPrefix("block-/") {
            return draft.warn("no kind of devices has a slash in its name: systemd passes over it", entry.directive)
        }
        guard directories != nil || !patterns.isEmpty else {
            return draft.lose("a class of devices whose nodes are not known by name", entry.directive)
        }
        if directories?.isEmpty == true { return draft.isInForce("", entry.directive) }
        for path in directories ?? [] { mount(path, from: path, ["rw", "dev"], optional: true, entry.directive) }
        for pattern in patterns {
            draft.addPattern(pattern, ["rw", "dev"], entry.directive)
        }
    }

    // MARK: Paths

    /// `made` are the directories of the service's own.
    private mutating func writePaths(_ isStrict: Bool, _ made: [String]) {
        for (word, directive) in words("ReadWritePaths") {
            guard let place = path(word, directive) else { continue }
            if made.contains(place.path) {
                draft.isInForce("a directory of the service's own", directive)
            } else if place.path == "/" {
                draft.set("filesystem.writable", .boolean(true), directive)
            } else if place.isOptional {
                mount(place.path, from: place.path, [], optional: true, directive)
            } else {
                draft.place("rw", place.path, directive)
            }
        }
        for (word, directive) in words("ReadOnlyPaths") {
            guard let place = path(word, directive) else { continue }
            if place.path == "/" || isStrict {
                draft.isInForce("the root is read-only", directive)
                if place.path == "/" { draft.remove("filesystem.writable") }
            } else {
                mount(place.path, from: place.path, ["ro"], optional: place.isOptional, directive)
            }
        }
        for (word, directive) in words("InaccessiblePaths") {
            if let place = path(word, directive) { draft.place("hide", place.path, directive) }
        }
        for (word, directive) in words("TemporaryFileSystem") { temporary(word, directive) }
        for (key, options) in [("BindPaths", [String]()), ("BindReadOnlyPaths", ["ro"])] {
            for (word, directive) in words(key) { bind(word, options, directive) }
        }
    }

    private mutating func temporary(_ word: String, _ directive: Directive) {
        let (written, options) = word.cut(":")
        guard let place = path(written, directive) else { return }
        var pairs: [(String, Node.Value)] = [("target", .string(place.path)), ("type", .string("tmpfs"))]
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
                pairs.append(("options", .strings([option])))
            } else if !["rw", "nosuid", "nodev", "strictatime"].contains(option) {
                draft.lose("the option \(option)", directive)
            }
        }
        pairs.append(("mode", .string(mode)))
        draft.add("mount", pairs, directive)
    }

    private mutating func bind(_ word: String, _ options: [String], _ directive: Directive) {
        let parts = word.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard let source = path(parts[0], directive) else { return }
        let target = parts.count > 1 && !parts[1].isEmpty ? specifiers.resolve(parts[1]) : source.path
        var options = options
        if parts.count > 2, parts[2] == "norbind" { options.append("bind") }
        mount(target, from: source.path, options, optional: source.isOptional, directive)
    }

    private mutating func writeExecutable() {
        let closed = words("NoExecPaths"), open = words("ExecPaths")
        guard !closed.isEmpty else {
            for (_, directive) in open { draft.isInForce("nothing is closed", directive) }
            return
        }
        for (word, directive) in closed {
            guard let place = path(word, directive) else { continue }
            if place.path == "/" {
                draft.append("landlock.rw", "/", directive)
                draft.warn(
                    "by Landlock: the command, its loader and its interpreter must be among ExecPaths=", directive)
            } else {
                mount(place.path, from: place.path, ["noexec"], optional: place.isOptional, directive)
            }
        }
        for (word, directive) in open {
            guard let place = path(word, directive) else { continue }
            if draft.has("landlock.rw") {
                draft.append("landlock.rx", place.path, directive)
            } else {
                mount(place.path, from: place.path, [], optional: place.isOptional, directive)
            }
        }
    }
}
