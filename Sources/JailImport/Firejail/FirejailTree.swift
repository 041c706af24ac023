import JailSpec
import SpecFile

extension FirejailImport {
    private func standard(_ words: String) -> Directive { Self.standard(words) }

    /// Where a line leads, in the form that paths are compared in; nil where it is no path.
    func paths(_ line: FirejailLine) -> [String]? {
        let restricts = ["blacklist", "blacklist-nolog", "read-only", "noexec"].contains(line.name)
        return forms(line.value, restricts: restricts)
    }

    func forms(_ written: String, restricts: Bool = false) -> [String]? {
        FirejailPaths.expanded(written)?.flatMap {
            FirejailPaths.forms(restricts ? behindLink($0) : $0, home: context.home, restricts: restricts)
        }
    }

    /// What firejail closes is where a path leads on the host. Of links it is these two that profiles name things below.
    private func behindLink(_ path: String) -> String {
        for (link, place) in [("/var/run", "/run"), ("/var/lock", "/run/lock")] {
            if SpecFile.isWithin(path, link), context.isLink(link) { return place + path.dropFirst(link.count) }
        }
        return path
    }

    mutating func writeTree() {
        let whitelisted = whitelist()
        writeHome(isEmptied: whitelisted.contains { places.isWithin("~", $0.top) && !hasPrivateHome })
        writeTemporary(isEmptied: whitelisted.contains { $0.top == "/tmp" })
        writeDevices()
        writePrivate()
        for entry in whitelisted { show(entry) }
        if let line = last("machine-id") {
            places.add("/etc/machine-id", .file("0123456789abcdef0123456789abcdef\n"), line.directive)
            draft.warn("the same in every jail, where firejail makes a new one each time", line.directive)
        }
        writeWritable()
        writeMade()
        hide()
        for line in lines { change(line) }
    }

    // MARK: Whole directories

    /// Whether a directory of the profile's choice, or nothing, stands in the home's place.
    var hasPrivateHome: Bool { has("private") || has("private-home") }

    private mutating func writeHome(isEmptied: Bool) {
        for line in all("private") {
            if line.value.isEmpty {
                draft.isInForce(.ownDirectory("~"), "a home of the jail's own", line.directive)
            } else {
                places.add("~", .bind(source: paths(line)?.first ?? hostPath(line.value)), line.directive)
            }
        }
        for line in all("private-home") {
            if places.index("~") != nil {
                draft.warn("has no effect: private names a directory", line.directive)
                continue
            }
            for name in line.list {
                places.add("~/" + literal(name), .bind(source: "~/" + literal(name)), ["ro"], line.directive)
            }
            draft.warn("read-only, where firejail copies it", line.directive)
        }
        if isEmptied || hasPrivateHome {
            // A jail's own home is that of its user, who is nobody where root launches: this is the caller's.
            if context.isRoot, places.index("~") == nil {
                draft.set("filesystem.home", .boolean(false), standard("a home of the jail's own"))
                places.add("~", .empty(mode: "0700"), standard("a home of the jail's own"))
            }
            for line in all("private-cache") {
                draft.isInForce(.ownDirectory("~"), "in a home of the jail's own", line.directive)
            }
            return
        }
        places.add("~", .bind(source: "~"), standard("the home without private and whitelist"))
        if let line = last("private-cache") { places.add("~/.cache", .empty(mode: "0700"), line.directive) }
    }

    private mutating func writeTemporary(isEmptied: Bool) {
        if let line = last("private-tmp") {
            draft.isInForce(.ownDirectory("/tmp"), "a /tmp of the jail's own", line.directive)
            if last("x11")?.value != "none" {
                places.add("/tmp/.X11-unix", .bind(source: "/tmp/.X11-unix"), ["ro"], line.directive)
            }
        } else if !isEmptied {
            draft.set("filesystem.tmp", .boolean(false), standard("the host's /tmp without private-tmp"))
            places.add("/tmp", .bind(source: "/tmp"), standard("the host's /tmp without private-tmp"))
        }
        for line in all("x11") {
            if line.value == "none", has("net") || has("netns") {
                draft.isInForce(.absent(["/tmp/.X11-unix"]), line.directive)
            } else if line.value == "none" {
                draft.lose(
                    "the host's network reaches the abstract socket of the X server", restricts: true, line.directive)
            } else {
                draft.lose("an X server of its own", restricts: true, line.directive)
            }
        }
    }

    private static let devices: [(line: String, nodes: [String])] = [
        ("no3d", ["/dev/dri", "/dev/nvidia*"]), ("nosound", ["/dev/snd"]), ("novideo", ["/dev/video*"]),
        ("nou2f", ["/dev/hidraw*", "/dev/usb"]), ("notv", ["/dev/dvb"]), ("nodvd", ["/dev/sr[0-9]*"]),
        ("notpm", ["/dev/tpm*"]),
    ]

    private mutating func writeDevices() {
        let line = last("private-dev")
        if let line {
            draft.isInForce(.ownDevices, "a /dev of the jail's own", line.directive)
            for (name, nodes) in Self.devices where !has(name) {
                for node in nodes { places.add(node, .bind(source: node), ["rw", "dev"], line.directive) }
            }
        } else {
            draft.set("filesystem.dev", .string("host"), standard("the host's /dev without private-dev"))
        }
        let closed = Self.devices + [("noinput", ["/dev/input"]), ("noprinters", ["/dev/lp[0-9]*"])]
        for (name, nodes) in closed {
            guard let flag = last(name) else { continue }
            draft.isInForce(line == nil ? .nothing : .absent(nodes), flag.directive)
            if line == nil { for node in nodes { places.add(node, .hidden, flag.directive) } }
        }
        for (name, node) in [
            ("keep-dev-shm", "/dev/shm"), ("keep-dev-ntsync", "/dev/ntsync"), ("keep-dev-tpm", "/dev/tpm*"),
        ] {
            guard let flag = last(name) else { continue }
            if line == nil {
                draft.isInForce(.nothing, flag.directive)
            } else {
                places.add(node, .bind(source: node), name == "keep-dev-shm" ? [] : ["rw", "dev"], flag.directive)
            }
        }
    }

    // MARK: Directories with a choice of their files

    private mutating func writePrivate() {
        if let line = last("private-bin") {
            for path in FirejailPaths.programs { places.add(path, .empty(mode: "0755"), ["ro"], line.directive) }
            draft.warn("libraries and interpreters are as on the host; links are followed", line.directive)
        }
        for line in all("private-bin") {
            for name in line.list { showProgram(name, line.directive) }
            draft.isPart(line.directive)
        }
        if let line = last("private-etc") { places.add("/etc", .empty(mode: "0755"), ["ro"], line.directive) }
        for line in all("private-etc") {
            for name in Self.members(of: ["@default"] + line.list) {
                places.add("/etc/" + literal(name), .bind(source: "/etc/" + literal(name)), ["ro"], line.directive)
            }
        }
        for (key, place) in [("private-opt", "/opt"), ("private-srv", "/srv")] {
            for line in all(key) {
                draft.isInForce(.nothing, line.directive)
                for name in line.list where name != "emp" && name != "none" {
                    let path = "\(place)/\(literal(name))"
                    places.add(path, .bind(source: path), ["ro"], line.directive)
                }
            }
        }
    }

    /// A program where this host has it; in /usr/bin one that it has not, and in all places a pattern.
    private mutating func showProgram(_ name: String, _ directive: Directive) {
        let isPattern = FirejailPaths.isPattern(name)
        let there = isPattern ? [] : FirejailPaths.programs.filter { context.exists("\($0)/\(name)") }
        if there.isEmpty, !isPattern { draft.warn("\(name) is not on this host", directive) }
        for place in there.isEmpty ? (isPattern ? FirejailPaths.programs : ["/usr/bin"]) : there {
            let path = "\(place)/\(literal(name))"
            places.add(path, .bind(source: path), ["ro"], directive)
        }
    }

    /// firejail's groups of files in /etc.
    private static let groups = [
        "@default": [
            "alternatives", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ld.so.preload", "locale",
            "locale.alias", "locale.conf", "localtime", "nsswitch.conf", "passwd", "group",
        ],
        "@sound": ["alsa", "asound.conf", "machine-id", "pulse", "openal"],
        "@network": ["hostname", "hosts", "resolv.conf", "protocols"],
        "@tls-ca": ["ca-certificates", "crypto-policies", "gcrypt", "pki", "ssl"],
        "@x11": ["xdg", "drirc", "dconf", "gtk-2.0", "gtk-3.0", "kde4rc", "kde5rc", "X11"],
        "@games": ["timidity", "timidity.cfg", "openal", "vulkan"],
    ]

    private static func members(of names: [String]) -> [String] {
        names.flatMap { name in name.hasPrefix("@") ? groups[name] ?? [] : [name] }
    }

    private mutating func writeWritable() {
        for (key, path) in [
            ("writable-etc", "/etc"), ("writable-var", "/var"), ("writable-var-log", "/var/log"),
            ("writable-run-user", "${XDG_RUNTIME_DIR}"), ("keep-var-tmp", "/var/tmp"),
        ] {
            guard let line = last(key) else { continue }
            if key == "writable-var" || key == "writable-run-user", emptied(path) {
                _ = places.change(within: path) { $0.options.removeAll { $0 == "ro" } }
                draft.isInForce(.nothing, "what is shown below it can be written to", line.directive)
            } else {
                places.add(path, .bind(source: path), line.directive)
            }
        }
    }

    /// Whether only parts of a directory are there.
    private func emptied(_ path: String) -> Bool {
        places.all.contains { $0.target != path && isWithin($0.target, path) }
    }
}
