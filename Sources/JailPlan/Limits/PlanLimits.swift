import JailSpec
import LinuxFacts
import SpecFile

extension Planner {
    /// What `[limits]` asks of this host; nil where nothing is limited, or where it cannot be.
    mutating func resolveLimits() -> ResolvedLimits? {
        guard let limits = spec.limits else { return nil }
        guard let groups = host.controlGroups else {
            fault("[limits] needs cgroups of version 2", at: limits.position)
            return nil
        }
        let wanted = limits.value.settings(groups.devices, groups.disks.compactMap(\.sharing))
        // Each line that asks for a controller which is not there; else the one reason that concerns all.
        var refused = false
        var needed: [String] = []
        var told: Position?
        for (controller, setting, origin) in wanted where setting.file != "memory.oom.group" {
            // A line that comes to two files is refused once.
            if let refusal = groups.refusal(of: controller), groups.mount != nil || groups.old.contains(controller),
                told == nil || told != origin
            {
                fault("limits.\(setting.key): \(refusal.message)", at: origin, hint: refusal.remedy)
                (refused, told) = (true, origin)
            }
            if !needed.contains(controller) { needed.append(controller) }
        }
        refused = refuseDevices(limits.value, groups.devices) || refused
        switch groups.base {
        case .failure(let refusal):
            if !refused { fault("[limits]: \(refusal.message)", at: limits.position, hint: refusal.remedy) }
            return nil
        case .success(let base):
            guard !refused else { return nil }
            if let weight = limits.value.ioWeight { warnOfWeight(weight, groups.disks) }
            for controller in delegableControllers(base) where !needed.contains(controller) {
                needed.append(controller)
            }
            let isCleared = if case .scope = base { true } else { groups.baseGroup?.isDelegated == true }
            return ResolvedLimits(
                base: base, settings: wanted.map { ($0.setting, $0.origin) }, controllers: needed.sorted(),
                isCleared: isCleared, position: limits.position)
        }
    }

    private mutating func refuseDevices(_ limits: Limits, _ devices: [ControlGroups.Device]) -> Bool {
        var refused = false
        func refuse(_ message: String, _ position: Position?, _ hint: String?) {
            faults.append(Diagnostic("limits.io: \(message)", at: position, hint: hint))
            refused = true
        }
        for (entry, device) in zip(limits.io, devices) {
            let path = entry.device.value
            switch device {
            case .missing(let reason): refuse("\(path): \(reason)", entry.device.position, nil)
            case .anonymous(let type):
                refuse(
                    "\(path) is on \(type), which has no block device of its own", entry.device.position,
                    "name the disk, such as /dev/sda; `findmnt -T \(path)` shows what is there")
            case .disk(let major, let minor, .none):
                guard let weight = entry.weight else { continue }
                refuse(
                    "weight: nothing shares the time of \(major):\(minor) by weight", weight.position,
                    Remedy.shareDisk(major, minor))
            case .disk(_, _, .bfq):
                guard let weight = entry.weight, weight.value > 1000 else { continue }
                refuse("weight: the scheduler bfq knows 1 to 1000", weight.position, nil)
            case .disk: break
            }
        }
        return refused
    }

    /// The kernel takes a weight whether or not anything heeds it, and a scheduler can be changed meanwhile.
    private mutating func warnOfWeight(_ weight: Located<UInt64>, _ disks: [ControlGroups.Device]) {
        guard disks.allSatisfy(\.isUnshared) else { return }
        var hint: String?
        if case .disk(let major, let minor, _)? = disks.first { hint = Remedy.shareDisk(major, minor) }
        warn(
            "limits.io_weight: no disk of this host shares its time by weight, so that nothing heeds it",
            at: weight.position, hint: hint)
    }

    /// The group of the jail, complete before anybody is in it.
    mutating func prepareLimits(
        _ limits: ResolvedLimits?, _ identity: ResolvedIdentity, _ capabilities: ResolvedCapabilities
    ) {
        refuseGroupSources()
        guard let limits else { return refuseWritableGroups() }
        if case .scope(let manager) = limits.base {
            noteUnit(at: limits.position)
            add(.limits(.requestScope(manager)), limits.position)
        }
        let enabled = host.controlGroups?.baseGroup?.enabled ?? []
        let missing = limits.controllers.filter { !enabled.contains($0) }
        add(.limits(.enableControllers(limits.base, missing)), limits.position)
        let delegation = delegation(identity, capabilities)
        add(.limits(.createCgroup(delegation)), limits.position)
        plan.hasInnerGroup = delegation != .none
        if delegation != .none {
            for setting in LimitSetting.groupsWithin { add(.limits(.setLimit(setting)), limits.position) }
        }
        for (setting, origin) in limits.settings { add(.limits(.setLimit(setting)), origin) }
        if plan.shape == .direct { add(.limits(.enterCgroup), limits.position) }
    }

    /// What the unit's own limits held is held no more once the launcher is in a scope.
    private mutating func noteUnit(at position: Position?) {
        guard let unit = host.controlGroups?.unit else { return }
        note("the launcher leaves \(unit.name), and its limits, for a scope of the jail's own", at: position)
    }

    /// A jail that can mount the hierarchy sees its own group as the root, limits included, and its user may own them: it
    /// gets a group inside the limited one.
    func delegation(_ identity: ResolvedIdentity, _ capabilities: ResolvedCapabilities) -> CgroupDelegation {
        let writable = writableGroups
        let held = capabilities.bounding | capabilities.sets.permitted
        guard writable != nil || spec.namespaces.nested.value || held.contains(.sys_admin) else { return .none }
        guard writable != nil, host.isPrivileged else { return .inner }
        let user = identity.maps.map { Self.outside(identity.user, $0.users) } ?? identity.user
        let group = identity.maps.map { Self.outside(identity.group, $0.groups) } ?? identity.group
        return .owned(user: user, group: group)
    }

    private static func outside(_ id: UInt32, _ ranges: [Identity.Range]) -> UInt32 {
        for range in ranges where id >= range.inside && id - range.inside < range.count {
            return range.outside + (id - range.inside)
        }
        return id
    }

    /// Whether the jail may write to its own group.
    var hasWritableGroup: Bool { writableGroups != nil }

    /// The mount that lets the jail write to its own group.
    private var writableGroups: Mount? {
        spec.filesystem.mounts.first { mount in
            if case .cgroup = mount.source { mount.options.opened.hasAll(of: .readOnly) } else { false }
        }
    }

    /// The host's cgroups, by a bind: a process leaves its limits by writing its number into another group's cgroup.procs.
    private mutating func refuseGroupSources() {
        for mount in spec.filesystem.mounts {
            guard case .bind(let path) = mount.source, host.groupSources.contains(path) else { continue }
            fault(
                "mount \(mount.target): \(path) has the host's cgroups, by which the jail could leave its own",
                at: mount.position,
                hint: "mount it read-only; a jail with [limits] has a group of its own by type = \"cgroup\"")
        }
    }

    private mutating func refuseWritableGroups() {
        guard spec.limits == nil, let mount = writableGroups else { return }
        fault(
            "mount \(mount.target): without [limits] this would be the caller's own cgroup", at: mount.position,
            hint: "give the jail a limit, such as pids, and so a cgroup of its own; or leave \"rw\" out")
    }
}
