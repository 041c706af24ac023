import JailSpec
import SpecFile

extension NsjailImport {
    mutating func writeTree() {
        let newMounts = truth("clone_newns", true)
        if !newMounts.value, let directive = newMounts.directive {
            draft.set("namespaces.mount", .string("host"), directive)
            for field in all("mount") {
                for inner in field.message { draft.isPart(inner.directive) }
                if field.text("dst") == "/" {
                    draft.lose("a root of its own needs a mount namespace", restricts: true, field.directive)
                } else {
                    draft.isInForce(.nothing, "nsjail mounts nothing without a mount namespace", field.directive)
                }
            }
            draft.isInForceIfPresent(last("mount_proc"))
            return
        }
        draft.set("filesystem.root", .string("empty"), standard("the root is an empty tmpfs, read-only"))
        if truth("mount_proc").value, let field = last("mount_proc") {
            mounts.add("/proc", [("type", .string("proc")), ("options", .strings(["ro"]))], field.directive, &draft)
        }
        for field in all("mount") { mount(field) }
        if !mounts.has("/proc") {
            draft.set("filesystem.proc", .boolean(false), standard("no /proc unless it is mounted"))
        }
        if !mounts.has("/dev") {
            draft.set("filesystem.dev", .string("none"), standard("no /dev unless it is mounted"))
        }
        if !mounts.has("/tmp") {
            draft.set("filesystem.tmp", .boolean(false), standard("no /tmp unless it is mounted"))
        }
        if Available.takes("filesystem.home", .boolean(false)) {
            draft.set("filesystem.home", .boolean(false), standard("no home unless it is mounted"))
        }
        if !hasGroup { mounts.closeGroups(&draft) }
        mounts.write(into: &draft)
        if let field = last("no_pivotroot") { draft.isInForce(.nothing, field.directive) }
    }

    private mutating func mount(_ field: TextProto.Field) {
        for inner in field.message { draft.isPart(inner.directive) }
        let directive = Directive(
            "mount \(field.text("dst") ?? "")", at: field.directive.position)
        guard let written = field.text("dst") else { return draft.fail("a mount without dst", directive) }
        let prefix = field.text("prefix_dst_env").flatMap { $0.isEmpty ? nil : "${\($0)}" } ?? ""
        let target = prefix.isEmpty ? cleaned("/" + literal(written)) : prefix + literal(written)
        let isOptional = !field.isTrue("mandatory", true)
        if target == "/" { return root(field, directive) }
        if field.isTrue("is_symlink") {
            if isWithin(target, "/proc"), isOptional {
                return draft.isInForce(.nothing, "no links can be made in /proc, by nsjail neither", directive)
            }
            return mounts.add(
                target, [("type", .string("symlink")), ("to", .string(field.text("src") ?? ""))], directive, &draft)
        }
        if let content = field.text("src_content"), !content.isEmpty {
            return mounts.add(
                target, [("type", .string("file")), ("content", .string(content)), ("mode", .string("0644"))],
                directive,
                &draft)
        }
        if field.isTrue("is_bind") || (field.text("fstype") ?? "").isEmpty {
            return bind(field, target, isOptional, directive)
        }
        fileSystem(field, target, isOptional, directive)
    }

    private mutating func root(_ field: TextProto.Field, _ directive: Directive) {
        if field.text("fstype") == "tmpfs" {
            if field.isTrue("rw") { open("empty", directive) }
            return draft.isInForce(.nothing, "the root is a tmpfs", directive)
        }
        let source = self.source(field)
        draft.set("filesystem.root", .string(source == "/" ? "host" : source), directive)
        if field.isTrue("rw") { open(source == "/" ? "host" : "/x", directive) }
    }

    private mutating func open(_ root: String, _ directive: Directive) {
        if Available.writable(root) {
            draft.set("filesystem.writable", .boolean(true), directive)
        } else {
            draft.lose("a root that can be written to", directive)
        }
    }

    private func source(_ field: TextProto.Field) -> String {
        let path = field.text("src") ?? ""
        if let name = field.text("prefix_src_env"), !name.isEmpty { return "${\(name)}" + literal(path) }
        return hostPath(path)
    }

    private func options(_ field: TextProto.Field) -> [String] {
        var result: [String] = field.isTrue("rw") ? [] : ["ro"]
        if field.isTrue("noexec") { result.append("noexec") }
        return result
    }

    private mutating func bind(
        _ field: TextProto.Field, _ target: String, _ isOptional: Bool, _ directive: Directive
    ) {
        let source = self.source(field)
        var options = self.options(field)
        // Nodes can be opened in nsjail's binds; here only where a word says so, or one node is named.
        if isWithin(source, "/dev"), !field.isTrue("nodev") { options.append("dev") }
        if source == "/proc", target == "/proc" {
            draft.warn("the jail's own processes, not the host's", directive)
            return mounts.add(target, [("type", .string("proc"))], directive, &draft)
        }
        if options.contains("dev"), source == "/dev", target == "/dev" {
            draft.set("filesystem.dev", .string("host"), directive)
            return
        }
        mounts.bind(source, on: target, options, optional: isOptional, directive, &draft)
    }

    private mutating func fileSystem(
        _ field: TextProto.Field, _ target: String, _ isOptional: Bool, _ directive: Directive
    ) {
        let type = field.text("fstype") ?? ""
        var pairs: [(String, Node.Value)] = []
        switch type {
        case "tmpfs":
            pairs.append(("type", .string("tmpfs")))
            for word in (field.text("options") ?? "").split(separator: ",").map(String.init) {
                if let size = word.after("size=")?.uppercased(),
                    Available.mount([("type", .string("tmpfs")), ("size", .string(size))])
                {
                    pairs.append(("size", .string(size)))
                } else if let mode = word.after("mode=") {
                    pairs.append(("mode", .string(mode)))
                } else if let count = word.after("nr_inodes=").flatMap({ Int64($0) }) {
                    pairs.append(("inodes", .integer(count)))
                } else {
                    draft.lose("the option \(word)", restricts: word.hasPrefix("size"), directive)
                }
            }
        case "proc", "sysfs", "devpts", "mqueue": pairs.append(("type", .string(type)))
        case "cgroup", "cgroup2": pairs.append(("type", .string("cgroup")))
        default: return draft.lose("a file system of the type \(type)", directive)
        }
        var words = options(field)
        if type == "proc" || type == "sysfs" || type == "devpts" || type == "mqueue" || type.hasPrefix("cgroup") {
            words.removeAll { $0 == "noexec" || (type == "sysfs" && $0 == "ro") }
            if type.hasPrefix("cgroup"), field.isTrue("rw") { words.append("rw") }
        }
        if !words.isEmpty { pairs.append(("options", .strings(words))) }
        mounts.add(target, pairs, directive, &draft)
    }
}

extension Draft {
    mutating func isInForceIfPresent(_ field: TextProto.Field?) {
        if let field { isInForce(.nothing, field.directive) }
    }
}
