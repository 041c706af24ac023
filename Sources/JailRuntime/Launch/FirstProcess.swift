import JailPlan
import Kernel

/// The jail's side of a supervised launch: the first process in the new namespaces and, after `startCommand`, the command.
struct FirstProcess {
    let plan: Plan
    var applier: Applier
    let signals: Int32
    /// Descriptors of the caller's that are the launcher's alone.
    let foreign: [Int32]

    /// Follows the rest of the plan from the step that has made this process; ends in exec, in the reaper, or in a reported
    /// failure.
    mutating func proceed(from creation: Int) -> Never {
        do throws(Failure) {
            try located(creation) { () throws(Failure) in try begin(creation) }
            guard let division = plan.division else {
                try applier.follow(plan, (creation + 1)..<plan.steps.count)
                throw Failure(.commandNotFound)
            }
            try applier.follow(plan, (creation + 1)..<division)
            applier.step = division
            try located(division) { () throws(Failure) in try startCommand(division) }
        } catch {
            fail(error)
        }
        exitNow(125)
    }

    private mutating func begin(_ creation: Int) throws(Failure) {
        applier.step = creation
        for number in foreign { closeDescriptor(number) }
        try applier.tieToLauncher()
        try applier.checkMembership(of: currentProcess())
        try applier.check(plan.steps[creation].operation, in: plan)
        if plan.makesNetworkBeside { try applier.beginNetwork() }
    }

    /// Tells the launcher, and ends this process: nothing of the command runs.
    private func fail(_ failure: Failure) -> Never {
        let failure = plan.blamingIdentity(for: failure)
        if let report = applier.report {
            report.failure = failure
            exitNow(125)
        }
        applier.report(.failed(failure))
        exitNow(125)
    }

    /// Forks: the caller stays as the reaper and never comes back; the child goes on as the command.
    private mutating func startCommand(_ division: Int) throws(Failure) {
        // From here on untrusted code runs with this process's ids: none of it may trace or read it, nor open its
        // /proc/PID/exe (runc CVE-2019-5736).
        try failing { () throws(KernelError) in try setDumpable(false) }
        try applier.checkUnreadable()
        try applier.tieToLauncher()
        let rooms = FullRooms(of: plan, applier.slots)
        try leaveOthersBehind(rooms)
        // Values of --set, paths of spec and result: proc_pid_cmdline(5) needs no right.
        hideStart()
        var command = self
        let report = CommandReport(listens: plan.listens)
        command.applier.report = report
        let child = try failing { [command, channel = applier.channel] () throws(KernelError) in
            guard let slot = report.listener else {
                return try forkInPlace { command.becomeCommand(from: division + 1) }
            }
            return try forkInPlace(sending: slot, over: channel, as: Message.listenerKind) {
                command.becomeCommand(from: division + 1)
            }
        }
        // The command's process has had its use of them.
        if applier.queues >= 0 { closeDescriptor(applier.queues) }
        applier.queues = -1
        // The command runs, or has left word why it does not.
        if let failure = report.failure { fail(failure) }
        if let stage = applier.stage, !stage.noteRunning() { exitNow(125) }
        if plan.announces { applier.report(.running) }
        if let errno = report.unheard { applier.report(.unheard(errno)) }
        let notices = plan.notices.map { _ in
            NoticeSource(socket: applier.service.notices, launcher: applier.service.launcher, command: child)
        }
        var reaper = Reaper(
            command: child, channel: applier.channel, signals: signals, terminal: applier.terminal,
            ownsProcesses: plan.supervision.ownsProcesses, notices: notices, rooms: rooms,
            tableSize: { [applier] in applier.descriptorTableSize }
        )
        do throws(Failure) {
            try applier.apply(EffectiveCapabilities())
        } catch {
            reaper.lose(error)
        }
        reaper.reap()
    }

    /// Closes all that the command does not get and neither process needs: from the moment in which the command runs,
    /// /proc/1/fd shows nothing of the host, and no file of the caller's that the command has not been given.
    private mutating func leaveOthersBehind(_ rooms: FullRooms) throws(Failure) {
        var kept = [0, 1, 2, applier.channel, signals, applier.terminal]
        kept += [applier.service.notices, applier.service.launcher, applier.queues]
        kept.append(applier.startChannel)
        if applier.startChannel >= 0, let proc = applier.hostProc { kept.append(proc.descriptor) }
        kept += rooms.descriptors
        for step in plan.steps { if case .process(.closeDescriptors(let given)) = step.operation { kept += given } }
        // Where the jail has no procfs that the command's process can be read in.
        if isVerified, !plan.hasOwnProc, let proc = applier.hostProc { kept.append(proc.descriptor) }
        try applier.closeOthers(keeping: kept)
    }

    /// The command's side of the fork.
    private func becomeCommand(from next: Int) -> Never {
        var process = self
        do throws(Failure) {
            try located(next - 1) { () throws(Failure) in
                if !plan.supervision.ownsProcesses { try process.applier.tieToLauncher() }
                try leadGroup()
            }
            try process.applier.follow(plan, next..<plan.steps.count)
            throw Failure(.commandNotFound)
        } catch {
            process.fail(error)
        }
    }

    /// The command leads a process group of its own in the jail's session: its parent is in the same session, so the group
    /// is not orphaned and Ctrl-Z stops it. In the background of the jail's terminal until it wants that: see `TerminalRelay`.
    private func leadGroup() throws(Failure) {
        guard plan.session != nil else { return }
        try failing { () throws(KernelError) in try setProcessGroup(of: 0, to: 0) }
    }
}

extension Plan {
    /// Files that cannot be made because the maker's id has no name in the jail (EOVERFLOW) tell that the ids were not
    /// changed: an id that is not mapped, and 65534 itself, look the same wherever they are read.
    fileprivate func blamingIdentity(for failure: Failure) -> Failure {
        guard case .kernel = failure.cause, failure.errno == .overflow, isVerified, maps != nil else { return failure }
        for (index, step) in steps.enumerated() {
            guard case .identity(.setIdentity(let user, let group)) = step.operation else { continue }
            let found = "ids that the jail's user namespace does not map"
            return Failure(.notInForce, text: "ids: promised uid \(user), gid \(group), the kernel says \(found)")
                .at(index)
        }
        return failure
    }
}
