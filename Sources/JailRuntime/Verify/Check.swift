import JailPlan
import JailSpec
import Kernel

/// The plan's second interpretation: what each operation comes to, read back from the kernel by another call than the one
/// that did it. A call that answers "done" may have done nothing: an emulated kernel, a filter that fakes success, a tracer.
extension Applier {
    /// Each at the first moment from which nothing can change it any more: most of them at once; the tree of mounts when
    /// it is complete (`checkTree`), what `/proc/PID/status` says when the command is about to be executed (`checkProcess`).
    mutating func check(_ operation: Operation, in plan: Plan) throws(Failure) {
        guard isVerified else { return }
        switch operation {
        // What these make, `setLimit` opens and reads again as it writes; the jail's first process looks for itself in it.
        case .requestScope, .enableControllers, .createCgroup, .setLimit: break
        case .enterCgroup: try checkMembership(of: currentProcess())
        // A descriptor, which is there or is not.
        case .connectManager, .readCredentials: break
        case .joinNamespaces(let joined): try checkJoined(joined)
        // Where they are made: `checkNamespaces`. The maps are compared by whoever writes them.
        case .createNamespaces: break
        case .mapIdentities(let maps): try showMaps(maps)
        case .offsetClocks: try checkClocks()
        case .setOOMScore(let score): try show("self/oom_score_adj", "\(score)")
        // What is asked for is set later, and shows both limits.
        case .raiseHardLimit: break
        case .forbidUserNamespaces: try show("sys/user/max_user_namespaces", "0")
        case .isolateMounts: try checkIsolation(plan)

        // At once: mount points are about to be made, and none in a tree of the host's. The tree shows what is below, too.
        case .openTree(let slot, let source): try checkSource(slot, source)
        // Each of these is a mount that the tree shows; the numbers of a device were proven where it was opened.
        case .openDevice, .makeNoticeSocket, .hide, .mask, .protect, .seal: break
        case .makeFileSystem(let slot, let fileSystem): try checkParameters(slot, fileSystem)
        case .makeFile(let slot, let content, let mode): try checkFile(slot, content.utf8.count, mode)
        case .makeCredentials: break  // what was not written is refused where it is read; nobody else reads it

        // A map has no other name for an id that it lacks than 65534: `Plan.blamingIdentity` is for those.
        case .setIdentity, .setGroups: break
        // What is not attached is not in the tree; what was not made stops the walk that goes through it.
        case .beginRoot, .attach, .makeDirectory, .makeSymlink: break
        case .switchRoot: try checkTree(plan)

        case .setHostName(let name):
            let found = hostName()
            try hold(found == name, "hostname", name, found)
        case .bringUpLoopback: try checkInterfaces()
        case .setNice(let nice):
            let found = niceness()
            try hold(found == nice, "nice", "\(nice)", "\(found)")
        case .setAffinity(let cpus): try checkAffinity(cpus)
        case .newKeyring: try checkKeyring()
        case .resetInheritedAttributes: try checkInheritedAttributes()
        case .startSession(let kind): try checkSession(kind)
        case .dropBounding, .forbidNewPrivileges: break
        case .refuseNamespaces:
            try hold(isJoiningRefused(), "filter of namespaces", "setns: EPERM", "setns: as without it")
        case .setSecureBits(let pure):
            let found = try failing(secureBits)
            let wanted: UInt32 = pure ? 0x2f : 0
            try hold(found.rawValue == wanted, "securebits", hexadecimal(wanted), hexadecimal(found.rawValue))

        case .startCommand: break
        case .setResourceLimit(let resource, let soft, let hard): try checkLimit(resource, soft, hard)
        case .setUmask, .setCapabilities, .resetSignals: break
        // A rule only ever allows: without it less is allowed than was asked for.
        case .createRuleset, .allowPath, .allowPort: break
        case .enforceRuleset: try checkLandlock(plan)
        case .dieWithParent: try checkDeathSignal()
        case .closeDescriptors(let kept): try checkDescriptors(kept, plan)
        case .changeDirectory, .nameProcess, .installFilter, .execute: break
        }
    }

    /// The killing signal that ties a process to the one that made it.
    mutating func checkDeathSignal() throws(Failure) {
        guard isVerified else { return }
        let signal = try failing(parentDeathSignal)
        try hold(signal == Signal.kill, "death signal", "9", "\(signal)")
    }

    /// The launcher and the reaper hear of every end by a signal, and would wait for ever for one that is not caught.
    mutating func checkSignals(_ plan: Plan) throws(Failure) {
        guard isVerified else { return }
        let areCaught = try failing(areSignalsCaught)
        try hold(
            areCaught, at: plan.creation, "signals of the launcher", "blocked", areCaught ? "blocked" : "not blocked")
    }

    /// Pid 1, as it starts the command.
    mutating func checkUnreadable() throws(Failure) {
        guard isVerified else { return }
        let found = try failing(isDumpable)
        try hold(!found, "pid 1 dumpable", "0", found ? "1" : "0")
    }

    /// Whether a group of the launcher's holds that process.
    mutating func checkMembership(of process: Int32) throws(Failure) {
        guard isVerified, let leaf else { return }
        let text = try failing { () throws(KernelError) in try readBytes("cgroup.procs", at: leaf.birthplace) }
        let found = lines(text)
        try hold(
            found.contains("\(process)"), "cgroup \(leaf.name)", "process \(process)", found.joined(separator: " "))
    }
}

func hexadecimal(_ number: UInt32) -> String { "0x" + String(number, radix: 16) }
