import JailSpec
import SpecFile
import SystemCallFilter

extension SystemdImport {
    mutating func writeFilter() {
        let number = last("SystemCallErrorNumber")
        let lists = list("SystemCallFilter")
        var hasFilter = false
        if let first = lists.first {
            hasFilter = true
            draft.set(
                "seccomp.profile", .string("none"), standard("calls that no line names are as SystemCallFilter= says"))
            if first.value.hasPrefix("~") { deny(lists, number) } else { allow(lists, number) }
        }
        if let number, lists.isEmpty { draft.isInForce(.nothing, "nothing is filtered by lists", number.directive) }
        if !hasFilter {
            draft.warn(
                "immure's own filter of system calls stays; seccomp.profile = \"none\" is as without it",
                standard("no SystemCallFilter="))
        }
        for line in list("SystemCallLog") {
            draft.append("seccomp.log", line.value.spaced.map { .string($0) }, line.directive)
        }
        for line in list("SystemCallArchitectures") {
            let others = line.value.spaced.filter { $0 != "native" && $0 != "x86-64" }
            if others.isEmpty {
                draft.isInForce(.nativeCalls, "calls of other architectures end the process", line.directive)
            } else if Available.takes("seccomp.architectures", .strings(others)) {
                draft.append("seccomp.architectures", others.map { .string($0) }, line.directive)
            } else {
                draft.lose("calls of \(others.joined(separator: ", "))", line.directive)
            }
        }
        writeFamilies()
        writeNamespaces(hasFilter)
        writeRules()
    }

    /// A word of a list with what follows its colon, an errno or `kill`.
    private mutating func items(_ line: UnitFile.Line) -> [(name: String, action: String?)] {
        line.value.drop { $0 == "~" }.split { $0 == " " || $0 == "\t" }.compactMap { word in
            let (name, action) = String(word).cut(":")
            guard CallNames.isKnown(name) || CallNames.listing(of: name) != nil else {
                draft.fail(
                    "unknown system call \(name)", line.directive,
                    hint: CallNames.nearest(to: name).map { "did you mean \($0)?" })
                return nil
            }
            return (name, action)
        }
    }

    private static func members(_ name: String) -> Set<String> {
        guard let list = CallNames.listing(of: name) else { return [name] }
        return list.reduce(into: []) { $0.formUnion($1.hasPrefix("@") ? members($1) : [$1]) }
    }

    /// What is not named is refused; later lines with `~` take out again.
    private mutating func allow(_ lists: [UnitFile.Line], _ number: UnitFile.Line?) {
        if let number {
            draft.set("seccomp.default", .string(errorName(number)), number.directive)
        } else {
            draft.set(
                "seccomp.default", .string("kill"), standard("without SystemCallErrorNumber= the process is killed"))
        }
        let always = standard("allowed without a word")
        var allowed: [(name: String, directive: Directive)] = [("@default", always), ("execve", always)]
        var removed: [(name: String, directive: Directive)] = []
        var isOrdered = true
        var exact = Self.members("@default").union(["execve"])
        for line in lists {
            let isRemoval = line.value.hasPrefix("~")
            for (name, action) in items(line) {
                draft.isPart(line.directive)
                if let action { rule(name, action, line.directive) }
                if isRemoval {
                    exact.subtract(Self.members(name))
                    removed.append((name, line.directive))
                } else {
                    exact.formUnion(Self.members(name))
                    if !removed.isEmpty { isOrdered = false }
                    allowed.append((name, line.directive))
                }
            }
        }
        // A name counts for more than a group in a spec, and the later for more in a unit. What stands in both lists of a spec is a fault.
        let gone = removed.reduce(into: Set(removed.map(\.name))) { $0.formUnion(Self.members($1.name)) }
        let isApart = allowed.allSatisfy { !gone.contains($0.name) }
        if isOrdered, isApart {
            for (name, directive) in allowed { draft.append("seccomp.allow", name, directive) }
            for (name, directive) in removed {
                draft.append(number == nil ? "seccomp.kill" : "seccomp.deny", name, directive)
            }
            return
        }
        draft.append("seccomp.allow", exact.sorted().map { .string($0) }, lists[0].directive)
    }

    /// All is allowed but what is named.
    private mutating func deny(_ lists: [UnitFile.Line], _ number: UnitFile.Line?) {
        if let number { draft.isInForce(.nothing, number.directive) }
        var denied: [(name: String, directive: Directive)] = []
        for line in lists {
            let isRemoval = !line.value.hasPrefix("~")
            for (name, action) in items(line) {
                draft.isPart(line.directive)
                if let action { rule(name, action, line.directive) }
                if isRemoval {
                    let members = Self.members(name)
                    denied = denied.flatMap { entry -> [(String, Directive)] in
                        guard !Self.members(entry.name).isDisjoint(with: members) else { return [entry] }
                        return Self.members(entry.name).subtracting(members).sorted().map { ($0, entry.directive) }
                    }
                } else if action == nil {
                    denied.append((name, line.directive))
                }
            }
        }
        for (name, directive) in denied {
            if let number {
                for call in Self.members(name).sorted() where errorName(number) != "EPERM" {
                    draft.rule(call, errorName(number), [], directive)
                }
                if errorName(number) == "EPERM" { draft.append("seccomp.deny", name, directive) }
            } else {
                draft.append("seccomp.kill", name, directive)
            }
        }
    }

    private mutating func rule(_ name: String, _ action: String, _ directive: Directive) {
        for call in Self.members(name).sorted() { draft.rule(call, errorName(action), [], directive) }
    }

    private func errorName(_ line: UnitFile.Line) -> String { errorName(line.value) }

    private func errorName(_ word: String) -> String {
        if word == "kill" { return "kill" }
        return Int32(word).flatMap { ErrorNumber.name(of: $0) } ?? word
    }

    // MARK: What looks at arguments

    private mutating func writeFamilies() {
        let lines = list("RestrictAddressFamilies")
        guard let first = lines.first else { return }
        let isInverted = first.value.hasPrefix("~")
        var families: [String] = []
        for line in lines {
            for word in line.value.drop(while: { $0 == "~" }).split(whereSeparator: { $0 == " " || $0 == "\t" }) {
                if line.value.hasPrefix("~") == isInverted {
                    families.append(String(word))
                } else {
                    families.removeAll { $0 == word }
                }
            }
            draft.isPart(line.directive)
        }
        families.removeAll { $0 == "none" }
        let origin = lines[lines.count - 1].directive
        if isInverted {
            for family in families { draft.rule("socket", "EAFNOSUPPORT", [(0, "==", family)], origin) }
        } else {
            draft.rule("socket", "EAFNOSUPPORT", families.map { (0, "!=", $0) }, origin)
        }
        allowsInternet =
            isInverted
            ? !(families.contains("AF_INET") && families.contains("AF_INET6"))
            : families.contains("AF_INET") || families.contains("AF_INET6")
    }

    private static let kinds = [
        "cgroup": "CLONE_NEWCGROUP", "ipc": "CLONE_NEWIPC", "net": "CLONE_NEWNET", "mnt": "CLONE_NEWNS",
        "pid": "CLONE_NEWPID", "user": "CLONE_NEWUSER", "uts": "CLONE_NEWUTS", "time": "CLONE_NEWTIME",
    ]

    /// What the lines of RestrictNamespaces= leave, by systemd.exec(5): a boolean forgets those before it, a list adds to them, and
    /// one with `~` takes from them. Nil where nothing is said.
    private mutating func namespaces(_ lines: [UnitFile.Line]) -> Set<String>? {
        var allowed: Set<String>?
        for line in lines {
            draft.isPart(line.directive)
            let words = line.value.drop { $0 == "~" }.split { $0 == " " || $0 == "\t" }.map(String.init)
            if words.isEmpty || !words.allSatisfy({ Self.kinds[$0] != nil }) {
                allowed = truth(line) ? [] : Set(Self.kinds.values)
            } else if line.value.hasPrefix("~") {
                allowed = (allowed ?? Set(Self.kinds.values)).subtracting(words.compactMap { Self.kinds[$0] })
            } else {
                allowed = (allowed ?? []).union(words.compactMap { Self.kinds[$0] })
            }
        }
        return allowed
    }

    private mutating func writeNamespaces(_ hasFilter: Bool) {
        let lines = list("RestrictNamespaces")
        guard let line = lines.last, let allowed = namespaces(lines) else {
            draft.set(
                "namespaces.nested", .boolean(true), standard("without RestrictNamespaces= it may make namespaces"))
            return
        }
        for line in lines { draft.isInForce(allowed.isEmpty ? .notNested : .nothing, line.directive) }
        let denied = Set(Self.kinds.values).subtracting(allowed)
        if !allowed.isEmpty { draft.set("namespaces.nested", .boolean(true), line.directive) }
        if denied.isEmpty { return }
        if !allowed.isEmpty { draft.warn("clone3 answers ENOSYS, as its flags cannot be read", line.directive) }
        guard hasFilter || !allowed.isEmpty else { return }
        draft.denyNamespaces(denied.sorted(), line.directive)
    }

    private mutating func writeRules() {
        if let line = last("MemoryDenyWriteExecute") {
            if truth(line) { draft.denyWriteExecute(line.directive) }
            draft.isInForce(.nothing, line.directive)
        }
        if let line = last("RestrictRealtime") {
            if truth(line) {
                draft.rule(
                    "sched_setscheduler", "EPERM", [(1, "!=", "0"), (1, "!=", "3"), (1, "!=", "5")], line.directive)
                draft.rule("sched_setattr", "EPERM", [], line.directive)
            }
            draft.isInForce(.nothing, line.directive)
        }
        if let line = last("LockPersonality") {
            if truth(line) {
                draft.rule("personality", "EPERM", [(0, "!=", "0"), (0, "!=", "0xffffffff")], line.directive)
            }
            draft.isInForce(.nothing, line.directive)
        }
        if let line = last("RestrictSUIDSGID") {
            if truth(line) { denySetID(line.directive) }
            draft.isInForce(.nothing, line.directive)
        }
    }

    /// Files with the bits set-user-ID and set-group-ID.
    private mutating func denySetID(_ directive: Directive) {
        let bits = "3072"
        for (call, index) in [
            ("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("fchmodat2", 2), ("mkdir", 1), ("mkdirat", 2), ("mknod", 1),
            ("mknodat", 2), ("creat", 1),
        ] {
            draft.rule(call, "EPERM", [(index, "&", bits)], directive)
        }
        for (call, flags) in [("open", 1), ("openat", 2)] {
            for flag in ["O_CREAT", "4194304"] {
                draft.rule(call, "EPERM", [(flags, "&", flag), (flags + 1, "&", bits)], directive)
            }
        }
        draft.rule("openat2", "ENOSYS", [], directive)
    }
}

extension Draft {
    /// Adds a rule; numbers are written as numbers.
    mutating func rule(_ call: String, _ action: String, _ arguments: [(Int, String, String)], _ directive: Directive) {
        let place = directive.position
        let list = arguments.map { index, op, value in
            let number: Node.Value = Int64(value).map { .integer($0) } ?? .string(value)
            let pairs: [(String, Node.Value)] = [
                ("index", .integer(Int64(index))), ("op", .string(op)), ("value", number),
            ]
            return Node(
                .table(Table(pairs.map { Table.Entry(key: $0, keyPosition: place, node: Node($1, at: place)) })),
                at: place)
        }
        var pairs: [(String, Node.Value)] = [("call", .string(call)), ("action", .string(action))]
        if !list.isEmpty { pairs.append(("args", .array(list))) }
        add("seccomp.rule", pairs, directive)
    }

    /// Namespaces of some kinds, made or entered. What setns(2) enters with no flags may be of any kind.
    mutating func denyNamespaces(_ flags: [String], _ directive: Directive) {
        let flags = flags.joined(separator: "|")
        for call in ["clone", "unshare"] { rule(call, "EPERM", [(0, "&", flags)], directive) }
        rule("setns", "EPERM", [(1, "&", flags)], directive)
        rule("setns", "EPERM", [(1, "==", "0")], directive)
        rule("clone3", "ENOSYS", [], directive)
    }

    /// Memory that is both writable and executable.
    mutating func denyWriteExecute(_ directive: Directive) {
        rule("mmap", "EPERM", [(2, "&", "PROT_WRITE"), (2, "&", "PROT_EXEC")], directive)
        rule("mprotect", "EPERM", [(2, "&", "PROT_EXEC")], directive)
        rule("pkey_mprotect", "EPERM", [(2, "&", "PROT_EXEC")], directive)
        rule("shmat", "EPERM", [(2, "&", "32768")], directive)
    }
}
