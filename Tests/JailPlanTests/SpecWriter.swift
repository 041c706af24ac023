import JailSpec
import LinuxFacts
import SpecFile

/// A spec as a text that reads back as the same spec: what was written is written, defaults are left out.
struct SpecWriter {
    private(set) var lines: [String] = []

    static func text(of spec: Spec) -> String {
        var writer = SpecWriter()
        writer.write(spec)
        return writer.lines.joined(separator: "\n") + "\n"
    }

    private mutating func add(_ key: String, _ value: String) { lines.append("\(key) = \(value)") }

    /// What nobody wrote has no position.
    private mutating func add<Value>(_ key: String, _ value: Located<Value>?, _ words: (Value) -> String) {
        if let value, value.position != nil { add(key, words(value.value)) }
    }

    private mutating func write(_ spec: Spec) {
        add("command", spec.command) { list($0.map(quote)) }
        add("cwd", spec.cwd, quote)
        add("hostname", spec.hostname, quote)
        add("timeout", spec.timeout, duration)
        add("grace", spec.grace, duration)
        write(spec.filesystem)
        write(spec.namespaces)
        write(spec.identity)
        write(spec.capabilities)
        write(spec.process)
        if !spec.environment.keep.isEmpty {
            add("environment.keep", list(spec.environment.keep.map { quote($0.value) }))
        }
        if !spec.environment.set.isEmpty {
            let pairs = spec.environment.set.map { "\(quote($0.name)) = \(quote($0.value.value))" }
            add("environment.set", "{ \(pairs.joined(separator: ", ")) }")
        }
        add("service.notify", spec.service.notify) { quote($0.rawValue) }
        add("service.sockets", spec.service.sockets) { "\($0)" }
        add("service.credentials", spec.service.credentials) { "\($0)" }
        add("service.optional", spec.service.optional) { "\($0)" }
        for limit in spec.rlimits {
            func words(_ value: UInt64?) -> String { value.map { "\($0)" } ?? "unlimited" }
            add("rlimits.\(limit.resource.name)", quote("\(words(limit.soft)):\(words(limit.hard))"))
        }
        if let limits = spec.limits?.value { write(limits) }
        if let policy = spec.seccomp?.value { write(policy) }
        if let policy = spec.landlock?.value { write(policy) }
        add("network.mode", spec.network.mode) { quote($0.rawValue) }
        if !spec.network.publish.isEmpty {
            add("network.publish", list(spec.network.publish.map { quote("\($0.value)") }))
        }
        add("network.allow", spec.network.allow) { list($0.map { quote("\($0.value)") }) }
        add("network.dns", spec.network.dns) { list($0.map { quote("\($0.value)") }) }
    }

    private mutating func write(_ filesystem: Filesystem) {
        add("filesystem.root", filesystem.root) { root in
            switch root {
            case .system: quote("system")
            case .host: quote("host")
            case .empty: quote("empty")
            case .directory(let path): quote(path)
            }
        }
        add("filesystem.writable", filesystem.writable) { "\($0)" }
        add("filesystem.proc", filesystem.proc) { "\($0)" }
        add("filesystem.dev", filesystem.devices) { quote($0.rawValue) }
        add("filesystem.tmp", filesystem.tmp) { $0.map { "\($0)" } ?? "false" }
        let hidden = filesystem.mounts.filter { $0.source == .hidden }.map { quote($0.target) }
        if !hidden.isEmpty { add("filesystem.hide", list(hidden)) }
        let mounts = filesystem.mounts.filter { $0.source != .hidden }.map {
            "{ \(words($0).joined(separator: ", ")) }"
        }
        if !mounts.isEmpty { add("mount", list(mounts)) }
    }

    private func words(_ mount: Mount) -> [String] {
        var words = ["target = \(quote(mount.target))"]
        switch mount.source {
        case .bind(let path): words += ["type = \"bind\"", "source = \(quote(path))"]
        case .tmpfs(let size, let inodes, let mode):
            words += ["type = \"tmpfs\"", "mode = \(octal(mode))"]
            if let size { words.append("size = \(size)") }
            if let inodes { words.append("inodes = \(inodes)") }
        case .overlay(let lower, let upper, let work):
            words += ["type = \"overlay\"", "lower = \(list(lower.map(quote)))"]
            if let upper, let work { words += ["upper = \(quote(upper))", "work = \(quote(work))"] }
        case .proc: words.append("type = \"proc\"")
        case .sysfs: words.append("type = \"sysfs\"")
        case .devpts: words.append("type = \"devpts\"")
        case .mqueue: words.append("type = \"mqueue\"")
        case .cgroup: words.append("type = \"cgroup\"")
        case .file(let content, let mode):
            words += ["type = \"file\"", "content = \(quote(content))", "mode = \(octal(mode))"]
        case .symlink(let to): words += ["type = \"symlink\"", "to = \(quote(to))"]
        case .directory(let mode): words += ["type = \"dir\""] + (mode.map { ["mode = \(octal($0))"] } ?? [])
        case .image(let path): words += ["type = \"image\"", "source = \(quote(path))"]
        case .hidden: break
        }
        let said = mount.options
        let options = MountOptions.words.filter { word in
            (word.asked.isEmpty
                ? !word.opened.isEmpty && said.opened.hasAll(of: word.opened) : said.asked.hasAll(of: word.asked))
                || (word.isRecursive == false && !said.isRecursive)
        }.map(\.word)
        if !options.isEmpty { words.append("options = \(list(options.map(quote)))") }
        if mount.optional { words.append("optional = true") }
        if let quota = mount.quota { words.append("quota = \(quota.value)") }
        if let idmap = mount.idmap { words.append("idmap = \(idmap.value)") }
        return words
    }

    private mutating func write(_ namespaces: Namespaces) {
        for kind in NamespaceKind.allCases {
            add("namespaces.\(kind.rawValue)", namespaces.written[kind]) { choice in
                switch choice {
                case .new: quote("new")
                case .host: quote("host")
                case .path(let path): quote(path)
                }
            }
        }
        add("namespaces.nested", namespaces.nested) { "\($0)" }
        add("namespaces.time.monotonic", namespaces.monotonic, duration)
        add("namespaces.time.boottime", namespaces.boottime, duration)
    }

    private mutating func write(_ identity: Identity) {
        func account(_ account: Identity.Account) -> String {
            switch account {
            case .id(let id): "\(id)"
            case .name(let name): quote(name)
            }
        }
        func map(_ map: Identity.IdentityMap) -> String {
            guard case .ranges(let ranges) = map else { return quote("auto") }
            return list(ranges.map { "{ inside = \($0.inside), outside = \($0.outside), count = \($0.count) }" })
        }
        add("identity.user", identity.user, account)
        add("identity.group", identity.group, account)
        add("identity.groups", identity.groups) { list($0.map(account)) }
        add("identity.umask", identity.umask, octal)
        add("identity.uid_map", identity.uidMap, map)
        add("identity.gid_map", identity.gidMap, map)
    }

    private mutating func write(_ sets: CapabilitySets) {
        for (name, set) in [
            ("keep", sets.keep), ("bounding", sets.bounding), ("permitted", sets.permitted),
            ("effective", sets.effective), ("inheritable", sets.inheritable), ("ambient", sets.ambient),
        ] {
            add("capabilities.\(name)", set) { list($0.capabilities.map { quote($0.name) }) }
        }
    }

    private mutating func write(_ process: ProcessAttributes) {
        add("process.no_new_privs", process.noNewPrivileges) { "\($0)" }
        add("process.init", process.initProcess) { "\($0)" }
        add("process.die_with_parent", process.dieWithParent) { "\($0)" }
        add("process.tty", process.tty) { quote($0.rawValue) }
        add("process.fds", process.fds) { list($0.map { "\($0)" }) }
        add("process.nice", process.nice) { "\($0)" }
        add("process.oom_score_adj", process.oomScoreAdjust) { "\($0)" }
        add("process.cpus", process.cpus) { quote($0.map { "\($0)" }.joined(separator: ",")) }
        add("process.keyring", process.keyring) { quote($0.rawValue) }
    }

    private mutating func write(_ limits: Limits) {
        add("limits.memory", limits.memory) { "\($0)" }
        add("limits.memory_high", limits.memoryHigh) { "\($0)" }
        add("limits.swap", limits.swap) { "\($0)" }
        add("limits.cpu", limits.cpu) { quote("\($0)%") }
        add("limits.cpu_weight", limits.cpuWeight) { "\($0)" }
        add("limits.cpus", limits.cpus) { quote($0.map { "\($0)" }.joined(separator: ",")) }
        add("limits.pids", limits.pids) { "\($0)" }
        let entries = limits.io.map { io -> String in
            var words = ["device = \(quote(io.device.value))"]
            for (key, value) in [
                ("rbps", io.rbps), ("wbps", io.wbps), ("riops", io.riops), ("wiops", io.wiops), ("weight", io.weight),
            ] {
                if let value { words.append("\(key) = \(value.value)") }
            }
            return "{ \(words.joined(separator: ", ")) }"
        }
        if !entries.isEmpty { add("limits.io", list(entries)) }
    }

    private mutating func write(_ policy: SeccompPolicy) {
        func word(_ action: SeccompPolicy.Action) -> String {
            switch action {
            case .allow: quote("allow")
            case .kill: quote("kill")
            case .log: quote("log")
            case .trap: quote("trap")
            case .errno(let number): quote(number == 1 ? "EPERM" : number == 38 ? "ENOSYS" : "errno \(number)")
            }
        }
        add("seccomp.profile", policy.profile) { profile in
            switch profile {
            case .default: quote("default")
            case .strict: quote("strict")
            case .none: quote("none")
            case .file(let path): quote(path)
            }
        }
        add("seccomp.default", policy.defaultAction, word)
        for (key, calls) in [
            ("allow", policy.allow), ("deny", policy.deny), ("log", policy.log), ("kill", policy.kill),
        ] where !calls.isEmpty {
            add("seccomp.\(key)", list(calls.map { quote($0.value) }))
        }
        let rules = policy.rules.map { rule in
            let arguments = rule.arguments.map { argument in
                let value = Int(argument.value.value).map { "\($0)" } ?? quote(argument.value.value)
                return "{ index = \(argument.index), op = \(quote(argument.op.rawValue)), value = \(value) }"
            }
            return "{ call = \(quote(rule.call.value)), action = \(word(rule.action)), args = \(list(arguments)) }"
        }
        if !rules.isEmpty { add("seccomp.rule", list(rules)) }
    }

    private mutating func write(_ policy: LandlockPolicy) {
        for grant in LandlockPolicy.Grant.allCases {
            let paths = policy.rules.filter { $0.grant == grant }.map { quote($0.path.value) }
            // A list that is empty counts where it is the first that was written.
            let isFirst = policy.files.map { $0.value == grant } ?? false
            if !paths.isEmpty || isFirst { add("landlock.\(grant.rawValue)", list(paths)) }
        }
        add("landlock.bind_tcp", policy.bindTCP) { list($0.map { "\($0)" }) }
        add("landlock.connect_tcp", policy.connectTCP) { list($0.map { "\($0)" }) }
        add("landlock.scope", policy.scope) { list($0.map { quote($0.value.rawValue) }) }
        add("landlock.minimum_abi", policy.minimumABI) { "\($0)" }
    }
}

private func list(_ words: [String]) -> String { "[" + words.joined(separator: ", ") + "]" }

private func octal(_ mode: UInt32) -> String { "\"0\(String(mode, radix: 8))\"" }

private func duration(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    return "\"\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)ms\""
}

/// A basic string of TOML.
private func quote(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case _ where scalar.value < 0x20 || scalar.value == 0x7F:
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
