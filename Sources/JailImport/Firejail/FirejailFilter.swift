import JailSpec
import SpecFile
import SystemCallFilter

extension FirejailImport {
    private func standard(_ words: String) -> Directive { Self.standard(words) }

    /// An ordinary user's program has none of them in firejail either, whatever its bounding set.
    mutating func writeCapabilities() {
        let all = CapabilitySet(Capability.allCases)
        var kept: CapabilitySet?
        for line in self.all("caps.drop") where line.value != "all" { _ = capabilities(line) }
        // All that is dropped counts for more than a list, that for more than what is kept; of lists the last is read, whosever it is.
        if self.all("caps.drop").contains(where: { $0.value == "all" }) {
            kept = []
        } else if let list = lines.last(where: { ["caps.drop", "caps.keep"].contains($0.name) }) {
            let set = capabilities(list)
            kept = has("caps.drop") ? all.without(set) : set
        }
        // firejail(1), --caps: what its default filter drops.
        if has("caps"), kept == nil {
            let dropped: [Capability] = [
                .sys_module, .sys_rawio, .sys_boot, .sys_nice, .sys_tty_config, .syslog, .mknod, .sys_admin,
            ]
            kept = CapabilitySet(Capability.allCases.filter { !dropped.contains($0) })
        }
        for line in lines where ["caps", "caps.drop", "caps.keep"].contains(line.name) {
            draft.isInForce(.bounded(kept ?? []), line.directive)
        }
        let origin = (last("caps.keep") ?? last("caps.drop") ?? last("caps"))?.directive ?? standard("the caller's")
        if context.isRoot {
            var set = kept ?? all
            // Those by which root passes the modes of files root has in firejail only where it keeps capabilities by name.
            if !has("caps.keep") {
                set = set.without(CapabilitySet(.dac_override) | CapabilitySet(.dac_read_search))
            }
            if set.contains(.sys_admin), places.all.contains(where: { $0.kind == .hidden }) {
                set = set.without(CapabilitySet(.sys_admin))
                draft.warn("without sys_admin, which would take away what covers the blacklisted", origin)
            }
            if !set.isNone { draft.set("capabilities.keep", .strings(set.capabilities.map(\.name)), origin) }
            if kept == nil {
                draft.warn(
                    "root's jail keeps every capability but those that pass the modes of files, as root's does under firejail; "
                        + "a user's keeps none", origin)
            }
        }
        for line in self.all("nonewprivs") { draft.isInForce(.nothing, line.directive) }
        if !has("nonewprivs") {
            draft.warn("no program gains privileges by being executed", standard("without nonewprivs"))
        }
    }

    private mutating func capabilities(_ line: FirejailLine) -> CapabilitySet {
        var result: CapabilitySet = []
        for word in line.list {
            guard let capability = Capability.named(foreign: word) else {
                draft.fail("unknown capability \(word)", line.directive)
                continue
            }
            result = result | CapabilitySet(capability)
        }
        return result
    }

    mutating func writeFilter() {
        let action = filterAction()
        if let line = last("seccomp.keep") {
            draft.set("seccomp.profile", .string("none"), line.directive)
            draft.set("seccomp.default", .string(action), line.directive)
            list(line, "seccomp.allow")
        } else if let line = last("seccomp.drop"), !has("seccomp") {
            draft.set("seccomp.profile", .string("none"), line.directive)
        } else if !has("seccomp") {
            draft.warn(
                "immure's own filter of system calls stays; seccomp.profile = \"none\" is as without it",
                standard("without seccomp"))
        } else {
            draft.warn("immure's own filter in place of firejail's", last("seccomp")?.directive ?? standard("seccomp"))
        }
        let denied = action == "EPERM" ? "seccomp.deny" : action == "kill" ? "seccomp.kill" : "seccomp.log"
        // Of each kind the last list is the one that firejail reads.
        for line in all("seccomp") where line.value.isEmpty { draft.isPart(line.directive) }
        if let line = lines.last(where: { $0.name == "seccomp" && !$0.value.isEmpty }) {
            draft.isPart(line.directive)
            list(line, denied)
        }
        if let line = last("seccomp.drop") { list(line, denied) }
        writeFamilies()
        for line in all("memory-deny-write-execute") { draft.denyWriteExecute(line.directive) }
        writeLandlock()
    }

    private mutating func filterAction() -> String {
        guard let line = last("seccomp-error-action") else { return "EPERM" }
        draft.isPart(line.directive)
        if ["kill", "log", "EPERM"].contains(line.value) { return line.value }
        draft.fail("only kill, log and EPERM are translated", line.directive)
        return "EPERM"
    }

    /// `!name` takes a call out of firejail's list.
    private mutating func list(_ line: FirejailLine, _ key: String) {
        for word in line.list {
            let isAllowed = word.hasPrefix("!")
            let name = String(word.drop { $0 == "!" }.prefix { $0 != ":" })
            if ["@default", "@default-nodebuggers", "@default-keep"].contains(name) {
                draft.isPart(line.directive)
                continue
            }
            guard CallNames.listing(of: name) != nil || draft.knows(name, line.directive) else { continue }
            draft.append(isAllowed ? "seccomp.allow" : key, name, line.directive)
        }
    }

    private mutating func writeFamilies() {
        let names = [
            "unix": "AF_UNIX", "inet": "AF_INET", "inet6": "AF_INET6", "netlink": "AF_NETLINK", "packet": "AF_PACKET",
            "bluetooth": "AF_BLUETOOTH",
        ]
        var families: [String] = []
        for line in all("protocol") {
            draft.isPart(line.directive)
            for word in line.list {
                guard let family = names[word] else {
                    draft.fail("unknown protocol \(word)", line.directive)
                    continue
                }
                if !families.contains(family) { families.append(family) }
            }
        }
        if let line = last("protocol") {
            draft.rule("socket", "EOPNOTSUPP", families.map { (0, "!=", $0) }, line.directive)
        }
    }

    /// Lines of Landlock have an effect only with `landlock.enforce`.
    private mutating func writeLandlock() {
        let isEnforced = has("landlock.enforce")
        for line in all("landlock.enforce") { draft.isPart(line.directive) }
        for line in lines where line.name.hasPrefix("landlock.") && line.name != "landlock.enforce" {
            guard isEnforced else {
                draft.isOutside("without landlock.enforce", line.directive)
                continue
            }
            guard let paths = located(line) else { continue }
            let kind = line.name.split(separator: ".").last.map(String.init) ?? ""
            let key = ["read": "ro", "write": "rw", "execute": "rx"][kind]
            guard let key else {
                draft.isInForce(.nothing, "sockets and nodes are made where it may write", line.directive)
                continue
            }
            for path in paths { draft.append("landlock.\(key)", path, line.directive) }
            draft.warn("a path that is missing is a fault", line.directive)
        }
    }

    // MARK: The process

    mutating func writeProcess() {
        draft.append("environment.keep", "*", standard("the environment is kept"))
        for line in all("rmenv") { draft.append("environment.unset", line.value, line.directive) }
        for line in all("env") {
            let (name, value) = line.value.cut("=")
            draft.setLiteral(name, value ?? "", line.directive)
        }
        for line in all("keep-fd") { descriptors(line) }
        if let line = last("hostname") { draft.set("hostname", .string(line.value), line.directive) }
        if let line = last("nice") { integer("process.nice", line) }
        if let line = last("cpu") { draft.set("process.cpus", .string(line.value), line.directive) }
        for name in ["as", "cpu", "fsize", "nofile", "nproc", "sigpending"] {
            if let line = last("rlimit-\(name)") { integer("rlimits.\(name)", line) }
        }
        if let line = last("timeout") { timeout(line) }
        for line in all("private-cwd") {
            draft.set("cwd", .string(line.value.isEmpty ? "~" : literal(line.value)), line.directive)
        }
        if !has("private-cwd") {
            draft.set("cwd", .string("~"), standard("the home; firejail stays in the caller's directory where it can"))
        }
        draft.set("process.tty", .string("inherit"), standard("the caller's terminal"))
    }

    private mutating func descriptors(_ line: FirejailLine) {
        if line.value == "all" { return draft.lose("all that is open: name it in process.fds", line.directive) }
        draft.isPart(line.directive)
        for word in line.list {
            guard let number = Int64(word), 0...Int64(Int32.max) ~= number else {
                draft.fail("\(quoted(word)) is not a descriptor", line.directive)
                continue
            }
            if number > 2 { draft.append("process.fds", [.integer(number)], line.directive) }
        }
    }

    private mutating func integer(_ key: String, _ line: FirejailLine) {
        if let number = Int64(line.value) {
            draft.set(key, .integer(number), line.directive)
        } else if let size = bytes(line.value.uppercased()) {
            draft.set(key, .integer(size), line.directive)
        } else {
            draft.fail("\(quoted(line.value)) is not a number", line.directive)
        }
    }

    private mutating func timeout(_ line: FirejailLine) {
        let parts = line.value.split(separator: ":").compactMap { Int64($0) }
        guard parts.count == 3 else { return draft.fail("timeout takes hh:mm:ss", line.directive) }
        guard parts.allSatisfy({ 0...1_000_000 ~= $0 }) else {
            return draft.fail("longer than time goes", line.directive)
        }
        draft.set("timeout", .string("\(parts[0] * 3600 + parts[1] * 60 + parts[2])s"), line.directive)
    }
}
