import JailSpec
import SpecFile

/// The five sets, and whether the bounding set can be emptied at all.
struct ResolvedCapabilities {
    var bounding: CapabilitySet
    var sets: EffectiveCapabilities
    var canDropBounding: Bool
}

extension Planner {
    mutating func resolveCapabilities(_ identity: ResolvedIdentity) -> ResolvedCapabilities {
        let written = spec.capabilities
        let keep = written.keep?.value ?? []
        let bounding = keep | (written.bounding?.value ?? [])
        var sets = EffectiveCapabilities(
            permitted: keep | (written.permitted?.value ?? []),
            effective: keep | (written.effective?.value ?? []),
            inheritable: written.inheritable?.value ?? [], ambient: written.ambient?.value ?? [])
        if identity.user != 0 {
            // capabilities(7): at exec a process that is not uid 0 keeps nothing but its ambient set, and a capability
            // can be ambient only while it is inheritable.
            sets.ambient = sets.ambient | keep
            sets.inheritable = sets.inheritable | keep
        }
        check(sets, bounding, written)
        checkLostAtExec(sets, bounding, written, isRoot: identity.user == 0)
        checkMasks(bounding | sets.permitted, identity)
        checkKernel(written)
        checkReach(sets)
        let unprivileged = !host.isPrivileged && spec.namespaces[.user].value.isHost
        if unprivileged { checkUnprivileged(written) } else if !isNew(.user) { checkHeld(written) }
        return ResolvedCapabilities(bounding: bounding, sets: sets, canDropBounding: !unprivileged)
    }

    private mutating func check(
        _ sets: EffectiveCapabilities, _ bounding: CapabilitySet, _ written: CapabilitySets
    ) {
        func names(_ set: CapabilitySet) -> String { set.capabilities.map(\.name).joined(separator: ", ") }
        let stray = sets.effective.without(sets.permitted)
        if !stray.isNone {
            fault(
                "effective: \(names(stray)) not permitted", at: written.effective?.position)
        }
        // capset(2): what is not inheritable already can become so only out of the bounding set.
        let unbounded = sets.inheritable.without(bounding)
        if !unbounded.isNone {
            fault(
                "inheritable: \(names(unbounded)) not in the bounding set", at: written.inheritable?.position,
                hint: "add it to bounding, or use keep")
        }
        let missing =
            sets.ambient.without(sets.permitted).isNone
            ? sets.ambient.without(sets.inheritable) : sets.ambient.without(sets.permitted)
        if !missing.isNone {
            fault(
                "ambient: \(names(missing)) must be permitted and inheritable too", at: written.ambient?.position)
        }
    }

    /// A capability that the command would never have, whatever the sets say before it is executed (capabilities(7)): uid 0
    /// gets what is bounding or inheritable, everybody else what is ambient.
    private mutating func checkLostAtExec(
        _ sets: EffectiveCapabilities, _ bounding: CapabilitySet, _ written: CapabilitySets, isRoot: Bool
    ) {
        guard let permitted = written.permitted else { return }
        let lost = permitted.value.without(isRoot ? bounding | sets.inheritable : sets.ambient)
        guard !lost.isNone else { return }
        let names = lost.capabilities.map(\.name).joined(separator: ", ")
        fault(
            "permitted: \(names) would be lost when the command is executed", at: permitted.position,
            hint: isRoot ? "add it to bounding, or use keep" : "add it to ambient and inheritable, or use keep")
    }

    /// What covers a file is a mount, and CAP_SYS_ADMIN takes mounts away: the line that hides would be a lie.
    private mutating func checkMasks(_ held: CapabilitySet, _ identity: ResolvedIdentity) {
        guard held.contains(.sys_admin), isNew(.mount) else { return }
        let position = (spec.capabilities.keep ?? spec.capabilities.permitted ?? spec.capabilities.bounding)?.position
        if let hidden = spec.filesystem.mounts.first(where: { $0.isHidden }) {
            fault(
                "sys_admin would let the command uncover \(hidden.target)", at: position,
                hint: "remove sys_admin, or the hide line \(hidden.position.map { "at \($0)" } ?? "")")
        }
        if spec.filesystem.proc.value && (identity.reachesHostRoot || !isNew(.user)) {
            warn(
                "sys_admin lets the command uncover what keeps the host's root from changing the kernel by /proc: "
                    + "core_pattern, sysrq-trigger and more", at: position)
        }
        note(
            "sys_admin lets the command remount: what is mounted read-only stays so only by its good will", at: position
        )
    }

    /// Capabilities are those of the jail's user namespace, and a network is of the one that it was made in, network_namespaces(7).
    private mutating func checkReach(_ sets: EffectiveCapabilities) {
        guard isNew(.user), !isNew(.net) else { return }
        if case .path? = spec.namespaces.written[.net]?.value { return }
        let held = sets.permitted | sets.ambient
        let idle = [Capability.net_admin, .net_bind_service, .net_broadcast, .net_raw].filter { held.contains($0) }
        guard !idle.isEmpty else { return }
        warn(
            "\(idle.map(\.name).joined(separator: ", ")): without effect on the host's network, which the jail's user namespace "
                + "does not own",
            at: (spec.capabilities.keep ?? spec.capabilities.permitted ?? spec.capabilities.ambient)?.position,
            hint: "as root set namespaces.user = \"host\"; to listen on a port below 1024 as a service: service.sockets"
        )
    }

    private mutating func checkKernel(_ written: CapabilitySets) {
        guard written.isWritten else { return }
        let all = [
            written.keep, written.bounding, written.permitted, written.effective, written.inheritable, written.ambient,
        ]
        for set in all {
            guard let set, let unknown = set.value.capabilities.first(where: { $0.rawValue > host.lastCapability })
            else {
                continue
            }
            fault("capability \(unknown.name): the running kernel does not know it", at: set.position)
        }
    }

    /// Without a user namespace of the jail's own no capability comes from anywhere but the caller.
    private mutating func checkHeld(_ written: CapabilitySets) {
        for set in [written.keep, written.permitted, written.bounding] {
            guard let set, let missing = set.value.capabilities.first(where: { !host.permitted.contains($0) }) else {
                continue
            }
            fault(
                "capability \(missing.name): the caller does not have it", at: set.position,
                hint: "launch with it, or \(Remedy.own(.user))")
        }
    }

    /// Without root and without a user namespace there is no capability to keep, and none to empty a set with.
    private mutating func checkUnprivileged(_ written: CapabilitySets) {
        let all = [
            written.keep, written.bounding, written.permitted, written.effective, written.inheritable, written.ambient,
        ]
        for set in all {
            guard let set, !set.value.isEmpty else { continue }
            fault(
                "an ordinary user has no capabilities in the host's user namespace", at: set.position,
                hint: Remedy.own(.user))
        }
        if written.bounding == nil {
            note(
                "the bounding set stays: emptying it needs CAP_SETPCAP; no_new_privs keeps it without effect",
                at: spec.namespaces[.user].position)
        }
    }
}
