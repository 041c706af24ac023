import JailPlan
import Kernel
import LinuxFacts

/// The command is kept to the files of its tree, but for those that it was given as they were given.
extension Applier {
    /// A queue is opened on a mount of the kernel's own, which no directory of the tree is above: a rule for its root is what
    /// allows it, and a mount of the same file system what leads to that.
    mutating func openQueues() throws(Failure) {
        let mount: Descriptor
        do throws(KernelError) {
            mount = try Kernel.makeFileSystem("mqueue", [], .closed | .noExecute)
        } catch {
            // A kernel without them.
            guard error.errno == .noDevice else { throw Failure(error) }
            return
        }
        Tree.leaveToHost(mount.number)
        queues = mount.release()
    }

    mutating func keepToTree(_ rules: TreeRules, of plan: Plan) throws(Failure) {
        try prepareMountRefusal()
        let made = try failing { () throws(KernelError) in
            try makeRuleset(files: rules.closed.rawValue, network: 0, scopes: 0)
        }
        let ruleset = made.number
        try allowBelow("/", rules.belowRoot, in: ruleset)
        // A missing optional source has left no mount.
        for place in rules.places where slots[place.slot] >= 0 {
            try allowBelow(place.target, rules.closed, in: ruleset)
        }
        if queues >= 0 {
            try failing { [queues] () throws(KernelError) in
                try Kernel.allow(rules.closed.rawValue, beneath: queues, in: ruleset)
            }
        }
        for number in [Int32(0), 1, 2] { try allowGiven(number, rules.closed, isPassedOn: false, in: ruleset) }
        for number in rules.passing { try allowGiven(number, rules.closed, isPassedOn: true, in: ruleset) }
        if isVerified {
            let places = ["/"] + rules.places.filter { slots[$0.slot] >= 0 }.map(\.target)
            witness.listable = places.filter(canList)
        }
        try holdForEntries(ruleset, of: plan)
        try failing { () throws(KernelError) in try enforce(ruleset) }
        closeDescriptor(made.release())
    }

    /// Has a set of rules allow what `keepToTree` allows of moving and linking.
    func leaveMoves(in ruleset: Int32, of plan: Plan) throws(Failure) {
        try allowBelow("/", .refer, in: ruleset)
        for step in plan.steps {
            guard case .landlock(.keepToTree(let rules)) = step.operation else { continue }
            for number in rules.passing { try allowGiven(number, .refer, isPassedOn: true, in: ruleset) }
        }
    }

    /// Whether that is a directory which this process may list.
    private func canList(_ path: String) -> Bool {
        do throws(KernelError) {
            _ = try open(path, .read | .directory)
            return true
        } catch {
            return false
        }
    }

    private func allowBelow(_ path: String, _ rights: FileAccess, in ruleset: Int32) throws(Failure) {
        do throws(KernelError) {
            let place = try open(path, .path)
            // Rights that only directories have are EINVAL on anything else.
            let isDirectory = try status(of: place.number).isDirectory
            try Kernel.allow((isDirectory ? rights : rights & .ofFiles).rawValue, beneath: place.number, in: ruleset)
        } catch {
            // What the command cannot reach by its path needs no rule; that it cannot is asked twice.
            let isDenied = error.errno == .accessDenied && (error.call == .openat || error.call == .open)
            guard isDenied, try !failing({ () throws(KernelError) in try canReach(path) }) else { throw Failure(error) }
        }
    }

    /// What is open for reading may be opened for reading again, and so on. A file that is open for appending may not be
    /// opened for writing: no right of Landlock is for appending only. Below a directory that the spec passes on all is
    /// allowed, for that is what passing it on is for; one that merely is standard input gives nothing.
    private func allowGiven(
        _ number: Int32, _ rights: FileAccess, isPassedOn: Bool, in ruleset: Int32
    ) throws(Failure) {
        guard let mode = AccessMode(of: number) else { return }
        var access: FileAccess = []
        if mode.reads { access = access | .readFile }
        if mode.writes && !mode.appends { access = access | .writeFile | .truncate }
        do throws(KernelError) {
            if try status(of: number).isDirectory {
                guard isPassedOn else { return }
                access = rights
            }
            access = access & rights
            if !access.isNone { try Kernel.allow(access.rawValue, beneath: number, in: ruleset) }
        } catch {
            // A pipe, a socket, a memfd: of a file system that nobody can name files in, and Landlock leaves alone.
            guard case .landlockAddRule = error.call, error.errno == .badDescriptorState else { throw Failure(error) }
        }
    }

    /// Before the rules hold: what mount(2) says to a request that is invalid.
    mutating func prepareMountRefusal() throws(Failure) {
        guard isVerified else { return }
        // A filter around the launcher, or another security module, may refuse as Landlock would.
        if refusalOfMount() != .invalid { try prepareForbidden() }
    }

    /// To whom Landlock restricts files it forbids mount(2) before that looks at what is asked.
    mutating func checkKeptToTree() throws(Failure) {
        let isKept: Bool
        if witness.forbidden >= 0 {
            isKept = isForbidden(".", at: witness.forbidden, .read | .directory)
            closeDescriptor(witness.forbidden)
            witness.forbidden = -1
        } else {
            isKept = refusalOfMount() == .notPermitted
        }
        try hold(isKept, "files outside of the tree", "closed by Landlock", isKept ? "closed" : "open")
        // A rule that was said to be there, and is not, closes what the jail is to see.
        for path in witness.listable {
            let isOpen = canList(path)
            try hold(isOpen, "files of \(path)", "open", isOpen ? "open" : "closed by Landlock")
        }
    }
}
