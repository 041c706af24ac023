import JailPlan
import JailSpec
import Kernel
import LinuxFacts

/// What concerns the process itself: its namespaces, clocks, ids, capabilities and descriptors.
extension Applier {
    /// Of this process itself, which in a direct launch becomes the command.
    mutating func createNamespaces(_ kinds: [NamespaceKind], _ plan: Plan) throws(Failure) {
        outside = try .start(for: plan, self)
        try rememberNamespaces(plan)
        try failing { () throws(KernelError) in try unshare(NamespaceFlags(kinds)) }
    }

    /// Of a new process, the jail's first.
    mutating func part(_ plan: Plan) throws(Failure) -> ForkSide {
        try rememberNamespaces(plan)
        let cgroup = leaf?.birthplace ?? entry?.group ?? -1
        do throws(KernelError) {
            return try Kernel.fork(into: NamespaceFlags(plan.kindsMadeAtOnce), cgroup: cgroup)
        } catch {
            // Nobody is born in a pid namespace whose first process ends: pid_namespaces(7).
            guard error.errno == .noMemory, let entry, entry.isOver else { throw Failure(error) }
            throw Failure(telling: Entry.over, hint: nil)
        }
    }

    /// The offsets can be written only while nobody is in the namespace: this process makes it, the next fork enters it.
    func offsetClocks(_ monotonic: ClockOffset, _ boottime: ClockOffset) throws(Failure) {
        try failing { () throws(KernelError) in try unshare(.time) }
        let text =
            "monotonic \(monotonic.seconds) \(monotonic.nanoseconds)\nboottime \(boottime.seconds) \(boottime.nanoseconds)\n"
        try proc().write(text, to: "self/timens_offsets")
    }

    /// Changes the ids and keeps the capabilities: the tree is yet to be built.
    mutating func setIdentity(user: UInt32, group: UInt32) throws(Failure) {
        try failing { () throws(KernelError) in
            try setSecureBits(.noSetuidFixup)
            try setGroup(group)
            try setUser(user)
        }
        // Ids that change take the request back.
        if channel >= 0 { try tieToLauncher() }
    }

    func setLimit(of resource: Resource, _ soft: UInt64?, _ hard: UInt64?) throws(Failure) {
        try failing { () throws(KernelError) in try setResourceLimit(resource.rawValue, soft: soft, hard: hard) }
    }

    func raiseLimit(of resource: Resource, to hard: UInt64?) throws(Failure) {
        try failing { () throws(KernelError) in try raiseHardLimit(resource.rawValue, to: hard) }
    }

    func resetInherited(to wanted: InheritedAttributes) throws(Failure) {
        try failing { () throws(KernelError) in try setInheritedAttributes(wanted) }
    }

    /// Permitted and inheritable first: a capability can be ambient only while it is both.
    func apply(_ sets: EffectiveCapabilities) throws(Failure) {
        try failing { () throws(KernelError) in
            try setCapabilities(
                permitted: sets.permitted.rawValue, effective: sets.effective.rawValue,
                inheritable: sets.inheritable.rawValue)
            // What is not inheritable cannot stay ambient: the kernel has taken it out already.
            if !sets.inheritable.isNone { try setAmbient(sets.ambient.rawValue) }
        }
    }

    /// The request is the kernel's; whoever ended before it was made is found by the channel, or by the parent's id.
    mutating func dieWithParent() throws(Failure) {
        let parent = parentProcess()
        try failing { () throws(KernelError) in try setParentDeathSignal(Signal.kill) }
        guard parentProcess() == parent, try isLauncherAlive() else { throw Failure(.launcherGone) }
        // A direct launch has no channel: its parent is the caller.
        guard channel >= 0 || parent == startParent() else { throw Failure(.callerGone) }
    }

    /// The jail never outlives the launcher, whatever kills it. The signal is asked for first, then the channel tells
    /// whether the launcher was still there to send it.
    mutating func tieToLauncher() throws(Failure) {
        try failing { () throws(KernelError) in try setParentDeathSignal(Signal.kill) }
        try checkDeathSignal()
        guard try isLauncherAlive() else { throw Failure(.launcherGone) }
    }

    /// Whether the launcher still holds its end of the channel.
    func isLauncherAlive() throws(Failure) -> Bool {
        guard channel >= 0 else { return true }
        return try !failing { () throws(KernelError) in try look(at: channel).hasHungUp }
    }

    /// The size of this process's table of descriptors, as the host's procfs knows it.
    var descriptorTableSize: Int32 { tableSize ?? hostProc?.descriptorTableSize() ?? 1 << 20 }

    /// Closes every descriptor but these; numbers below 0 stand for none.
    mutating func closeOthers(keeping kept: [Int32]) throws(Failure) {
        var size: Int32?
        try failing { () throws(KernelError) in
            try closeAll(except: kept.filter { $0 >= 0 }) {
                let found = descriptorTableSize
                size = found
                return found
            }
        }
        tableSize = size
        if let descriptor = hostProc?.descriptor, !kept.contains(descriptor) { hostProc = nil }
    }

    mutating func closeDescriptors(keeping kept: [Int32]) throws(Failure) {
        // Others run in the jail already, its root among them: while a program is executed, the new memory stands some time before the
        // descriptors are closed (fs/exec.c, begin_new_exec).
        if entry != nil { try closeOthers(keeping: kept + [0, 1, 2, channel, witness.status]) }
        for number in kept where !isOpen(number) { throw Failure(.descriptorNotOpen, text: "\(number)") }
        try failing { () throws(KernelError) in
            try closeOnExec(keeping: kept) { descriptorTableSize }
        }
    }

    /// Enters the working directory. A magic link of procfs can lead out of the root (`/proc/self/fd/7`): the kernel then
    /// calls the directory unreachable, and so it is refused.
    mutating func enterDirectory(_ path: String) throws(Failure) {
        let (reached, isThere) = try failing { () throws(KernelError) in
            try changeDirectory(to: path)
            let reached = try workingDirectory()
            // A link may give the directory another name.
            return (reached, reached == path || !isVerified ? true : try isSameFile(path, "."))
        }
        guard !reached.isEmpty else { throw Failure(.outsideRoot, text: path) }
        try hold(isThere, "working directory", path, reached)
    }
}

extension NamespaceFlags {
    /// The clone(2) flags of a list of kinds.
    init(_ kinds: [NamespaceKind]) {
        // Bit by bit: `insert` would look up the witnesses of SetAlgebra first.
        var bits: UInt64 = 0
        for kind in kinds {
            switch kind {
            case .user: bits |= Self.user.rawValue
            case .mount: bits |= Self.mount.rawValue
            case .pid: bits |= Self.pid.rawValue
            case .net: bits |= Self.net.rawValue
            case .ipc: bits |= Self.ipc.rawValue
            case .uts: bits |= Self.uts.rawValue
            case .cgroup: bits |= Self.cgroup.rawValue
            case .time: bits |= Self.time.rawValue
            }
        }
        self.init(rawValue: bits)
    }
}
