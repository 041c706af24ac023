import JailSpec
import SpecFile

extension Planner {
    /// Direct where nothing is left to do outside once the command runs.
    mutating func decideShape(session: SessionTerminal?, mustStay: Bool) {
        plan.supervision.timeout = spec.timeout?.value
        plan.supervision.timeoutOrigin = spec.timeout?.position
        plan.supervision.grace = spec.grace.value
        plan.supervision.graceOrigin = spec.grace.position
        plan.supervision.diesWithParent = spec.process.dieWithParent.value
        plan.supervision.mustDieWithParent =
            spec.process.dieWithParent.position != nil && spec.process.dieWithParent.value
        let sharesProcesses = spec.namespaces[.pid].value.isHost
        plan.supervision.ownsProcesses = spec.namespaces[.pid].value.isNew
        // Without a pid namespace there is no pid 1 to be; the launcher itself reaps.
        plan.supervision.hasInit = spec.process.initProcess.value && !sharesProcesses
        plan.supervision.terminal = terminalUse()
        // Patterns, not ==, here and below: equality of an enumeration of another module is looked up at run time.
        if case .none = spec.process.tty.value {} else { plan.terminalOfEntries = hasOwnTerminals ? .jail : .host }
        plan.supervision.stopSignal = stopSignal
        plan.supervision.boots = spec.process.boot.value
        plan.supervision.diesBySignal = spec.service.dieBySignal.value
        var asksOtherwise = plan.supervision.stopSignal != ProcessAttributes.usualStopSignal
        if case .exec = spec.service.notify.value { asksOtherwise = true }
        let hasTerminal = plan.supervision.terminal != nil
        let needsLauncher =
            spec.timeout != nil || mustStay || hasTerminal || asksOtherwise || spec.namespaces[.time].value.isNew
            || spec.network.isServed
        // setsid(2) refuses the leader of a process group: a shell's job needs a process more.
        let canStartSession = session == nil || host.canStartSession
        plan.shape = sharesProcesses && !needsLauncher && canStartSession ? .direct : .supervised
    }

    mutating func joinNamespaces() {
        var joined: [JoinedNamespace] = []
        for kind in NamespaceKind.allCases {
            guard case .path(let path) = spec.namespaces[kind].value else { continue }
            joined.append(JoinedNamespace(kind: kind, path: path))
        }
        guard !joined.isEmpty else { return }
        // setns(2): the mount namespace comes last, for it changes the caller's root. An ordinary user gains the
        // capabilities for the others in the user namespace, root would lose them there.
        let isPrivileged = host.isPrivileged
        func rank(_ kind: NamespaceKind) -> Int {
            switch kind {
            case .user: isPrivileged ? 2 : 0
            case .mount: isPrivileged ? 1 : 2
            default: isPrivileged ? 0 : 1
            }
        }
        joined.sort { rank($0.kind) < rank($1.kind) }
        add(.process(.joinNamespaces(joined)), spec.namespaces[joined[0].kind].position)
    }

    mutating func createNamespaces() {
        let kinds = NamespaceKind.allCases.filter { kind in
            if case .time = kind { false } else { isNew(kind) }
        }
        // A time namespace is entered by the next fork only (time_namespaces(7)): `offsetClocks` makes it.
        let written = spec.namespaces.written
        // A refusal is most often one of the right to do without a user namespace: that line comes first.
        let origin = written[.user]?.position ?? kinds.lazy.compactMap { written[$0]?.position }.first
        if plan.shape == .supervised || !kinds.isEmpty { add(.process(.createNamespaces(kinds)), origin) }
    }

    mutating func mapIdentities(_ identity: ResolvedIdentity) {
        if let maps = identity.maps { add(.identity(.mapIdentities(maps)), identity.mapOrigin) }
    }

    /// Whether the launcher itself can make the time namespace, for the jail's first process to be born into.
    var offsetsOutside: Bool { host.isPrivileged && !isNew(.user) }

    mutating func offsetClocks() {
        guard isNew(.time) else { return }
        if !plan.supervision.hasInit && !offsetsOutside {
            // time_namespaces(7): who makes the namespace is not in it, only its children are.
            fault(
                "a time offset needs process.init = true and a pid namespace", at: spec.namespaces[.time].position,
                hint: "the command must be the child of the process that makes the time namespace")
        }
        let (monotonic, boottime) = (spec.namespaces.monotonic, spec.namespaces.boottime)
        add(
            .process(
                .offsetClocks(
                    monotonic: ClockOffset(monotonic?.value ?? .zero), boottime: ClockOffset(boottime?.value ?? .zero))),
            spec.namespaces[.time].position)
    }

    /// What needs a capability over the host, and so must happen before a user namespace takes that away.
    mutating func adjustAsRoot() {
        guard host.isPrivileged else { return }
        if let score = spec.process.oomScoreAdjust { add(.process(.setOOMScore(score.value)), score.position) }
        if let nice = spec.process.nice { add(.process(.setNice(nice.value)), nice.position) }
        for limit in spec.rlimits { add(.limits(.raiseHardLimit(limit.resource, to: limit.hard)), limit.position) }
    }

    mutating func adjustOOMScore() {
        guard !host.isPrivileged else { return }
        if let score = spec.process.oomScoreAdjust { add(.process(.setOOMScore(score.value)), score.position) }
    }

    /// Where the command can make namespaces, it may be in others than the jail's by the time that somebody wants to enter.
    mutating func holdNamespaces() {
        guard case .supervised = plan.shape, spec.namespaces.nested.value else { return }
        let kinds = plan.entered
        if !kinds.isEmpty { add(.process(.holdNamespaces(kinds)), spec.namespaces.nested.position) }
    }

    /// The sysctl is the user namespace's own: it must be one that nobody else uses.
    mutating func forbidUserNamespaces() {
        guard !spec.namespaces.nested.value, isNew(.user) else { return }
        add(.identity(.forbidUserNamespaces), spec.namespaces.nested.position)
    }
}
