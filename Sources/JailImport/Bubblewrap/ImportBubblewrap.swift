import JailSpec
import SpecFile

/// A command line of bubblewrap's as a spec, with bubblewrap's own loose defaults written out.
package struct BubblewrapImport {
    /// What the launch does beside the jail, which no spec has: only the front of that name does it.
    package struct Extras: Equatable, Sendable {
        package var infoDescriptor: Int32?
        package var statusDescriptor: Int32?
        package var blockDescriptor: Int32?
        /// Descriptors that stay open as long as the jail lives, without the command having them.
        package var heldDescriptors: [Int32] = []
        /// What bubblewrap says and goes on.
        package var warnings: [String] = []
        package var prefixesLevels = false
        /// Descriptors that bubblewrap keeps for itself, so that the command does not get them.
        package var used: [Int32] = []
        /// Sources that no mount of the jail has any more, and that must be there all the same.
        package var coveredSources: [String] = []
        package var asksForHelp = false
        package var asksForVersion = false
    }

    package internal(set) var draft = Draft()
    package internal(set) var extras = Extras()
    let context: ImportContext
    var tree = BubblewrapTree()
    var unshared: Set<String> = []
    /// Whether a user namespace is asked for, and whether one is where it can be had.
    var (unsharesUsers, triesUsers) = (false, false)
    var mode: String?
    var size: String?
    var lower: [String] = []
    var lowerDirective: Directive?
    var given: [String: BubblewrapOptions.Option] = [:]
    var locks: [BubblewrapOptions.Option] = []
    var capabilities = BubblewrapCapabilities()
    var environment = BubblewrapEnvironment()
    var filters: [BubblewrapOptions.Option] = []
    private var hasCommand = false

    /// The words after `bwrap`; `name` is what messages call them. `decodes`: not for whoever decodes what comes of them.
    package init(_ words: [String], from name: String, _ context: ImportContext, decodes: Bool = true) {
        self.context = context
        let line = BubblewrapOptions.read(words, from: name, context, into: &draft)
        for option in line.options { take(option) }
        if let directive = line.commandDirective {
            draft.set("command", .strings(line.command), directive)
            hasCommand = true
        }
        guard !extras.asksForHelp, !extras.asksForVersion else { return }
        finish(decodes)
    }

    /// Gives the command those of the open descriptors that bubblewrap does not read itself, and no others.
    package mutating func passOn(_ open: [Int32]) {
        draft.remove("process.fds")
        let standard = standard("what is open is passed on")
        for number in open where !extras.used.contains(number) {
            draft.append("process.fds", [.integer(Int64(number))], standard)
        }
    }

    /// Whether there is nothing to run.
    package var hasNoCommand: Bool { !hasCommand }

    private mutating func take(_ option: BubblewrapOptions.Option) {
        if isOutOfPlace(option) { return }
        switch option.name {
        case "--help": extras.asksForHelp = true
        case "--version": extras.asksForVersion = true
        case "--level-prefix":
            extras.prefixesLevels = true
            draft.isOutside("only `immure as bwrap` has messages with a level", option.directive)
        case "--perms":
            guard mode == nil else { return draft.fail("--perms given twice for the same action", option.directive) }
            guard isOctal(option.values[0]) else {
                return draft.fail("--perms takes an octal argument <= 07777", option.directive)
            }
            mode = option.values[0]
            return draft.isInForce(.nothing, "the mode of what follows", option.directive)
        case "--size": return takeSize(option)
        case "--setenv", "--unsetenv", "--clearenv": environment.take(option)
        case "--cap-add", "--cap-drop": capabilities.take(option, &draft)
        case "--seccomp", "--add-seccomp-fd": takeFilter(option)
        default:
            if takeTree(option) || takeNamespace(option) { break }
            takeLaunch(option)
        }
        (mode, size) = (nil, nil)
    }

    /// What an option before it was for is not what comes; a fault where so.
    private mutating func isOutOfPlace(_ option: BubblewrapOptions.Option) -> Bool {
        let faults = draft.faults.count
        let isModifier = option.name == "--perms" || option.name == "--size"
        if mode != nil, !isModifier,
            !["--tmpfs", "--dir", "--file", "--bind-data", "--ro-bind-data"].contains(option.name)
        {
            draft.fail("--perms must be followed by an option that creates a file", option.directive)
        }
        if size != nil, !isModifier, option.name != "--tmpfs" {
            draft.fail("--size must be followed by --tmpfs", option.directive)
        }
        if !lower.isEmpty, !["--overlay-src", "--overlay", "--tmp-overlay", "--ro-overlay"].contains(option.name) {
            draft.fail(Self.danglingLayer, option.directive)
        }
        return draft.faults.count > faults
    }

    static let danglingLayer =
        "--overlay-src must be followed by another --overlay-src or one of --overlay, --tmp-overlay, or --ro-overlay"

    private mutating func takeSize(_ option: BubblewrapOptions.Option) {
        guard size == nil else { return draft.fail("--size given twice for the same action", option.directive) }
        guard let bytes = unsigned(option.values[0]), bytes > 0 else {
            return draft.fail("--size takes a non-zero number of bytes", option.directive)
        }
        guard bytes <= UInt64(Int64.max) else {
            return draft.fail("--size (for tmpfs) is limited to \(Int64.max)", option.directive)
        }
        size = "\(bytes)"
        draft.isInForce(.nothing, "the size of what follows", option.directive)
    }

    private mutating func takeFilter(_ option: BubblewrapOptions.Option) {
        if let earlier = filters.last, earlier.name != option.name {
            return draft.fail("\(option.name) cannot be combined with \(earlier.name)", option.directive)
        }
        guard option.name == "--seccomp" else {
            if filters.contains(where: { $0.values == option.values }) {
                draft.fail("Can't read seccomp data: descriptor \(option.values[0]) is given twice", option.directive)
            }
            return filters.append(option)
        }
        for earlier in filters { repeats(option, earlier) }
        filters = [option]
    }

    /// Of an option that is given again only the last counts.
    private mutating func repeats(_ option: BubblewrapOptions.Option, _ earlier: BubblewrapOptions.Option) {
        extras.warnings.append("Only the last \(option.name) option will take effect")
        draft.warn("has no effect: \(option.directive.reference) comes later", earlier.directive)
    }

    private mutating func takeNamespace(_ option: BubblewrapOptions.Option) -> Bool {
        switch option.name {
        case "--unshare-all":
            triesUsers = true
            unshared.formUnion(["user", "ipc", "pid", "net", "uts", "cgroup"])
            for kind in ["ipc", "pid", "uts", "cgroup"] { ownNamespace(kind, option) }
        case "--share-net", "--unshare-net":
            if option.name == "--share-net" { unshared.remove("net") } else { unshared.insert("net") }
            // Of those that say the same the last one has the line.
            if let earlier = given.updateValue(option, forKey: option.name) { draft.isPart(earlier.directive) }
        case "--unshare-user", "--unshare-user-try", "--unshare-ipc", "--unshare-pid", "--unshare-uts",
            "--unshare-cgroup", "--unshare-cgroup-try":
            unshared.insert(String(option.name.split(separator: "-")[1]))
            if option.name == "--unshare-user" { unsharesUsers = true }
            if option.name == "--unshare-user-try" { triesUsers = true }
            ownNamespace(String(option.name.split(separator: "-")[1]), option)
        case "--userns", "--userns2", "--pidns": join(option)
        default: return false
        }
        return true
    }

    private mutating func ownNamespace(_ kind: String, _ option: BubblewrapOptions.Option) {
        // A user namespace is there for whoever is not root.
        let claim: Claim = kind == "user" ? .nothing : .own(foreign: kind)
        draft.isInForce(claim, "a namespace of the jail's own", option.directive)
    }

    private mutating func join(_ option: BubblewrapOptions.Option) {
        if let earlier = given.updateValue(option, forKey: option.name) { repeats(option, earlier) }
        guard let number = descriptor(option) else { return }
        switch option.name {
        case "--userns": draft.set("namespaces.user", .string("/proc/self/fd/\(number)"), option.directive)
        case "--pidns": draft.set("namespaces.pid", .string("/proc/self/fd/\(number)"), option.directive)
        default: draft.lose("a second user namespace to enter", restricts: true, option.directive)
        }
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
        case "--lock-file": return locks.append(option)
        case "--exec-label", "--file-label":
            return draft.lose("labels of SELinux", restricts: true, option.directive)
        case "--argv0":
            guard given.updateValue(option, forKey: option.name) == nil else {
                return draft.fail("--argv0 used multiple times", option.directive)
            }
        case "--disable-userns", "--assert-userns-disabled", "--new-session", "--die-with-parent", "--as-pid-1":
            if let earlier = given.updateValue(option, forKey: option.name) {
                draft.warn("has no effect: \(option.directive.reference) says the same", earlier.directive)
            }
        case "--uid", "--gid", "--hostname", "--chdir", "--info-fd", "--json-status-fd", "--block-fd", "--sync-fd",
            "--userns-block-fd":
            if let earlier = given.updateValue(option, forKey: option.name) { repeats(option, earlier) }
        default: return draft.fail("\(option.name) is not understood", option.directive)
        }
        guard option.name.hasSuffix("-fd"), let number = descriptor(option) else { return }
        switch option.name {
        case "--info-fd": extras.infoDescriptor = number
        case "--json-status-fd": extras.statusDescriptor = number
        case "--block-fd": extras.blockDescriptor = number
        case "--sync-fd": return keepOpen(number, option.directive)
        default: return draft.lose("id maps that somebody else writes", restricts: true, option.directive)
        }
        draft.isOutside(front, option.directive)
    }

    private mutating func keepOpen(_ number: Int32, _ directive: Directive) {
        extras.heldDescriptors.append(number)
        if number > 2 {
            draft.append("process.fds", [.integer(Int64(number))], directive)
            draft.warn("the command gets it; bubblewrap keeps it in its own process", directive)
        } else {
            draft.isInForce(.nothing, "it is passed on anyway", directive)
        }
    }
}

extension BubblewrapImport {
    /// What `immure import bwrap` makes of files of words, each ended by a zero byte or by a line, and of words.
    package static func draft(of sources: [ImportSource], _ words: [String], _ context: ImportContext) -> Draft {
        var (all, read): ([String], Draft) = ([], Draft())
        for source in sources { all += CommandLineFile.words(of: source, into: &read) }
        if !read.faults.isEmpty { return read }
        all += CommandLineFile.isProgram(words.first) ? Array(words.dropFirst()) : words
        var imported = BubblewrapImport(all, from: sources.last?.name ?? "bwrap", context)
        if imported.extras.asksForHelp || imported.extras.asksForVersion {
            imported.draft.fail("asks for help, which is no jail", at: nil)
        }
        return imported.draft
    }
}

/// A number as strtoull(3) reads it with the base 0, but for signs and spaces.
private func unsigned(_ text: String) -> UInt64? {
    guard let first = text.utf8.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return nil }
    if let digits = text.after("0x") ?? text.after("0X") { return isPlain(digits) ? UInt64(digits, radix: 16) : nil }
    return first == UInt8(ascii: "0") ? UInt64(text, radix: 8) : UInt64(text)
}

/// Whether a text is permissions in octal.
func isOctal(_ text: String) -> Bool { isPlain(text) && UInt32(text, radix: 8).map { $0 <= 0o7777 } == true }

private func isPlain(_ digits: String) -> Bool {
    digits.utf8.first != UInt8(ascii: "+") && digits.utf8.first != UInt8(ascii: "-")
}
