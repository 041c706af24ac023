import JailSpec
import LinuxFacts
import SpecFile
import SystemCallFilter

extension Planner {
    /// The terminal of the jail's session; nil keeps the caller's session.
    func sessionTerminal() -> SessionTerminal? {
        switch spec.process.tty.value {
        case .inherit: return nil
        case .none: return SessionTerminal.none
        case .auto:
            guard terminalUse() != nil else { return SessionTerminal.none }
            return hasOwnTerminals ? .jail : .host
        }
    }

    /// Whether the jail has ptys of immure's making: not in a /dev that the spec mounts itself.
    var hasOwnTerminals: Bool {
        let isReplaced = spec.filesystem.mounts.contains {
            $0.target == "/dev" || ($0.target == "/dev/pts" && $0.source != .devpts)
        }
        guard case .minimal = spec.filesystem.devices.value else { return false }
        return isNew(.mount) && !isReplaced
    }

    /// What is carried between the caller's terminal and the jail; nil where immure was given none, or passes it on.
    func terminalUse() -> TerminalUse? {
        let (input, output) = (host.standardInputIsTerminal, host.standardOutputIsTerminal)
        guard input || output || host.standardErrorIsTerminal else {
            // An init writes to a console, which is a terminal or nothing to it.
            return spec.process.boot.value && spec.process.tty.value == .auto && hasOwnTerminals ? .log : nil
        }
        switch spec.process.tty.value {
        case .inherit: return nil
        case .none: return .output
        case .auto: return input && output ? .whole : input ? .lines : hearsDemands ? .keys : .output
        }
    }

    /// Whether the command can begin in the background of a terminal, with a parent that hears what stops it.
    private var hearsDemands: Bool { plan.supervision.hasInit && !spec.process.boot.value }

    mutating func changeIdentity(_ identity: ResolvedIdentity) {
        // setgroups(2) needs CAP_SETGID and a written gid_map; after the ids it would still work, but a failure between
        // the two must not leave the new user with the old groups.
        if let groups = identity.supplementary {
            add(.identity(.setGroups(groups)), spec.identity.groups?.position)
        }
        guard identity.mustChange else { return }
        add(
            .identity(.setIdentity(user: identity.user, group: identity.group)),
            spec.identity.user?.position ?? spec.identity.group?.position)
    }

    mutating func setUpSystem() {
        if let name = spec.hostname {
            if isNew(.uts) {
                add(.process(.setHostName(name.value)), name.position)
            } else {
                fault(
                    "hostname needs a uts namespace of the jail's own", at: name.position,
                    hint: "remove it, or \(Remedy.own(.uts))")
            }
        }
    }

    mutating func setUpProcess(session: SessionTerminal?) {
        if let nice = spec.process.nice, !host.isPrivileged { add(.process(.setNice(nice.value)), nice.position) }
        if let cpus = spec.process.cpus {
            checkProcessors(cpus)
            add(.process(.setAffinity(cpus.value)), cpus.position)
        }
        if case .new = spec.process.keyring.value { add(.process(.newKeyring), spec.process.keyring.position) }
        for path in spec.process.locks.value { add(.process(.lockFile(path)), spec.process.locks.position) }
        add(.process(.setInheritedAttributes(.usual)), nil)
        // In direct mode too: without a controlling terminal TIOCSTI has nowhere to type.
        if let session { add(.process(.startSession(session)), spec.process.tty.position) }
    }

    /// A process is held to the processors of its control group, cpuset(7).
    private mutating func checkProcessors(_ wanted: Located<[Int]>) {
        guard let group = spec.limits?.value.cpus,
            let stray = wanted.value.first(where: { !group.value.contains($0) })
        else { return }
        fault(
            "process.cpus: \(stray) is not in limits.cpus\(group.position.map { " at \($0)" } ?? "")",
            at: wanted.position,
            hint: "add it to limits.cpus, or leave it out of process.cpus")
    }

    mutating func restrict(_ capabilities: ResolvedCapabilities) {
        if capabilities.canDropBounding {
            // While CAP_SETPCAP is still effective.
            add(
                .identity(.dropBounding(keeping: capabilities.bounding)),
                (spec.capabilities.bounding ?? spec.capabilities.keep)?.position)
            let holdsNone = capabilities.bounding.isNone && capabilities.sets.permitted.isNone
            add(.identity(.setSecureBits(holdsNone ? .pureCapabilities : .none)), nil)
        }
        if spec.process.noNewPrivileges.value {
            add(.identity(.forbidNewPrivileges), spec.process.noNewPrivileges.position)
        }
        // Whoever keeps these two makes namespaces without a user namespace, or writes the sysctl back.
        let held = capabilities.bounding | capabilities.sets.permitted
        let undoes = held.contains(.sys_admin) || held.contains(.sys_resource)
        if !spec.namespaces.nested.value && (!isNew(.user) || undoes) {
            // seccomp(2) wants no_new_privs or CAP_SYS_ADMIN: after the one, before the other is dropped.
            if spec.process.noNewPrivileges.value || host.isPrivileged {
                let others = spec.seccomp?.value.abis?.value ?? []
                add(
                    .filter(.refuseNamespaces(others: others.compactMap { OtherABI($0) })),
                    spec.namespaces.nested.position)
            } else {
                fault(
                    "nested namespaces cannot be refused without no_new_privs",
                    at: spec.process.noNewPrivileges.position,
                    hint: "set process.no_new_privs = true, or namespaces.nested = true")
            }
        }
    }

    /// What concerns only the command: not the reaper, which must live through it.
    mutating func prepareCommand(
        _ identity: ResolvedIdentity, _ capabilities: ResolvedCapabilities, _ filter: FilterProgram?
    ) {
        // Before the capabilities go: without a user namespace a hard limit can still be raised here.
        for limit in spec.rlimits {
            add(.limits(.setResourceLimit(limit.resource, soft: limit.soft, hard: limit.hard)), limit.position)
        }
        // Never the caller's: the same spec gives the same jail.
        add(.process(.setUmask(spec.identity.umask?.value ?? 0o022)), spec.identity.umask?.position)
        // After the tree: Landlock forbids mount(2) and pivot_root(2) to whom it restricts. Before the capabilities go:
        // without no_new_privs it asks for CAP_SYS_ADMIN.
        keepToTree()
        restrictByLandlock()
        // Without no_new_privs seccomp(2) wants CAP_SYS_ADMIN, which is about to go.
        if !spec.process.noNewPrivileges.value { install(filter) }
        let written = spec.capabilities
        let sets = written.keep ?? written.permitted ?? written.effective ?? written.inheritable ?? written.ambient
        add(.identity(.setCapabilities(capabilities.sets)), sets?.position)
        if !plan.supervision.hasInit && (plan.shape == .supervised || plan.supervision.diesWithParent) {
            // commit_creds() takes the request back when ids change: after them.
            add(.process(.dieWithParent), spec.process.dieWithParent.position)
        }
        let kept = passedDescriptors
        add(.process(.closeDescriptors(keeping: kept.value)), kept.position)
        add(.process(.resetSignals), nil)
        // After the descriptors are marked, and in the new root: the working directory is the last way out.
        add(.process(.changeDirectory(spec.cwd.value)), spec.cwd.position)
        guard let command = spec.command, command.value.first?.isEmpty == false else {
            let isNamed = spec.command?.value.isEmpty == false
            fault(
                isNamed ? "the command has no name: its first word is empty" : "no command", at: nil,
                hint: "write it after --, or as command = [\"…\"] in the spec")
            return
        }
        if !service.ownProcess.isEmpty {
            add(
                .process(.nameProcess(service.ownProcess)),
                spec.service.sockets.position ?? spec.service.notify.position)
        }
        // Last of all: whatever comes after it must pass it, and of that only execve may be asked of a policy.
        if spec.process.noNewPrivileges.value { install(filter) }
        installPrograms(filter)
        add(
            .process(
                .execute(
                    arguments: command.value, name: spec.process.argv0?.value, environment: environment(identity))),
            command.position)
    }
}

extension Planner {
    /// What the command gets besides 0 to 2, sorted.
    var passedDescriptors: Located<[Int32]> {
        // One after the other: the runtime takes 40,000 instructions to make the type of a list of both.
        var kept = spec.process.fds
        func add(_ numbers: [Int32], _ position: Position?) {
            if numbers.isEmpty { return }
            let others = numbers.filter { !kept.value.contains($0) }
            kept = Located((kept.value + others).sorted(), at: kept.position ?? position)
        }
        add(service.descriptors, spec.service.sockets.position)
        add(jobserver?.access.descriptors ?? [], spec.process.jobserver.position)
        return kept
    }

    /// As root: /dev/stderr of a command that is somebody else is its caller's pipe, which pipe(7) lets nobody else open.
    mutating func openPipes(_ identity: ResolvedIdentity) {
        guard host.isPrivileged, let group = outsideGroup(identity) else { return }
        add(.process(.openPipes([0, 1, 2] + passedDescriptors.value, group: group)), nil)
    }

    /// The command's group as the host knows it; nil where that is not for this plan to say.
    private func outsideGroup(_ identity: ResolvedIdentity) -> UInt32? {
        guard let maps = identity.maps else { return spec.namespaces[.user].value.isHost ? identity.group : nil }
        for range in maps.groups where identity.group >= range.inside && identity.group - range.inside < range.count {
            return range.outside + (identity.group - range.inside)
        }
        return nil
    }
}
