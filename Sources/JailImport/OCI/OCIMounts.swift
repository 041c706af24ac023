import JailSpec
import SpecFile

extension OCIImport {
    mutating func mount(_ node: Node) {
        guard let written = node["destination"]?.text else {
            return draft.fail("a mount without a destination", at: node.position)
        }
        let target = cleaned(literal(written.hasPrefix("/") ? written : "/" + written))
        let directive = Directive("mounts \(written)", at: node.position)
        draft.take(directive)
        let options = (node["options"]?.elements ?? []).compactMap(\.text)
        var type = node["type"]?.text ?? "none"
        if options.contains("bind") || options.contains("rbind") { type = "bind" }
        if node["uidMappings"] != nil || node["gidMappings"] != nil { draft.lose("ids of its own", directive) }
        switch (type, target) {
        case ("tmpfs", "/dev"), ("devtmpfs", "/dev"), ("devpts", "/dev/pts"):
            draft.isInForce(.nothing, directive)
        // The jail's own is writable: one that is not is a mount like any other.
        case ("tmpfs", "/dev/shm") where !options.contains { ["ro", "rro", "noexec"].contains($0) }:
            let size = options.compactMap { $0.after("size=") }.last.flatMap { bytes($0.uppercased()) }
            if let size {
                draft.set("filesystem.shm", .integer(size), directive)
            } else {
                draft.isInForce(.nothing, directive)
            }
            for option in options where option.hasPrefix("nr_") || (size == nil && option.hasPrefix("size=")) {
                draft.lose("the option \(option)", restricts: true, directive)
            }
        case ("proc", "/proc") where !options.contains("ro"):
            for option in options where option.hasPrefix("hidepid=") || option.hasPrefix("subset=") {
                let isOpen = ["hidepid=0", "hidepid=off"].contains(option)
                draft.lose("the option \(option)", restricts: !isOpen, directive)
            }
            mounts.add(target, [("type", .string("proc"))], directive, &draft)
        default: mount(type, target, node["source"]?.text ?? "", options, directive)
        }
        hasDevices = hasDevices || target == "/dev"
    }

    private mutating func mount(
        _ type: String, _ target: String, _ source: String, _ options: [String], _ directive: Directive
    ) {
        var pairs: [(String, Node.Value)] = []
        switch type {
        case "bind":
            guard !source.isEmpty else { return draft.fail("a bind mount without a source", directive) }
            pairs.append(("source", .string(place(source, directive))))
        case "tmpfs", "proc", "sysfs", "devpts", "mqueue": pairs.append(("type", .string(type)))
        case "cgroup", "cgroup2": pairs.append(("type", .string("cgroup")))
        case "overlay": return overlay(target, options, directive)
        default: return draft.lose("a file system of the type \(type)", directive)
        }
        let isFixed = !["bind", "tmpfs"].contains(type)
        var words: [String] = []
        for option in options {
            switch option {
            case "rbind", "nosuid", "suid", "defaults", "private", "rprivate", "rnosuid", "newinstance", "async",
                "exec":
                break
            case "bind": words.append("bind")
            case "ro", "rro":
                // The last word counts: what is open by a word before it is not.
                words.removeAll { $0 == "rw" }
                if type != "sysfs", !type.hasPrefix("cgroup") { words.append("ro") }
            case "rw": if type.hasPrefix("cgroup") { words.append("rw") }
            case "noexec", "rnoexec": if !isFixed { words.append("noexec") }
            case "nodev", "rnodev": words.removeAll { $0 == "dev" }
            case "dev", "rdev":
                guard type == "bind" else { continue }
                words.append("dev")
                showsRDMA = true
            case "noatime", "relatime", "strictatime", "nodiratime", "nosymfollow": words.append(option)
            default: other(option, of: type, &pairs, directive)
            }
        }
        if !words.isEmpty { pairs.append(("options", .strings(words))) }
        mounts.add(target, pairs, directive, &draft)
    }

    /// Options that restrict nothing and have no line; of any other that is not known it may be so.
    private static let harmless: Set<String> = [
        "shared", "rshared", "slave", "rslave", "unbindable", "runbindable", "tmpcopyup", "idmap", "ridmap", "sync",
        "dirsync", "mand", "nomand", "lazytime", "nolazytime", "iversion", "noiversion", "acl", "loud", "silent",
        "rsuid",
        "rexec", "rrw", "atime", "ratime", "rrelatime", "rstrictatime", "rnoatime", "rnodiratime", "diratime",
        "rdiratime",
        "norelatime", "nostrictatime", "symfollow", "rsymfollow", "hidepid=0", "hidepid=off",
    ]

    private mutating func other(
        _ option: String, of type: String, _ pairs: inout [(String, Node.Value)], _ directive: Directive
    ) {
        let (name, value) = option.cut("=")
        switch (name, value ?? "") {
        case ("size", let text) where type == "tmpfs" && bytes(text.uppercased()) != nil:
            pairs.removeAll { $0.0 == "size" }
            pairs.append(("size", .integer(bytes(text.uppercased()) ?? 0)))
        case ("mode", let text) where type == "tmpfs":
            pairs.removeAll { $0.0 == "mode" }
            pairs.append(("mode", .string(text)))
        case ("nr_inodes", let text) where Int64(text) != nil && type == "tmpfs":
            pairs.removeAll { $0.0 == "inodes" }
            pairs.append(("inodes", .integer(Int64(text) ?? 0)))
        case ("gid", _), ("uid", _): draft.isInForce(.nothing, "\(option): as immure makes it", directive)
        case (_, _) where type == "devpts": draft.isInForce(.nothing, "\(option): as immure makes it", directive)
        case ("huge", _), ("mpol", _): draft.lose("the option \(option)", directive)
        default: draft.lose("the option \(option)", restricts: !Self.harmless.contains(option), directive)
        }
    }

    private mutating func overlay(_ target: String, _ options: [String], _ directive: Directive) {
        var pairs: [(String, Node.Value)] = [("type", .string("overlay"))]
        for option in options {
            if let lower = option.after("lowerdir=") {
                pairs.append(("lower", .strings(lower.split(separator: ":").map { place(String($0), directive) })))
            } else if let upper = option.after("upperdir=") {
                pairs.append(("upper", .string(place(upper, directive))))
            } else if let work = option.after("workdir=") {
                pairs.append(("work", .string(place(work, directive))))
            }
        }
        mounts.add(target, pairs, directive, &draft)
    }

    mutating func writeMounts() {
        let standard = Draft.standard("oci", "what is not mounted is not there")
        if !mounts.has("/proc") { draft.set("filesystem.proc", .boolean(false), standard) }
        if !hasDevices {
            draft.set("filesystem.dev", .string("none"), standard)
            draft.remove("filesystem.shm")
        }
        if !mounts.has("/tmp") { draft.set("filesystem.tmp", .boolean(false), standard) }
        if Available.takes("filesystem.home", .boolean(false)) {
            draft.set("filesystem.home", .boolean(false), standard)
        }
        writeReadOnlyPaths()
        if !draft.has("limits") { mounts.closeGroups(&draft) }
        // The jail's own procfs without a word stands there anyway.
        mounts.write(into: &draft)
    }

    mutating func hidden(_ list: Node, _ directive: Directive) {
        let masked = ["kcore", "keys", "kmsg", "timer_list", "sched_debug", "latency_stats"].map { "/proc/" + $0 }
        for element in list.elements {
            guard let path = element.text else { continue }
            let one = Directive("linux.maskedPaths \(path)", at: element.position)
            if masked.contains(path) {
                draft.isInForce(.ownDirectory("/proc"), "masked, or for the host's root only", one)
            } else if context.isInPlace, path.hasPrefix("/proc/"), !context.exists(path) {
                draft.isInForce(.nothing, "this kernel has none", one)
            } else if draft.keeps("sys_admin") {
                draft.lose("nothing can be hidden from who has sys_admin", restricts: true, one)
            } else {
                draft.place("hide", literal(path), one)
            }
        }
        draft.isPart(directive)
    }
}
