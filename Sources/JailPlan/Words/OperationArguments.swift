import JailSpec
import LinuxFacts
import SystemCallFilter

/// What an operation was given, by name, as `immure plan --json` shows it.
extension Operation {
    package var arguments: [(String, JSON)] {
        switch self {
        case .joinNamespaces(let joined):
            [
                (
                    "namespaces",
                    .array(joined.map { .object([("kind", .string($0.kind.rawValue)), ("path", .string($0.path))]) })
                )
            ]
        case .createNamespaces(let kinds): [("kinds", .array(kinds.map { .string($0.rawValue) }))]
        case .mapIdentities(let maps):
            [
                ("users", .array(maps.users.map(\.json))), ("groups", .array(maps.groups.map(\.json))),
                ("writer", .string(maps.writer.rawValue)), ("deny_setgroups", .boolean(maps.denySetgroups)),
            ]
        case .offsetClocks(let monotonic, let boottime):
            [("monotonic", .string(monotonic.text)), ("boottime", .string(boottime.text))]
        case .connectManager(let socket): [("socket", .string(socket))]
        case .readCredentials(let path): [("source", .string(path))]
        case .setIdentity(let user, let group): [("user", .integer(Int(user))), ("group", .integer(Int(group)))]
        case .setGroups(let groups): [("groups", .array(groups.map { .integer(Int($0)) }))]
        default: treeArguments ?? limitArguments ?? processArguments
        }
    }

    private var treeArguments: [(String, JSON)]? {
        switch self {
        case .openTree(let slot, let source):
            [
                ("slot", .integer(slot)), ("source", .string(source.path)), ("recursive", .boolean(source.recursive)),
                ("attributes", source.attributes.json), ("optional", .boolean(source.optional)),
            ]
        case .openDevice(let slot, let name, let major, let minor):
            [
                ("slot", .integer(slot)), ("name", .string(name)), ("major", .integer(Int(major))),
                ("minor", .integer(Int(minor))),
            ]
        case .makeFileSystem(let slot, let fileSystem):
            [
                ("slot", .integer(slot)), ("type", .string(fileSystem.type)),
                ("parameters", .object(fileSystem.parameters.map { ($0.key, JSON($0.value)) })),
                ("attributes", fileSystem.attributes.json),
            ]
        case .makeFile(let slot, let content, let mode):
            [("slot", .integer(slot)), ("content", .string(content)), ("mode", .string(octal(mode)))]
        case .makeNoticeSocket(let slot), .makeCredentials(let slot): [("slot", .integer(slot))]
        case .beginRoot(let slot): [("slot", .integer(slot))]
        case .attach(let slot, let target, _): [("slot", .integer(slot)), ("target", .string(target))]
        case .makeDirectory(let target, let mode):
            [("target", .string(target)), ("mode", mode.map { .string(octal($0)) } ?? .null)]
        case .makeSymlink(let target, let to): [("target", .string(target)), ("to", .string(to))]
        case .hide(let target): [("target", .string(target))]
        case .mask(let target), .protect(let target): [("target", .string(target))]
        case .seal(let slots): [("slots", .array(slots.map { .integer($0) }))]
        default: nil
        }
    }

    private var limitArguments: [(String, JSON)]? {
        switch self {
        case .requestScope(let manager): [("manager", .string(manager.rawValue))]
        case .enableControllers(let base, let controllers):
            [("base", .string(base.text)), ("controllers", .array(controllers.map { .string($0) }))]
        case .createCgroup(.none): [("inner", .boolean(false))]
        case .createCgroup(.inner): [("inner", .boolean(true))]
        case .createCgroup(.owned(let user, let group)):
            [("inner", .boolean(true)), ("user", .integer(Int(user))), ("group", .integer(Int(group)))]
        case .setLimit(let setting): [("file", .string(setting.file)), ("value", .string(setting.value))]
        default: nil
        }
    }

    private var processArguments: [(String, JSON)] {
        switch self {
        case .setOOMScore(let score): [("score", .integer(Int(score)))]
        case .setHostName(let name): [("name", .string(name))]
        case .setNice(let nice): [("nice", .integer(Int(nice)))]
        case .setAffinity(let cpus): [("cpus", .array(cpus.map { .integer($0) }))]
        case .startSession(let terminal): [("terminal", .string(terminal.rawValue))]
        case .dropBounding(let kept): [("keeping", kept.json)]
        case .setSecureBits(let pure): [("pure", .boolean(pure))]
        case .raiseHardLimit(let resource, let hard):
            [("resource", .string(resource.name)), ("hard", JSON(limit: hard))]
        case .setResourceLimit(let resource, let soft, let hard):
            [("resource", .string(resource.name)), ("soft", JSON(limit: soft)), ("hard", JSON(limit: hard))]
        case .setUmask(let mask): [("umask", .string(octal(mask)))]
        case .createRuleset(let handled): [("closing", .array(handled.names.map { .string($0) }))]
        case .allowPath(let path, let access):
            [("path", .string(path)), ("access", .array(access.names.map { .string($0) }))]
        case .allowPort(let port, let use): [("port", .integer(Int(port))), ("use", .string(use.word))]
        case .setCapabilities(let sets):
            [
                ("permitted", sets.permitted.json), ("effective", sets.effective.json),
                ("inheritable", sets.inheritable.json), ("ambient", sets.ambient.json),
            ]
        case .closeDescriptors(let kept): [("keeping", .array(kept.map { .integer(Int($0)) }))]
        case .changeDirectory(let path): [("path", .string(path))]
        case .nameProcess(let names): [("variables", .array(names.map { .string($0) }))]
        case .installFilter(let program): [("policy", program.policy.json)]
        case .execute(let arguments, let environment):
            [
                ("arguments", .array(arguments.map { .string($0) })),
                ("environment", .array(environment.map { .string($0) })),
            ]
        default: []
        }
    }
}

private func octal(_ mode: UInt32) -> String { "0" + String(mode, radix: 8) }

extension JSON {
    /// A limit, where nil stands for unlimited.
    fileprivate init(limit: UInt64?) {
        guard let limit else {
            self = .string("unlimited")
            return
        }
        self = Int(exactly: limit).map { .integer($0) } ?? .string("\(limit)")
    }
}

extension ControlGroups.Base {
    /// The directory, or whom it will come from.
    var text: String {
        switch self {
        case .directory(let path): path
        case .scope(let manager): "a scope of the \(manager.rawValue) manager"
        }
    }
}

extension MountAttributes {
    fileprivate var json: JSON { .array(words.map { .string($0) }) }
}

extension CapabilitySet {
    fileprivate var json: JSON { .array(names.map { .string($0) }) }

    /// The names of what is in the set, in the order of the numbers.
    var names: [String] { capabilities.map(\.name) }
}

extension Identity.Range {
    fileprivate var json: JSON {
        .object([
            ("inside", .integer(Int(inside))), ("outside", .integer(Int(outside))), ("count", .integer(Int(count))),
        ])
    }
}

extension ClockOffset {
    /// Seconds with the nanoseconds as nine decimals, below zero as people write it and not as the kernel counts.
    var text: String {
        let isBelow = seconds < 0 && nanoseconds > 0
        let (whole, rest) = isBelow ? (seconds + 1, 1_000_000_000 - nanoseconds) : (seconds, nanoseconds)
        let digits = "\(rest)"
        return
            "\(isBelow && whole == 0 ? "-" : "")\(whole).\(String(repeating: "0", count: max(0, 9 - digits.utf8.count)))\(digits)"
    }
}
