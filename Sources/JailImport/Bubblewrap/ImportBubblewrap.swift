import JailSpec
import SpecFile

/// A command line of bubblewrap's as a spec, with bubblewrap's own loose defaults written out.
package struct BubblewrapImport {
    /// What the launch does beside the jail, which no spec has: only the front of that name does it.
    package struct Extras: Equatable, Sendable {
        package var infoDescriptor: Int32?
        package var statusDescriptor: Int32?
        package var blockDescriptors: [Int32] = []
        package var lockFiles: [String] = []
        /// Descriptors that bubblewrap keeps for itself, so that the command does not get them.
        package var used: [Int32] = []
        /// Sources that no mount of the jail has any more, and that must be there all the same.
        package var coveredSources: [String] = []
        package var asksForHelp = false
        package var asksForVersion = false
    }

    package internal(set) var draft = Draft()
    package private(set) var extras = Extras()
    let context: ImportContext
    var tree = BubblewrapTree()
    var unshared: Set<String> = []
    private var sharesNetwork = false
    var mode: String?
    var size: String?
    var lower: [String] = []
    private var given: [String: BubblewrapOptions.Option] = [:]
    private var capabilities = BubblewrapCapabilities()
    private var environment = BubblewrapEnvironment()
    private var filters: [BubblewrapOptions.Option] = []
    private var hasCommand = false

    /// The words after `bwrap`; `name` is what messages call them.
    package init(_ words: [String], from name: String, _ context: ImportContext) {
        self.context = context
        let line = BubblewrapOptions.read(words, from: name, context, into: &draft)
        for option in line.options { take(option) }
        if let directive = line.commandDirective {
            draft.set("command", .strings(line.command), directive)
            hasCommand = true
        }
        guard !extras.asksForHelp, !extras.asksForVersion else { return }
        finish()
    }

    /// Gives the command those of the open descriptors that bubblewrap does not read itself.
    package mutating func passOn(_ open: [Int32]) {
        let standard = standard("what is open is passed on")
        for number in open where !extras.used.contains(number) {
            draft.append("process.fds", [.integer(Int64(number))], standard)
        }
    }

    /// Whether there is nothing to run.
    package var hasNoCommand: Bool { !hasCommand }

    private mutating func take(_ option: BubblewrapOptions.Option) {
        let values = option.values
        switch option.name {
        case "--help": extras.asksForHelp = true
        case "--version": extras.asksForVersion = true
        case "--level-prefix": draft.isOutside("messages have no level", option.directive)
        case "--perms":
            guard UInt32(values[0], radix: 8).map({ $0 <= 0o7777 }) == true else {
                return draft.fail("--perms takes an octal argument <= 07777", option.directive)
            }
            mode = values[0]
            return draft.isInForce("the mode of what follows", option.directive)
        case "--size":
            guard let bytes = UInt64(values[0]), bytes > 0, bytes <= UInt64(Int64.max) else {
                return draft.fail("--size takes a non-zero number of bytes", option.directive)
            }
            size = values[0]
            return draft.isInForce("the size of what follows", option.directive)
        case "--setenv", "--unsetenv", "--clearenv": environment.take(option)
        case "--cap-add", "--cap-drop": capabilities.take(option, &draft)
        case "--seccomp":
            for earlier in filters { draft.warn("has no effect: only the last --seccomp counts", earlier.directive) }
            filters = [option]
        case "--add-seccomp-fd": filters.append(option)
        default:
            if takeTree(option) || takeNamespace(option) { break }
            takeLaunch(option)
        }
        (mode, size) = (nil, nil)
    }

    private mutating func takeNamespace(_ option: BubblewrapOptions.Option) -> Bool {
        switch option.name {
        case "--unshare-all":
            unshared.formUnion(["user", "ipc", "pid", "net", "uts", "cgroup"])
            draft.isInForce("namespaces of the jail's own", option.directive)
        case "--share-net":
            sharesNetwork = true
            given["--share-net"] = option
        case "--unshare-user", "--unshare-user-try", "--unshare-ipc", "--unshare-pid", "--unshare-net",
            "--unshare-uts", "--unshare-cgroup", "--unshare-cgroup-try":
            unshared.insert(String(option.name.split(separator: "-")[1]))
            draft.isInForce("a namespace of the jail's own", option.directive)
        case "--userns":
            if let path = descriptorPath(option) { draft.set("namespaces.user", .string(path), option.directive) }
        case "--pidns":
            if let path = descriptorPath(option) { draft.set("namespaces.pid", .string(path), option.directive) }
        case "--userns2": draft.lose("a second user namespace to enter", restricts: true, option.directive)
        default: return false
        }
        return true
    }

    private mutating func descriptorPath(_ option: BubblewrapOptions.Option) -> String? {
        descriptor(option).map { "/proc/self/fd/\($0)" }
    }

    /// The number of a descriptor that bubblewrap uses itself.
    mutating func descriptor(_ option: BubblewrapOptions.Option) -> Int32? {
        guard let number = Int32(option.values[0]), number >= 0 else {
            draft.fail("Invalid fd: \(option.values[0])", option.directive)
            return nil
        }
        extras.used.append(number)
        return number
    }

    private mutating func takeLaunch(_ option: BubblewrapOptions.Option) {
        let front = "only `immure as bwrap` does it, a spec does not say it"
        switch option.name {
        case "--info-fd":
            extras.infoDescriptor = descriptor(option)
            draft.isOutside(front, option.directive)
        case "--json-status-fd":
            extras.statusDescriptor = descriptor(option)
            draft.isOutside(front, option.directive)
        case "--block-fd":
            if let number = descriptor(option) { extras.blockDescriptors.append(number) }
            draft.isOutside(front, option.directive)
        case "--sync-fd":
            if let number = descriptor(option) { keepOpen(number, option.directive) }
        case "--lock-file":
            extras.lockFiles.append(option.values[0])
            draft.lose("a lock that is held as long as the jail lives", option.directive)
        case "--userns-block-fd":
            draft.lose("id maps that others write", restricts: false, option.directive)
        case "--exec-label", "--file-label":
            draft.lose("labels of SELinux", restricts: true, option.directive)
        case "--disable-userns", "--assert-userns-disabled", "--uid", "--gid", "--hostname", "--chdir",
            "--new-session", "--die-with-parent", "--as-pid-1", "--argv0":
            guard let earlier = given.updateValue(option, forKey: option.name) else { return }
            draft.warn("has no effect: \(option.directive.reference) comes later", earlier.directive)
        default: draft.fail("\(option.name) is not understood", option.directive)
        }
    }

    private mutating func keepOpen(_ number: Int32, _ directive: Directive) {
        if number > 2 {
            draft.append("process.fds", [.integer(Int64(number))], directive)
            draft.warn("the command gets it; bubblewrap keeps it in its own process", directive)
        } else {
            draft.isInForce("it is passed on anyway", directive)
        }
    }
}

extension BubblewrapImport {
    private mutating func finish() {
        extras.coveredSources = tree.coveredSources
        writeTree()
        writeNamespaces()
        writeIdentity()
        writeProcess()
        environment.write(directory(given["--chdir"]), given["--chdir"]?.directive, into: &draft)
        writeFilters()
        draft.finish()
    }

    private func standard(_ words: String) -> Directive { Draft.standard("bwrap", words) }

    private mutating func writeNamespaces() {
        for kind in ["pid", "ipc", "uts", "cgroup"] where !unshared.contains(kind) && !draft.has("namespaces.\(kind)") {
            draft.set("namespaces.\(kind)", .string("host"), standard("without --unshare-\(kind) it is the caller's"))
        }
        if !unshared.contains("net") || sharesNetwork {
            let directive = given["--share-net"]?.directive ?? standard("without --unshare-net it is the caller's")
            draft.set("network.mode", .string("host"), directive)
            draft.set("landlock.scope", .array([]), standard("abstract sockets can be reached"))
        }
        if context.isRoot, !unshared.contains("user"), !draft.has("namespaces.user") {
            draft.set("namespaces.user", .string("host"), standard("as root, without --unshare-user"))
        }
        if let option = given["--disable-userns"] {
            draft.isInForce("", option.directive)
        } else {
            draft.set("namespaces.nested", .boolean(true), standard("without --disable-userns"))
        }
        if let option = given["--assert-userns-disabled"] { draft.isInForce("", option.directive) }
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
                draft.set("identity.\(key)", .integer(0), standard("the caller's, which is root"))
            }
        }
        let uid = given["--uid"].map { UInt32($0.values[0]) } ?? (context.isRoot ? 0 : nil)
        capabilities.write(context, asRoot: uid == 0, into: &draft)
    }

    private mutating func writeProcess() {
        if let option = given["--hostname"] {
            if unshared.contains("uts") {
                draft.set("hostname", .string(option.values[0]), option.directive)
            } else {
                draft.fail("Specifying --hostname requires --unshare-uts", option.directive)
            }
        }
        if let option = given["--die-with-parent"] {
            draft.isInForce("", option.directive)
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
            if Available.takes("process.argv0", .string("x")) {
                draft.set("process.argv0", .string(option.values[0]), option.directive)
            } else {
                draft.lose("an argv[0] other than the program", option.directive)
            }
        }
        if let option = given["--chdir"] {
            draft.set("cwd", .string(directory(option)), option.directive)
        } else {
            draft.set("cwd", .string(directory(nil)), standard("the caller's directory, else HOME, else /"))
        }
    }

    /// Where the command starts. A directory that is not in the jail is not known to be missing before the launch.
    private func directory(_ option: BubblewrapOptions.Option?) -> String {
        if let option { return literal(option.values[0].hasPrefix("/") ? option.values[0] : "/" + option.values[0]) }
        if let current = context.currentDirectory, tree.shows(current) { return "${PWD}" }
        if let home = context.home, tree.shows(home) { return "~" }
        return "/"
    }

    private mutating func writeFilters() {
        draft.set("seccomp.profile", .string("none"), standard("no filter of its own"))
        for option in filters {
            guard let number = descriptor(option) else { continue }
            if Available.takes("seccomp.bpf", .array([Node(.integer(3), at: option.directive.position)])) {
                draft.append("seccomp.bpf", [.integer(Int64(number))], option.directive)
            } else {
                draft.lose("a filter that is compiled already", restricts: true, option.directive)
            }
        }
    }
}

extension BubblewrapImport {
    /// What `immure import bwrap` makes of files of words, each ended by a zero byte or by a line, and of words.
    package static func draft(of sources: [ImportSource], _ words: [String], _ context: ImportContext) -> Draft {
        var all: [String] = []
        for source in sources {
            let list = source.text.contains(0) ? BubblewrapOptions.split(source.text) : source.lines.flatMap(\.spaced)
            all += list
        }
        let name = sources.last?.name ?? "bwrap"
        var imported = BubblewrapImport(all + words, from: name, context)
        if imported.extras.asksForHelp || imported.extras.asksForVersion {
            imported.draft.fail("asks for help, which is no jail", at: nil)
        }
        return imported.draft
    }
}
