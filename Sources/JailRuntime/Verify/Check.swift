import JailPlan
import JailSpec
import Kernel
import LinuxFacts

/// The plan's second interpretation: what each operation comes to, read back from the kernel by another call than the one
/// that did it. A call that answers "done" may have done nothing: an emulated kernel, a filter that fakes success, a tracer.
extension Applier {
    /// Each at the first moment from which nothing can change it any more: most of them at once; the tree of mounts when
    /// it is complete (`checkTree`), what `/proc/PID/status` says when the command is about to be executed (`checkProcess`).
    mutating func check(_ operation: Operation, in plan: Plan) throws(Failure) {
        guard isVerified else { return }
        switch operation {
        case .enterCgroup: try checkMembership(of: currentProcess())
        case .joinNamespaces(let joined): try checkJoined(joined)
        case .joinJail(let kinds): try checkEntered(kinds)
        case .createNamespaces: try checkNamespaces(plan)
        // Compared as they are written, by whoever writes them.
        case .mapIdentities(let maps): try showMaps(maps)
        case .offsetClocks: try checkClocks()
        case .setOOMScore(let score): try show("self/oom_score_adj", "\(score)")
        case .forbidUserNamespaces: try show("sys/user/max_user_namespaces", "0")
        case .isolateMounts: try checkIsolation(plan)
        case .fill(let slot, let filling, let promise): try check(slot, filling, promise)
        case .switchRoot:
            try checkTree(plan)
            try reportCovers(plan)

        case .giveGroup(let user, let group): try checkOwners(user, group)
        case .setHostName(let name):
            let found = hostName()
            try hold(found == name, "hostname", name, found)
        case .openPort(let publication): try checkPort(publication)
        case .awaitNetwork(let provision): try checkNetwork(provision)
        case .bringUpLoopback: try checkInterfaces()
        case .setNice(let nice):
            let found = niceness()
            try hold(found == nice, "nice", "\(nice)", "\(found)")
        case .setAffinity(let cpus): try checkAffinity(cpus)
        case .newKeyring: try checkKeyring()
        case .setInheritedAttributes(let wanted): try checkInheritedAttributes(wanted)
        case .startSession(let kind): try checkSession(kind)
        case .refuseNamespaces:
            try hold(isJoiningRefused(), "filter of namespaces", "setns: EPERM", "setns: as without it")
        case .setSecureBits(let bits):
            let found = try failing(secureBits)
            try hold(found == bits, "securebits", hexadecimal(bits.rawValue), hexadecimal(found.rawValue))

        case .setResourceLimit(let resource, let soft, let hard): try checkLimit(resource, soft, hard)
        case .keepToTree: try checkKeptToTree()
        case .enforceRuleset: try checkLandlock(plan)
        case .enforceHeld(_, let closesFiles): if closesFiles { try checkKeptToTree() }
        case .dieWithParent: try checkDeathSignal()
        case .closeDescriptors(let kept): try checkDescriptors(kept, plan)

        // As they are done: the answer of the kernel is what the step goes by.
        case .setLimit, .makeDirectory, .makeSource, .changeDirectory, .lockFile: break
        // With the tree: `checkTree`.
        case .attach, .makeSymlink, .hide, .mask, .protect, .pin, .protectFile, .seal: break
        // With the process that is about to be the command: `checkStatus`.
        case .setIdentity, .setGroups, .dropBounding, .forbidNewPrivileges, .setUmask, .setCapabilities: break
        case .resetSignals, .installFilter: break
        // By what follows, or never: `Operation.verification` says why.
        case .requestScope, .enableControllers, .createCgroup, .openImage, .openOverlay, .connectManager: break
        case .readCredentials, .beginRoot: break
        case .raiseHardLimit, .provideNetwork, .publish, .openPipes, .installPrograms, .startCommand, .createRuleset:
            break
        case .allowPath, .allowPort, .openQueues, .holdNamespaces, .nameProcess, .execute: break
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

    /// Whose the group inside is, to this process.
    private mutating func checkOwners(_ user: UInt32, _ group: UInt32) throws(Failure) {
        guard let leaf else { return }
        for file in Leaf.delegated {
            let found = try failing { () throws(KernelError) in
                let opened = try open(file, at: leaf.birthplace, .path)
                return try status(of: opened.number)
            }
            try hold(
                found.owner == user && found.group == group, "owner of \(Leaf.innerName)/\(file)", "\(user):\(group)",
                "\(found.owner):\(found.group)")
        }
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
