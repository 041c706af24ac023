import JailSpec

/// Steps in words: what `immure plan` lists and what a failure begins with.
extension Plan {
    /// A step in a few words, with the path or name that it is about: `mount /srv`.
    package func title(of index: Int) -> String {
        guard steps.indices.contains(index) else { return "" }
        switch steps[index].operation {
        case .openTree(let slot, let source):
            let target = target(of: slot)
            if target == "/" { return "root \(source.path)" }
            return source.path == target ? "mount \(target)" : "mount \(source.path) on \(target)"
        case .openDevice(_, let name, _, _): return "device /dev/\(name)"
        case .makeFileSystem(let slot, let fileSystem): return "mount \(fileSystem.type) on \(target(of: slot))"
        case .makeFile(let slot, _, _): return "file \(target(of: slot))"
        case .makeNoticeSocket(let slot): return "notify socket in \(target(of: slot))"
        case .makeCredentials(let slot): return "credentials in \(target(of: slot))"
        case .attach(let slot, let target, _):
            let source = steps.firstIndex { $0.operation.filledSlot == slot }
            return source.map { title(of: $0) } ?? "mount \(target)"
        case let operation: return operation.title
        }
    }

    /// Where a slot is attached; `/` for the slot of the root.
    package func target(of slot: Int) -> String {
        for step in steps {
            if case .attach(slot, let target, _) = step.operation { return target }
        }
        return "/"
    }
}

extension Operation {
    /// The slot that this operation puts a mount into.
    var filledSlot: Int? {
        switch self {
        case .openTree(let slot, _), .openDevice(let slot, _, _, _), .makeFileSystem(let slot, _),
            .makeFile(let slot, _, _), .makeNoticeSocket(let slot), .makeCredentials(let slot):
            slot
        default: nil
        }
    }

    /// The title of an operation that can be named without the rest of the plan.
    fileprivate var title: String {
        switch self {
        case .requestScope(let manager): "ask the \(manager.rawValue) manager for a scope"
        case .enableControllers(_, let controllers):
            controllers.isEmpty
                ? "find every controller enabled" : "enable controllers " + controllers.joined(separator: " ")
        case .createCgroup: "create the cgroup"
        case .setLimit(let setting): "limits.\(setting.key)"
        case .enterCgroup: "enter the cgroup"
        case .connectManager(let socket): "connect to the service manager at \(socket)"
        case .readCredentials(let path): "read the credentials in \(path)"
        case .joinNamespaces(let joined):
            "join the namespace\(joined.count == 1 ? "" : "s") " + joined.map(\.path).joined(separator: ", ")
        case .createNamespaces(let kinds):
            kinds.isEmpty ? "start a process" : "create namespaces " + kinds.map(\.rawValue).joined(separator: " ")
        case .mapIdentities: "map user and group ids"
        case .offsetClocks: "offset the clocks"
        case .setOOMScore(let score): "set oom_score_adj \(score)"
        case .forbidUserNamespaces: "forbid namespaces within"
        case .isolateMounts: "take mounts out of propagation"
        case .setIdentity(let user, let group): "become uid \(user) gid \(group)"
        case .setGroups(let groups):
            groups.isEmpty ? "drop supplementary groups" : "set groups " + groups.map { "\($0)" }.joined(separator: " ")
        case .beginRoot: "begin the tree of the jail"
        case .makeDirectory(let target, _): "directory \(target)"
        case .makeSymlink(let target, let to): "symlink \(target) to \(to)"
        case .hide(let target), .mask(let target): "hide \(target)"
        case .protect(let target): "protect \(target)"
        case .seal: "make what was built read-only"
        case .switchRoot: "switch to the tree of the jail"
        default: processTitle
        }
    }

    private var processTitle: String {
        switch self {
        case .setHostName(let name): "set hostname \(name)"
        case .bringUpLoopback: "bring up loopback"
        case .setNice(let nice): "set nice \(nice)"
        case .setAffinity(let cpus): "set cpus " + cpus.map { "\($0)" }.joined(separator: ",")
        case .newKeyring: "new session keyring"
        case .resetInheritedAttributes: "reset personality"
        case .startSession(let terminal): terminal == .none ? "new session" : "new session with a terminal"
        case .dropBounding: "drop the bounding set"
        case .forbidNewPrivileges: "set no_new_privs"
        case .refuseNamespaces: "refuse namespaces by a filter"
        case .setSecureBits: "set securebits"
        case .startCommand: "start the command's process"
        case .raiseHardLimit(let resource, _): "raise the hard limit of \(resource.name)"
        case .setResourceLimit(let resource, _, _): "set rlimit \(resource.name)"
        case .setUmask: "set umask"
        case .createRuleset: "begin the landlock rules"
        case .allowPath(let path, _): "landlock \(path)"
        case .allowPort(let port, let use): "landlock \(use.word) \(port)"
        case .enforceRuleset: "enforce the landlock rules"
        case .setCapabilities: "set capabilities"
        case .dieWithParent: "die with the parent"
        case .closeDescriptors: "close descriptors"
        case .resetSignals: "reset signals"
        case .changeDirectory(let path): "enter \(path)"
        case .nameProcess(let names): "set \(names.joined(separator: ", ")) to the command's process id"
        case .installFilter: "filter system calls"
        case .execute(let arguments, _): "execute \(arguments.first ?? "")"
        default: operationName
        }
    }
}
