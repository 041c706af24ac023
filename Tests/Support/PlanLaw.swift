package import JailPlan
import JailSpec
import LinuxFacts

/// A plan followed step by step: what has been done so far, and so what can no longer be done, or not yet.
///
/// The switch names every operation: a new one has no place in a plan before it has been given its law here.
package struct PlanLaw {
    /// What is wrong, with the number of the step.
    private(set) var violations: [String] = []

    private var step = ""
    private let isDirect: Bool
    private let isPrivileged: Bool
    /// The namespaces that the plan makes, and those that are made by now.
    private var wanted: [NamespaceKind]?
    private var made: [NamespaceKind]?
    private var hasReaper = false
    private var joinsNetwork = false
    private var joinedNamespaces = false
    private var mapped = false
    private var isolated = false
    private var provided = false
    private var becameUser = false
    private var filled: [Int] = []
    private var placed: [Int] = []
    private var targets: [String] = []
    private var rootBegun = false
    private var sealed = false
    private var covered = false
    private var rootSwitched = false
    private var cgroup = false
    private var limited = false
    private var sessionStarted = false
    private var boundingDropped = false
    private var bitsLocked = false
    private var noNewPrivileges = false
    private var commandStarted = false
    private var rulesetBegun = false
    private var restricted = false
    private var capabilitiesSet = false
    private var umaskSet = false
    private var descriptorsClosed = false
    private var signalsReset = false
    private var inDirectory = false
    private var filtered = false
    private var executed = false

    /// Follows a whole plan.
    package static func violations(of plan: Plan, on host: Host) -> [String] {
        violations(of: plan.steps.map(\.operation), in: plan, on: host)
    }

    /// Follows other operations, or another order, in place of the plan's own.
    package static func violations(of operations: [Operation], in plan: Plan, on host: Host) -> [String] {
        var law = PlanLaw(plan, host)
        for (index, operation) in operations.enumerated() { law.follow(operation, index) }
        law.finish(plan)
        return law.violations
    }

    private init(_ plan: Plan, _ host: Host) {
        isDirect = plan.shape == .direct
        isPrivileged = host.isPrivileged
        for step in plan.steps {
            if case .process(.createNamespaces(let kinds)) = step.operation { wanted = kinds }
            if case .process(.startCommand) = step.operation { hasReaper = true }
            if case .process(.joinNamespaces(let joined)) = step.operation {
                joinsNetwork = joined.contains { $0.kind == .net }
            }
        }
    }

    private var hasOwnMounts: Bool { wanted?.contains(.mount) ?? false }
    private var hasOwnUsers: Bool { wanted?.contains(.user) ?? false }
    /// Whether the process that acts is the jail's own, and not the launcher outside.
    private var isInside: Bool { made != nil || wanted == nil }
    /// Whether it is the one that becomes the command.
    private var isCommand: Bool { isInside && (commandStarted || !hasReaper) }

    private mutating func follow(_ operation: Operation, _ index: Int) {
        step = "step \(index + 1) \(operation.operationName)"
        need(!executed, "after the command")
        switch operation {
        case .tree(let operation): follow(operation)
        case .identity(let operation): follow(operation)
        case .process(let operation): follow(operation)
        case .limits(let operation): follow(operation)
        case .filter(let operation): follow(operation)
        case .landlock(let operation): follow(operation)
        case .network(let operation): follow(operation)
        case .service(let operation): follow(operation)
        }
    }

    private mutating func follow(_ operation: TreeOperation) {
        switch operation {
        case .openImage, .openOverlay:
            need(made == nil && !rootSwitched, "what is served is opened by the caller, before its names are another's")
        case .makeSource:
            need(made == nil && !becameUser, "the directory around it is open to the caller's own id")
        case .isolateMounts:
            need(hasOwnMounts && made != nil, "the host's mounts would change")
            need(!rootBegun, "what stands already was attached to what propagates")
            isolated = true
        case .fill(let slot, let filling, _):
            follow(filling)
            need(!rootBegun && !rootSwitched, "proc and sysfs of the host must be in sight")
            need(!filled.contains(slot), "slot \(slot) is filled twice")
            filled.append(slot)
        case .beginRoot(let slot):
            need(isolated && !rootBegun, "a root begins once, out of propagation")
            need(filled.contains(slot), "slot \(slot) is empty")
            rootBegun = true
            placed.append(slot)
        case .attach(let slot, let target, _):
            need(filled.contains(slot), "slot \(slot) is empty")
            need(!placed.contains(slot), "slot \(slot) is attached already")
            placed.append(slot)
            place(target)
        case .makeDirectory(let target, _, _), .makeSymlink(let target, _): place(target)
        case .pin:
            need(rootBegun && !covered && !sealed, "what stands below it comes after it")
        case .hide, .mask, .protect, .protectFile:
            need(rootBegun && !sealed && !rootSwitched, "the tree is not open")
            covered = true
        case .seal(let slots):
            need(rootBegun && !sealed, "nothing to seal")
            need(slots.allSatisfy { placed.contains($0) }, "seals what is not attached")
            sealed = true
        case .switchRoot:
            need(sealed && !rootSwitched, "the command must never see a root that can be written to")
            rootSwitched = true
        case .openQueues:
            need(rootBegun && !rootSwitched, "it is mounted on the host's tree, from which nothing is opened any more")
        }
    }

    private mutating func follow(_ operation: IdentityOperation) {
        switch operation {
        case .mapIdentities:
            need(hasOwnUsers && made != nil, "there is no new user namespace")
            need(!mapped && !becameUser, "uid_map is written once")
            mapped = true
        case .forbidUserNamespaces:
            need(!becameUser, "files of proc belong to the real root once the ids change")
            need(!rootSwitched, "the host's proc is gone")
            need(hasOwnUsers && mapped, "the sysctl is that of a mapped user namespace")
        case .setIdentity:
            need(!becameUser && !bitsLocked && !capabilitiesSet, "the ids change once, and keep the capabilities")
            need(mapped || !hasOwnUsers, "an unmapped id is EINVAL")
            becameUser = true
        case .setGroups:
            need(isInside && !becameUser, "a failure between the two leaves the user with the groups")
            need(mapped || !hasOwnUsers, "setgroups(2) is shut until gid_map is written")
        case .dropBounding:
            need(isInside && !bitsLocked && !capabilitiesSet && !boundingDropped, "it needs CAP_SETPCAP")
            boundingDropped = true
        case .setSecureBits:
            need(isInside && !capabilitiesSet && !bitsLocked, "it needs CAP_SETPCAP")
            bitsLocked = true
        case .forbidNewPrivileges:
            need(isInside && !noNewPrivileges && !commandStarted, "for the reaper as well")
            noNewPrivileges = true
        case .setCapabilities:
            need(!capabilitiesSet, "there is nothing left to drop")
            need(mapped || !hasOwnUsers, "the ids are not what they will be")
            capabilitiesSet = true
        }
    }

    private mutating func follow(_ operation: ProcessOperation) {
        switch operation {
        case .joinJail:
            need(
                made == nil && !restricted && !capabilitiesSet,
                "it needs CAP_SYS_ADMIN, and only children enter a pid namespace")
        case .joinNamespaces:
            joinedNamespaces = true
            need(made == nil, "only children enter a joined pid namespace")
            need(!restricted && !capabilitiesSet, "it needs CAP_SYS_ADMIN")
        case .createNamespaces(let kinds):
            need(made == nil, "namespaces are made at once")
            need(!capabilitiesSet && !commandStarted, "too late")
            made = kinds
        case .offsetClocks, .setOOMScore:
            need(!becameUser, "files of proc belong to the real root once the ids change")
            need(!rootSwitched, "the host's proc is gone")
        case .openPipes: need(isPrivileged && made == nil, "CAP_CHOWN over the host is gone in a user namespace")
        case .setHostName: need(made?.contains(.uts) ?? false && !capabilitiesSet, "the host's name would change")
        case .setNice: need(!commandStarted && !capabilitiesSet, "it needs CAP_SYS_NICE")
        case .setAffinity: need(isInside && !commandStarted && !capabilitiesSet, "it needs CAP_SYS_NICE")
        case .holdNamespaces:
            need(isInside && !commandStarted && !restricted, "they are complete, and nobody has left them")
        case .lockFile: need(rootSwitched || made == nil, "it is a file of the jail")
        case .newKeyring, .setInheritedAttributes:
            need(isInside && !commandStarted && !restricted, "the reaper has it, too")
        case .startSession(let terminal):
            need(isInside && !sessionStarted && !commandStarted, "a session begins once, and with the reaper in it")
            need(terminal != .jail || rootSwitched, "the pty is one of the jail's own devpts")
            sessionStarted = true
        case .startCommand:
            need(!commandStarted && !isDirect, "there is one command, and a reaper only where there is a pid 1")
            need(rootSwitched || !hasOwnMounts, "the reaper would stay in the host's tree")
            need(mapped || !hasOwnUsers, "the reaper would have no id")
            commandStarted = true
        case .setUmask:
            need(isCommand && (rootSwitched || !hasOwnMounts), "mount points are made with their modes")
            umaskSet = true
        case .dieWithParent: need(capabilitiesSet, "commit_creds() takes the request back where credentials change")
        case .closeDescriptors:
            need(capabilitiesSet && (restricted || !rulesetBegun), "the ruleset is a descriptor")
            descriptorsClosed = true
        case .resetSignals:
            need(isCommand, "the reaper keeps its own")
            signalsReset = true
        case .changeDirectory:
            need(descriptorsClosed, "the working directory is the last way out")
            need(rootSwitched || !hasOwnMounts, "the directory is the jail's")
            inDirectory = true
        case .nameProcess: need(isCommand, "the process id is the command's")
        case .execute:
            need(capabilitiesSet && descriptorsClosed && signalsReset && inDirectory && umaskSet, "not ready")
            need(!rootBegun || rootSwitched, "in the host's tree")
            need(restricted || !rulesetBegun, "the ruleset is not in force")
            executed = true
        }
    }

    private mutating func follow(_ operation: LimitOperation) {
        switch operation {
        case .requestScope, .enableControllers, .createCgroup, .setLimit, .enterCgroup:
            need(made == nil, "the first process is born into its cgroup, whole and limited")
            need(!rootSwitched && !becameUser, "the host's cgroupfs is out of reach")
            if case .createCgroup = operation { cgroup = true }
            if case .setLimit = operation {
                need(cgroup, "there is no cgroup")
                need(!limited, "the process is in the group already")
            }
            if case .enterCgroup = operation {
                need(cgroup && isDirect, "only a direct launch enters, and a group that is there")
                limited = true
            }
        case .raiseHardLimit:
            need(isPrivileged && made == nil, "CAP_SYS_RESOURCE over the host is gone in a user namespace")
        case .giveGroup:
            need(becameUser && cgroup && !rootSwitched, "the group is there, and both owners have a name")
        case .setResourceLimit:
            need(isCommand && !capabilitiesSet, "only CAP_SYS_RESOURCE raises a hard limit")
        }
    }

    private mutating func follow(_ operation: FilterOperation) {
        switch operation {
        case .refuseNamespaces:
            need(noNewPrivileges || isPrivileged, "seccomp(2) wants no_new_privs or CAP_SYS_ADMIN")
            need(!capabilitiesSet && !commandStarted, "for the reaper as well")
        case .installFilter:
            need(isCommand && !filtered, "the filter is for the command, once")
            need(noNewPrivileges || !capabilitiesSet, "seccomp(2) wants no_new_privs or CAP_SYS_ADMIN")
            filtered = true
        case .installPrograms:
            need(
                isCommand && noNewPrivileges && capabilitiesSet && descriptorsClosed && signalsReset && inDirectory
                    && umaskSet, "after it nothing but execve may be asked of the kernel")
        }
    }

    private mutating func follow(_ operation: LandlockOperation) {
        switch operation {
        case .enforceHeld:
            need(isCommand && !capabilitiesSet && !filtered, "the rules are the command's, before its rights go")
        case .createRuleset:
            need(!rulesetBegun && !capabilitiesSet, "one ruleset")
            need(rootSwitched || !hasOwnMounts, "paths are the jail's, and mounting ends here")
            rulesetBegun = true
        case .keepToTree:
            need(rootSwitched && isCommand, "the tree stands, and others go on outside of the rules")
            need(!rulesetBegun && !capabilitiesSet, "landlock_restrict_self(2) may want a capability")
            need(!filtered, "the filter may refuse landlock_restrict_self(2)")
        case .allowPath, .allowPort: need(rulesetBegun && !restricted, "a rule belongs to a ruleset not yet enforced")
        case .enforceRuleset:
            need(
                rulesetBegun && !restricted && !capabilitiesSet, "it needs a ruleset, and CAP_SYS_ADMIN or no_new_privs"
            )
            need(noNewPrivileges || isPrivileged || hasOwnUsers, "landlock_restrict_self(2) would be EPERM")
            restricted = true
        }
    }

    private mutating func follow(_ operation: NetworkOperation) {
        switch operation {
        case .provideNetwork:
            need(made?.contains(.net) ?? false && !rootSwitched, "there is no network of the jail's own")
            need(mapped || !hasOwnUsers, "a process outside enters the user namespace with an id")
            provided = true
        case .openPort: need(made == nil && !joinedNamespaces, "the port is one of the caller's network")
        case .publish:
            need(made?.contains(.net) ?? false && !commandStarted, "there is no network of the jail's own")
            need(mapped || !hasOwnUsers, "a process outside enters the user namespace with an id")
        case .awaitNetwork: need(provided && !capabilitiesSet, "nothing was provided")
        case .bringUpLoopback: need(made?.contains(.net) ?? false && !capabilitiesSet, "it needs CAP_NET_ADMIN")
        }
    }

    private mutating func follow(_ operation: ServiceOperation) {
        switch operation {
        case .connectManager:
            need(
                made == nil && !rootSwitched && !restricted,
                "the manager's socket has its name in the caller's namespaces")
        case .readCredentials:
            need(
                !rootSwitched && !rootBegun && !becameUser, "the credentials are files of the host and the caller's own"
            )
        }
    }

    private mutating func need(_ holds: Bool, _ why: String) {
        if !holds { violations.append("\(step): \(why)") }
    }

    private mutating func follow(_ filling: Filling) {
        switch filling {
        case .tree, .device, .overlay:
            need(!becameUser, "files of mode 0700 belong to the caller's own id")
            need(isPrivileged ? made == nil : isolated, "opened by whom the host's files are open to")
        case .image(let source):
            need(!becameUser, "files of mode 0700 belong to the caller's own id")
            need(
                source.reader == .kernel ? isPrivileged && made == nil : isolated && mapped,
                "only root outside has the kernel read it, and a server's is the user namespace's")
        case .fileSystem(let fileSystem):
            let isForeign =
                fileSystem.type == "sysfs" ? joinsNetwork : fileSystem.parameters.contains { $0.key == "hidepid" }
            need(isInside || (isPrivileged && isForeign), "the file system would be the host's")
        case .file, .passedFile, .noticeSocket, .credentials: need(isInside, "the file would be the host's")
        }
    }

    /// Something comes to stand on a target: not over what was put below it before.
    private mutating func place(_ target: String) {
        need(rootBegun && !sealed && !rootSwitched, "the tree is not open")
        need(!covered, "by a link it could lead over what has been covered")
        if let lost = targets.first(where: { $0.hasPrefix(target + "/") }) { need(false, "covers \(lost)") }
        targets.append(target)
    }

    private mutating func finish(_ plan: Plan) {
        if !executed { violations.append("no command is executed") }
        if let slot = filled.first(where: { !placed.contains($0) }) { violations.append("slot \(slot) goes nowhere") }
        let ofOutside = plan.steps.indices.filter { plan.steps[$0].actor == .outside }
        if plan.shape == .supervised, let creation = plan.creation,
            ofOutside != Array((creation + 1)..<(creation + 1 + ofOutside.count))
        {
            violations.append("whoever is outside does what follows the namespaces, and nothing later")
        }
        if filled.contains(where: { !(0..<plan.slotCount).contains($0) }) { violations.append("a slot out of bounds") }
    }
}
