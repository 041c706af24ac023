import JailSpec
import SpecFile

extension Spec {
    /// The spec of an init without a control group, and why: not every init needs one, and `[limits]` was not written. nil where
    /// the host has one to give.
    func forgoingGroup(on host: Host) -> (spec: Spec, note: Plan.Note)? {
        guard limits != nil, limits?.position == process.boot.position else { return nil }
        let (message, hint): (String, String?)
        switch host.controlGroups?.base {
        case .success?: return nil
        case .failure(let refusal)?: (message, hint) = (refusal.message, refusal.remedy)
        case nil: (message, hint) = ("this host has none of version 2", nil)
        }
        var result = self
        result.limits = nil
        result.filesystem.mounts.removeAll { mount in
            if case .cgroup = mount.source { mount.position == process.boot.position } else { false }
        }
        let note = Plan.Note(
            message: "process.boot: without a control group, which systemd cannot do without: \(message)",
            origin: process.boot.position, isWarning: true, hint: hint)
        return (result, note)
    }
}

extension Premises {
    /// Those of a spec that does without its control group; nil where it need not. Apart, as what it copies would be on the stack of
    /// every launch.
    @inline(never) static func forgoingGroup(
        _ spec: Spec, on host: Host
    ) -> (premises: Premises, faults: [Diagnostic], note: Plan.Note)? {
        guard let (spec, note) = spec.forgoingGroup(on: host) else { return nil }
        let (premises, faults) = expanding(spec, on: host)
        return (premises, faults, note)
    }
}

extension Planner {
    /// What asks the command to end: by default what its init takes for a wish to power off.
    var stopSignal: Int32 {
        let written = spec.process.stopSignal
        guard spec.process.boot.value, written.position == nil else { return written.value }
        return Self.stopSignal(ofInit: host.initProgram)
    }

    private static func stopSignal(ofInit program: String?) -> Int32 {
        switch program {
        case "systemd": 37  // SIGRTMIN+3, systemd(1)
        case "busybox": 12  // SIGUSR2, init/init.c of busybox
        case "runit", "runit-init": 2  // SIGINT, runit(8)
        default: 30  // SIGPWR, init(8) of sysvinit; what LXC sends
        }
    }

    /// The controllers that an init may hand on to its services: those that the place of the group has.
    func delegableControllers(_ base: ControlGroups.Base) -> [String] {
        guard spec.process.boot.value, let groups = host.controlGroups else { return [] }
        let offered: [String]
        switch base {
        case .directory: offered = groups.baseGroup?.controllers ?? []
        // user@.service of systemd delegates these.
        case .scope(.user): offered = groups.available.filter { $0 == "memory" || $0 == "pids" }
        case .scope(.system): offered = groups.available
        }
        return offered.filter { ["cpu", "io", "memory", "pids"].contains($0) }
    }

    /// The group inside belongs to the jail's user: root outside gives it as it makes it, an ordinary caller's id has to have a
    /// name in the jail for that.
    mutating func giveGroup(_ identity: ResolvedIdentity) {
        guard plan.hasInnerGroup, !host.isPrivileged, hasWritableGroup, let maps = identity.maps, identity.mustChange
        else {
            return
        }
        func has(_ id: UInt32, _ ranges: [Identity.Range]) -> Bool {
            ranges.contains { id >= $0.outside && id - $0.outside < $0.count }
        }
        let position = spec.identity.uidMap?.position ?? spec.identity.gidMap?.position
        guard has(host.uid, maps.users), has(host.gid, maps.groups) else {
            return fault(
                "the jail's control group would belong to nobody in it: uid \(host.uid), gid \(host.gid) are not mapped",
                at: position, hint: "set uid_map = \"auto\" and gid_map = \"auto\", in which the caller is itself")
        }
        add(.limits(.giveGroup(user: identity.user, group: identity.group)), spec.limits?.position)
    }
}
