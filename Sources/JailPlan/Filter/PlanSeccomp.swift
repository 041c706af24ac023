import JailSpec
import SpecFile
import SystemCallFilter

extension Planner {
    /// The filter of `[seccomp]`; nil where the spec wants none.
    mutating func resolveFilter(_ capabilities: ResolvedCapabilities, _ identity: ResolvedIdentity) -> FilterProgram? {
        var context = FilterContext()
        context.capabilities = capabilities.bounding | capabilities.sets.permitted
        context.isNested = spec.namespaces.nested.value
        context.ownsProcesses = isNew(.pid)
        context.ownsUsers = isNew(.user)
        context.kernel = host.kernel
        context.owners = identity.maps?.owners
        context.filesOfOthers = spec.filesystem.filesOfOthers
        let program: FilterProgram
        if let written = spec.seccomp {
            let resolved = EffectivePolicy.resolve(written, in: context)
            faults += resolved.faults
            guard resolved.faults.isEmpty, let policy = resolved.policy else { return nil }
            program = FilterProgram(policy)
        } else {
            program = FilterProgram(defaultIn: context)
        }
        // BPF_MAXINSNS of the kernel.
        guard program.instructions.count <= 4096 else {
            fault(
                "the filter has \(program.instructions.count) instructions of the 4096 that the kernel takes",
                at: spec.seccomp?.position, hint: "name calls in the lists instead of rules, or fewer of them")
            return nil
        }
        if !spec.process.noNewPrivileges.value { checkFilter(program.policy) }
        return program
    }

    mutating func install(_ filter: FilterProgram?) {
        guard let filter else { return }
        add(.filter(.installFilter(filter)), spec.seccomp?.position)
        decideListening(filter)
    }

    /// After the filter of the spec, of which it is known what it lets pass: of these it is not.
    mutating func installPrograms(_ filter: FilterProgram?) {
        guard let programs = spec.seccomp?.value.programs else { return }
        guard spec.process.noNewPrivileges.value else {
            return fault(
                "seccomp.bpf: without no_new_privs the capability to install a filter is gone by then",
                at: programs.position, hint: "set process.no_new_privs = true")
        }
        if let filter, !filter.leavesAlone("seccomp") {
            return fault(
                "seccomp.bpf: the other keys do not allow seccomp(2), which installs a filter", at: programs.position,
                hint: "add seccomp to seccomp.allow")
        }
        add(.filter(.installPrograms(programs.value)), programs.position)
    }

    /// The launcher hears of what the filter kills and logs where the spec asks for such a thing. Not of calls of foreign
    /// ABIs by default: a process has one listener at most (seccomp(2), EBUSY), and programs inside may want theirs.
    private mutating func decideListening(_ filter: FilterProgram) {
        guard filter.killsOrLogs else { return }
        if case .direct = plan.shape {
            note(
                "no call that seccomp kills or logs is named: there is no launcher to hear of it",
                at: spec.seccomp?.position)
        } else if plan.supervision.hasInit || filter.leavesAlone("sendmsg") {
            plan.listens = true
        } else {
            note(
                "no call that seccomp kills or logs is named: without an init the command would have to call sendmsg(2), "
                    + "which the filter refuses", at: spec.seccomp?.position)
        }
    }

    /// seccomp(2) wants no_new_privs or CAP_SYS_ADMIN: without the one, the filter is installed while the other is still
    /// there, and what comes after it must pass it.
    private mutating func checkFilter(_ policy: EffectivePolicy) {
        let position = spec.process.noNewPrivileges.position
        guard host.isPrivileged || isNew(.user) else {
            fault(
                "a seccomp filter cannot be installed without no_new_privs", at: position,
                hint: "set process.no_new_privs = true, or seccomp.profile = \"none\"")
            return
        }
        for name in [
            "capset", "prctl", "rt_sigaction", "rt_sigprocmask", "close_range", "chdir", "getcwd", "getppid", "pread64",
        ]
        where !policy.permits(name) {
            fault(
                "without no_new_privs the filter stands before the capabilities are set, and it refuses \(name)",
                at: position, hint: "set process.no_new_privs = true, or add \(name) to seccomp.allow")
        }
    }
}

extension IdentityMaps {
    /// The ids that files can have, where each of them is mapped by itself.
    fileprivate var owners: MappedOwners { MappedOwners(users: singles(users), groups: singles(groups)) }

    private func singles(_ ranges: [Identity.Range]) -> [UInt32]? {
        guard ranges.count <= MappedOwners.limit else { return nil }
        var result: [UInt32] = []
        for range in ranges {
            guard range.count == 1 else { return nil }
            result.append(range.inside)
        }
        return result
    }
}
