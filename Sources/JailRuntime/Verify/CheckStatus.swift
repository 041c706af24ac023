import JailPlan
import JailSpec
import Kernel
import SystemCallFilter

/// What one read of /proc/PID/status says of the process that is about to be the command.
extension Applier {
    /// How many filters were in force before the first of the jail's: asked by the launcher.
    mutating func countFilters() throws(Failure) {
        guard isVerified, filterMode() != 0 else { return }
        let proc = try proc()
        witness.filters = try failing { () throws(KernelError) in
            let file = try open("self/status", at: proc.descriptor, .read)
            return ProcessStatus(try readRecord(file.number)).filters ?? 0
        }
    }

    /// Before the filter, where nothing could be read once that is installed.
    mutating func checkBeforeFilter(_ plan: Plan) throws(Failure) {
        guard isVerified, !plan.readsBehindFilter else { return }
        try checkStatus(plan, isFiltered: false)
        showVerified(of: plan)
    }

    /// Last of all.
    mutating func checkProcess(_ plan: Plan) throws(Failure) {
        guard isVerified else { return }
        if plan.readsBehindFilter {
            try checkStatus(plan, isFiltered: true)
            showVerified(of: plan)
        } else {
            try checkFilterAnswers(plan)
        }
    }

    private mutating func checkStatus(_ plan: Plan, isFiltered: Bool) throws(Failure) {
        let descriptor = witness.status
        let status = ProcessStatus(try failing { () throws(KernelError) in try readRecord(descriptor) })
        var filters = witness.filters
        for index in plan.steps.indices {
            switch plan.steps[index].operation {
            case .identity(.setIdentity(let user, let group)):
                try hold(areAll(status.users, user), at: index, "uids", "\(user)", list(status.users))
                try hold(areAll(status.groups, group), at: index, "gids", "\(group)", list(status.groups))
            case .identity(.setGroups(let groups)):
                let found = status.supplementary
                try hold(
                    isSubset(found, groups) && isSubset(groups, found), at: index, "groups",
                    groups.isEmpty ? "none" : list(groups), found.isEmpty ? "none" : list(found))
            case .identity(.dropBounding(let kept)):
                try hold(
                    status.bounding == kept.rawValue, at: index, "bounding set", set(kept.rawValue),
                    set(status.bounding))
            case .identity(.setCapabilities(let sets)): try check(sets, status, at: index)
            case .identity(.forbidNewPrivileges):
                try hold(status.noNewPrivileges == 1, at: index, "no_new_privs", "1", "\(status.noNewPrivileges)")
            case .process(.setUmask(let mask)):
                try hold(
                    status.umask == mask, at: index, "umask", "0" + String(mask, radix: 8),
                    "0" + String(status.umask, radix: 8))
            case .process(.resetSignals):
                try hold(
                    status.blocked == 0 && status.ignored == 0, at: index, "signals", "none blocked, none ignored",
                    "blocked \(set(status.blocked)), ignored \(set(status.ignored))")
            case .filter(.refuseNamespaces):
                filters += 1
                try holdFilters(filters, status, isLast: plan.filter == nil || !isFiltered, at: index)
            case .filter(.installFilter) where isFiltered:
                filters += 1
                try holdFilters(filters, status, isLast: true, at: index)
            default: break
            }
        }
    }

    /// A filter is never taken away: as many as were installed, and those that were there, must be in force.
    private mutating func holdFilters(
        _ count: UInt32, _ status: ProcessStatus, isLast: Bool, at index: Int
    ) throws(Failure) {
        // Linux before 5.9 says only the mode.
        let isInForce = status.seccomp == 2 && (status.filters.map { isLast ? $0 == count : $0 >= count } ?? true)
        try hold(
            isInForce, at: index, "seccomp", "mode 2, \(count) filter\(count == 1 ? "" : "s")",
            "mode \(status.seccomp), \(status.filters.map { "\($0)" } ?? "an unknown number of") filters")
    }

    private mutating func check(
        _ sets: EffectiveCapabilities, _ status: ProcessStatus, at index: Int
    ) throws(Failure) {
        try hold(
            status.permitted == sets.permitted.rawValue, at: index, "permitted set", set(sets.permitted.rawValue),
            set(status.permitted))
        try hold(
            status.effective == sets.effective.rawValue, at: index, "effective set", set(sets.effective.rawValue),
            set(status.effective))
        try hold(
            status.inheritable == sets.inheritable.rawValue, at: index, "inheritable set",
            set(sets.inheritable.rawValue), set(status.inheritable))
        try hold(
            status.ambient == sets.ambient.rawValue, at: index, "ambient set", set(sets.ambient.rawValue),
            set(status.ambient))
    }

    /// A filter that does not let a file be read shows itself by that. One that would kill for it, or tell the launcher of
    /// it, is not asked so: the mode is, where that may be asked; where not, nothing can be asked without harm.
    private mutating func checkFilterAnswers(_ plan: Plan) throws(Failure) {
        guard let filter = plan.filter else { return }
        let index =
            plan.steps.firstIndex { if case .filter(.installFilter) = $0.operation { true } else { false } } ?? step
        if let errno = filter.answer(to: "pread64") {
            let found = refusal(ofReading: witness.status)
            try hold(found == errno, at: index, "seccomp", "pread64: errno \(errno)", "pread64: errno \(found)")
        } else if filter.leavesAlone("prctl") {
            let mode = filterMode() ?? -1
            try hold(mode == 2, at: index, "seccomp", "mode 2", "mode \(mode)")
        }
    }
}

private func areAll(_ found: [UInt32], _ wanted: UInt32) -> Bool {
    for one in found where one != wanted { return false }
    return found.count == 4
}

private func isSubset(_ some: [UInt32], _ all: [UInt32]) -> Bool {
    for one in some where !all.contains(one) { return false }
    return true
}

/// As /proc/PID/status has it.
private func set(_ mask: UInt64) -> String {
    let digits = String(mask, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
}

private func list(_ numbers: [UInt32]) -> String { numbers.map { "\($0)" }.joined(separator: " ") }
