package import JailSpec
package import SpecFile

/// Turns what is wanted into what will be done on this host: pure, and the only place where the order is decided.
///
/// `make` reads as the order itself. Each step that must stand where it stands says which fact of the kernel forces it;
/// `OrderTests` holds a row for each.
package struct Planner {
    let premises: Premises
    var plan = Plan()
    var faults: [Diagnostic] = []
    var service = ResolvedService()
    /// What the names of users and groups came to.
    var names: [NamedID] = []
    /// The jobserver that is passed on.
    var jobserver: Jobserver?
    var network: ResolvedNetwork?
    /// Where the command is at home.
    var home = HomeDirectory(path: "/", isPrivate: false)

    /// The plan, or every reason why there can be none. `stays`: the launcher has something else to do while the jail lives.
    package static func plan(
        _ spec: Spec, on host: Host, reportsResult: Bool = false, reportsChanges: Bool = false, stays: Bool = false
    ) -> Result<Plan, Faults> {
        let planner = made(
            spec, on: host, reportsResult: reportsResult, reportsChanges: reportsChanges, stays: stays)
        return planner.faults.isEmpty ? .success(planner.plan) : .failure(Faults(diagnostics: planner.faults))
    }

    /// Every reason against a plan, with what of one can be made all the same: whoever does it would not have what was meant.
    package static func attempt(_ spec: Spec, on host: Host) -> (plan: Plan, faults: [Diagnostic]) {
        let planner = made(spec, on: host)
        return (planner.plan, planner.faults)
    }

    private static func made(
        _ spec: Spec, on host: Host, reportsResult: Bool = false, reportsChanges: Bool = false, stays: Bool = false
    ) -> Planner {
        let forgone = spec.process.boot.value ? Premises.forgoingGroup(spec, on: host) : nil
        let (premises, faults) = forgone.map { ($0.premises, $0.faults) } ?? Premises.expanding(spec, on: host)
        var planner = Planner(premises: premises)
        planner.faults = faults
        if let note = forgone?.note { planner.plan.notes.append(note) }
        planner.plan.showsChanges = (reportsResult || reportsChanges) && spec.filesystem.hasOverlay
        planner.make(mustStay: stays || reportsResult || reportsChanges || spec.filesystem.keepsChanges)
        if reportsChanges { planner.refuseListing() }
        return planner
    }

    var spec: Spec { premises.spec }
    var host: Host { premises.host }

    /// Every reason why a spec cannot be launched here.
    package struct Faults: Error, Equatable {
        package let diagnostics: [Diagnostic]
    }

    /// `mustStay`: the launcher has something to do when the jail has ended, or to hold until then.
    private mutating func make(mustStay: Bool) {
        let session = sessionTerminal()
        let limits = resolveLimits()
        // Whoever makes a cgroup that nobody else clears away stays to do so.
        decideShape(
            session: session,
            mustStay: mustStay || !spec.process.locks.value.isEmpty || limits?.isCleared == false || mustWatchCovers
                || servesFiles || holdsStorageLimits)
        // First of all: the manager's socket has its name in the caller's namespaces.
        resolveService()
        resolveJobserver()
        let identity = resolveIdentity()
        home = premises.home(of: identity.account)
        checkJobserver(identity)
        let capabilities = resolveCapabilities(identity)
        checkRights(capabilities)
        let filter = resolveFilter(capabilities, identity)
        resolveNetwork(capabilities)
        let showsLimits = limits != nil && isNew(.cgroup) && delegation(identity, capabilities) == .none
        let tree = planTree(identity, showsLimits: showsLimits)

        // By whom the directory around them is open to, whom they will belong to being known.
        makeSources(identity)
        openServedFiles(tree.sources)
        // As root, sources are opened by the launcher, before it joins anything: inside a user namespace there is no
        // capability over the host's files, and a directory of mode 0700 would stop the jail's first process.
        if host.isPrivileged { plan.append(contentsOf: tree.sources) }
        // While the host's cgroupfs is in sight; and whole before the first process of the jail is born into it.
        prepareLimits(limits, identity, capabilities)
        // While it may still change what the caller's files belong to.
        openPipes(identity)
        openPorts()
        joinNamespaces()
        // A file system of a namespace that is not the jail's own: only root outside may mount it.
        plan.append(contentsOf: tree.foreignFileSystems)
        // Lowering nice and the OOM score and raising a hard limit ask for the capability in the initial user namespace.
        adjustAsRoot()
        if offsetsOutside { offsetClocks() }
        createNamespaces()
        enterNamespaces(tree, identity)
        setUpSystem()
        setUpNetwork()
        holdNamespaces()
        setUpProcess(session: session)
        restrict(capabilities)
        if plan.supervision.hasInit { add(.process(.startCommand), spec.process.initProcess.position) }
        plan.preparation = plan.steps.count
        prepareCommand(identity, capabilities, filter)
    }

    /// The tree that the jail sees, and what the plan says of it as a whole.
    private mutating func planTree(_ identity: ResolvedIdentity, showsLimits: Bool) -> TreeBuilder {
        var tree = TreeBuilder(planner: self, identity: identity)
        tree.showsLimits = showsLimits
        tree.build()
        plan.hasOwnProc = tree.hasOwnProc
        plan.writableSources = spec.filesystem.writableSources
        plan.guarded = tree.guarded
        plan.optionalHides = spec.filesystem.mounts.filter { $0.isHidden && $0.optional }.map(\.target)
        for file in tree.guardedFiles {
            note("\(file.path) is read-only at \(file.target): the next launch goes by it", at: file.origin)
        }
        faults += tree.faults
        noteTree()
        if tree.needsMounts, home.isPrivate { plan.home = home.path }
        plan.slotCount = tree.slotCount
        plan.checksPlaces = tree.needsMounts && tree.mayLeadAstray
        return tree
    }

    /// From the moment in which the namespaces are there until the jail's tree is its root, in the order that the kernel forces.
    private mutating func enterNamespaces(_ tree: TreeBuilder, _ identity: ResolvedIdentity) {
        mapIdentities(identity)
        provideNetwork()
        publishPorts()
        // proc(5): these files belong to the real root once the ids change (the process is no longer dumpable).
        if !offsetsOutside { offsetClocks() }
        adjustOOMScore()
        forbidUserNamespaces()
        // Before any source is cloned or attached: a clone keeps the propagation of its source, and an attached mount
        // would show on the host.
        if tree.needsMounts { add(.tree(.isolateMounts), nil) }
        // Before the ids change: an ordinary user's files are reachable only by the caller's own id, which a map by
        // /etc/subuid does not contain.
        if !host.isPrivileged { plan.append(contentsOf: tree.sources) }
        // Before anything is made in the jail's own file systems: creating a file with an id that the user namespace
        // does not map fails with EOVERFLOW. The capabilities stay (SECBIT_NO_SETUID_FIXUP).
        changeIdentity(identity)
        // As root of the jail, which has a name for the caller's id and for its own.
        giveGroup(identity)
        // proc and sysfs are mounted while the host's instances are still in sight: the kernel lets a user namespace
        // mount them only next to a fully visible one (fs/namespace.c, mount_too_revealing).
        plan.append(contentsOf: tree.fileSystems)
        plan.append(contentsOf: tree.construction)
        if tree.needsMounts {
            // Mount points are made until here.
            add(.tree(.seal(slots: tree.sealed)), nil)
            // On a directory of the host's tree, and gone with it: to unmount it by itself would take the launch longer than all
            // else that concerns Landlock.
            if rightsOfTree != nil && isNew(.ipc) { add(.tree(.openQueues), nil) }
            add(.tree(.switchRoot), spec.filesystem.root.position)
        }
    }

    /// Whether covers must be seen to stay where they are.
    private var mustWatchCovers: Bool {
        isNew(.mount) && (spec.filesystem.hasCoversToWatch || !host.exposed.isEmpty)
    }

    mutating func add(_ operation: Operation, _ origin: Position?) {
        plan.append(operation, origin)
    }

    mutating func fault(_ message: String, at position: Position?, hint: String? = nil) {
        faults.append(Diagnostic(message, at: position, hint: hint))
    }

    /// As `note`, said at every launch as well: the jail is not one that holds what is in it.
    mutating func warn(_ message: String, at position: Position?, hint: String? = nil) {
        plan.notes.append(Plan.Note(message: message, origin: position, isWarning: true, hint: hint))
    }

    mutating func note(_ message: String, at position: Position?) {
        plan.notes.append(Plan.Note(message: message, origin: position))
    }

    /// Whether a namespace of that kind is made for the jail.
    func isNew(_ kind: NamespaceKind) -> Bool {
        // Patterns, not ==: equality of an enumeration of another module is looked up at run time.
        if case .net = kind, spec.namespaces.written[.net] == nil, case .host? = spec.network.mode?.value {
            return false
        }
        return spec.namespaces[kind].value.isNew
    }
}
