import JailSpec
import SpecFile

extension BubblewrapImport {
    /// The lines that follow from all options together.
    mutating func finish(_ decodes: Bool) {
        if let last = lowerDirective, !lower.isEmpty { draft.fail(Self.danglingLayer, last) }
        extras.coveredSources = tree.coveredSources
        checkCombinations()
        writeTree()
        writeNamespaces()
        writeIdentity()
        let start = directory(given["--chdir"])
        writeProcess(in: start)
        writeLocks()
        environment.write(start, given["--chdir"]?.directive, into: &draft)
        writeFilters()
        draft.finish(decodes: decodes)
    }

    /// What bubblewrap refuses of options that are right by themselves.
    private mutating func checkCombinations() {
        func require(_ name: String, _ holds: Bool, _ message: String) {
            if let option = given[name], !holds { draft.fail(message, option.directive) }
        }
        let joins = given["--userns"] != nil
        require("--userns", !unsharesUsers && !triesUsers, "--userns not compatible --unshare-user")
        require("--disable-userns", unsharesUsers, "--disable-userns requires --unshare-user")
        require(
            "--assert-userns-disabled", given["--disable-userns"] != nil || joins,
            "creation of new user namespaces was not disabled as requested")
        require("--userns-block-fd", unsharesUsers, "--userns-block-fd requires --unshare-user")
        require("--userns-block-fd", given["--info-fd"] != nil, "--userns-block-fd requires --info-fd")
        require("--as-pid-1", unshared.contains("pid"), "Specifying --as-pid-1 requires --unshare-pid")
        require("--as-pid-1", locks.isEmpty, "Specifying --as-pid-1 and --lock-file is not permitted")
        require("--hostname", unshared.contains("uts"), "Specifying --hostname requires --unshare-uts")
        guard context.isRoot, !unshared.contains("user"), !joins else { return }
        for (name, own) in [("--uid", 0), ("--gid", context.group ?? 0)] {
            let isOwn = given[name].map { UInt32($0.values[0]) == own } == true
            require(name, isOwn, "Specifying \(name) requires --unshare-user or --userns")
        }
    }

    private mutating func writeLocks() {
        for option in locks { draft.append("process.locks", literal(option.values[0]), option.directive) }
    }

    func standard(_ words: String) -> Directive { Draft.standard("bwrap", words) }

    private mutating func writeNamespaces() {
        for kind in ["pid", "ipc", "uts", "cgroup"] where !unshared.contains(kind) && !draft.has("namespaces.\(kind)") {
            draft.set("namespaces.\(kind)", .string("host"), standard("without --unshare-\(kind) it is the caller's"))
        }
        // The later of --share-net and those that unshare it counts.
        if unshared.contains("net") {
            if let option = given["--unshare-net"] {
                draft.isInForce(.nothing, "a namespace of the jail's own", option.directive)
            }
            if let option = given["--share-net"] {
                draft.warn("has no effect: the network is unshared later", option.directive)
            }
        } else {
            if let option = given["--unshare-net"] {
                draft.warn("has no effect: --share-net comes later", option.directive)
            }
            let directive = given["--share-net"]?.directive ?? standard("without --unshare-net it is the caller's")
            draft.set("network.mode", .string("host"), directive)
            draft.set("landlock.scope", .array([]), standard("abstract sockets can be reached"))
        }
        if context.isRoot, !unshared.contains("user"), !draft.has("namespaces.user") {
            draft.set("namespaces.user", .string("host"), standard("as root, without --unshare-user"))
        }
        if let option = given["--disable-userns"] {
            draft.isInForce(.notNested, option.directive)
        } else {
            draft.set("namespaces.nested", .boolean(true), standard("without --disable-userns"))
        }
        if let option = given["--assert-userns-disabled"] { draft.isInForce(.notNested, option.directive) }
    }

    private mutating func writeIdentity() {
        for (name, key) in [("--uid", "user"), ("--gid", "group")] {
            if let option = given[name] {
                guard let id = UInt32(option.values[0]), id < UInt32.max else {
                    draft.fail("Invalid \(key == "user" ? "uid" : "gid"): \(option.values[0])", option.directive)
                    continue
                }
                draft.set("identity.\(key)", .integer(Int64(id)), option.directive)
            } else if context.isRoot {
                let id = key == "user" ? 0 : Int64(context.group ?? 0)
                draft.set("identity.\(key)", .integer(id), standard("the caller's, which is root"))
            } else if key == "group", given["--uid"] != nil, given["--userns"] == nil, let group = context.group {
                // Without this line it would be that of the account with the user's number.
                draft.set("identity.group", .integer(Int64(group)), standard("without --gid it is the caller's"))
            }
        }
        let uid = given["--uid"].map { UInt32($0.values[0]) } ?? (context.isRoot ? 0 : nil)
        capabilities.write(context, asRoot: uid == 0, into: &draft)
    }

    private mutating func writeProcess(in start: String) {
        if let option = given["--hostname"] {
            draft.set("hostname", .string(option.values[0]), option.directive)
            draft.warn("the jail's /etc/hosts has it as well", option.directive)
        }
        if let option = given["--die-with-parent"] {
            draft.isInForce(.diesWithParent, option.directive)
        } else {
            draft.set("process.die_with_parent", .boolean(false), standard("without --die-with-parent"))
        }
        if let option = given["--new-session"] {
            draft.set("process.tty", .string("none"), option.directive)
        } else {
            draft.set("process.tty", .string("inherit"), standard("without --new-session"))
        }
        if let option = given["--as-pid-1"] { draft.set("process.init", .boolean(false), option.directive) }
        draft.set("process.keyring", .string("inherit"), standard("keyrings are the caller's"))
        if let option = given["--argv0"] {
            draft.set("process.argv0", .string(option.values[0]), option.directive)
        }
        let origin = given["--chdir"]?.directive ?? standard("the caller's directory, else HOME, else /")
        draft.set("cwd", .string(start), origin)
    }

    /// Where the command starts. A directory that is not in the jail is not known to be missing before the launch.
    private func directory(_ option: BubblewrapOptions.Option?) -> String {
        if let option { return literal(option.values[0].hasPrefix("/") ? option.values[0] : "/" + option.values[0]) }
        if let current = context.currentDirectory, tree.shows(current, context) { return "${PWD}" }
        guard let home = environment.home(of: context), home.hasPrefix("/"), tree.shows(cleaned(home), context) else {
            return "/"
        }
        return home == context.home ? "~" : literal(home)
    }

    private mutating func writeFilters() {
        draft.set("seccomp.profile", .string("none"), standard("no filter of its own"))
        for option in filters {
            guard let number = descriptor(option) else { continue }
            draft.append("seccomp.bpf", [.integer(Int64(number))], option.directive)
        }
    }
}
