import JailPlan
package import JailSpec
import Kernel
package import SpecFile

/// What of a launch the unit's /proc has to leave room for.
struct ProcNeeds {
    /// That namespaces within the jail are forbidden is written below /proc/sys.
    let sysctls: Bool
    /// Whether the jail has a /proc of its own.
    let isOwn: Bool

    init(_ plan: Plan) {
        sysctls = plan.steps.contains {
            if case .identity(.forbidUserNamespaces) = $0.operation { true } else { false }
        }
        isOwn = plan.steps.contains {
            if case .tree(.fill(_, .fileSystem(let made), _)) = $0.operation { made.type == "proc" } else { false }
        }
    }

    init(_ spec: Spec) {
        (sysctls, isOwn) = (!spec.namespaces.nested.value, spec.filesystem.proc.value)
    }
}

/// What a unit of systemd takes from the launcher without which no jail can be made, systemd.exec(5): found by what the kernel shows,
/// all of it in one go, and told as the lines that give it back.
extension Evidence {
    /// The service that started this process; nil where it was started otherwise.
    var service: ControlGroups.Unit? {
        guard isOfUnit else { return nil }
        let line = (text("/proc/self/cgroup") ?? "").split(separator: "\n").first { $0.hasPrefix("0::") }
        guard let unit = line.flatMap({ ControlGroups.Unit.around(String($0.dropFirst(3))) }), unit.isService else {
            return nil
        }
        return unit
    }

    /// Whether every filter that this process is under was there when the manager executed the unit's own process, which is this
    /// one or one above it: a jail or a container in between has filters of its own.
    var isFilterOfUnit: Bool {
        guard let executed, service != nil, status("Seccomp") == "2" else { return false }
        var process = status("Pid")
        // Bounded, as a process of the chain may end, and its number be given to another, while it is walked.
        for _ in 0..<64 {
            guard let found = process, found != "0" else { return false }
            if found == executed { return status("Seccomp_filters", of: found) == status("Seccomp_filters") }
            process = status("PPid", of: found)
        }
        return false
    }

    /// The lines that the unit needs.
    func settings(refused: [RefusedTrial], _ needs: ProcNeeds) -> [String] {
        let calls = settingsOfCalls(refused)
        return calls + settingsOfProc(needs).filter { !calls.contains($0) }
    }

    /// Of the filters that several directives make one is known by how it answers.
    private func settingsOfCalls(_ refused: [RefusedTrial]) -> [String] {
        var result: [String] = []
        var refused = refused
        // RestrictNamespaces= cannot look into the arguments of clone3(2), and answers that there is none.
        if refused.contains(where: { $0.name == "clone3" && $0.errno == .unsupported }) {
            result.append("RestrictNamespaces=no")
            refused.removeAll { ["clone3", "unshare", "setns"].contains($0.name) }
        }
        if refused.contains(where: { $0.name == "socket" && $0.errno == .noAddressFamily }) {
            result.append("RestrictAddressFamilies=AF_INET")
            refused.removeAll { $0.name == "socket" }
        }
        // ProtectHostname= gives the unit a UTS namespace as well.
        if hasOwnHostname, refused.contains(where: { $0.name == "sethostname" && $0.errno == .notPermitted }) {
            result.append("ProtectHostname=no")
            if refused.count == 1 { refused = [] }
        }
        let names = refused.map(\.name).filter { !TriedCalls.dispensable.contains($0) }
        if !names.isEmpty { result.append("SystemCallFilter=\(names.joined(separator: " "))") }
        // What systemd has no name for yet can only be answered otherwise.
        if refused.contains(where: { $0.errno == nil }) { result.append("SystemCallErrorNumber=EPERM") }
        return result
    }

    private func settingsOfProc(_ needs: ProcNeeds) -> [String] {
        let mounts = mountLines.filter { $0.count > 5 }
        let readOnly = mounts.filter { $0[5].split(separator: ",").contains("ro") }.map { $0[4] }
        let isSubset = mounts.contains {
            $0[4] == "/proc" && $0.last?.split(separator: ",").contains("subset=pid") == true
        }
        var result: [String] = []
        // Where there is no /proc/sys, it is known by what else the directive makes read-only: up to 256 all of /sys.
        let others = readOnly.contains("/sys") || readOnly.contains("/sys/fs/bpf")
        if needs.sysctls, readOnly.contains("/proc/sys") || isSubset && others {
            result.append("ProtectKernelTunables=no")
        }
        if readOnly.contains("/proc") { result.append("ReadWritePaths=/proc") }
        if isSubset { result.append("ProcSubset=all") }
        guard needs.isOwn else { return result }
        // Of a /proc that is covered in part no new one is made.
        let covered = mounts.map { $0[4] }
        if covered.contains("/proc/kmsg") { result.append("ProtectKernelLogs=no") }
        if covered.contains("/proc/sys/kernel/hostname") { result.append("ProtectHostname=no") }
        return result
    }

    /// What to do about a file that is there, and not where the unit has mounted something else.
    func hidingHint(_ path: String) -> String? {
        guard let unit = service else { return nil }
        for fields in mountLines where fields.count > 8 {
            let place = String(fields[4])
            guard isWithin(path, place) else { continue }
            let isHome = ["/home", "/root", "/run/user"].contains(place)
            let isInaccessible = fields[3].utf8.starts(with: "/systemd/inaccessible/".utf8)
            let line: String
            if isHome && (isInaccessible || fields.contains("tmpfs")) {
                line = "ProtectHome=no"
            } else if fields[3].contains("/systemd-private-") {
                line = "PrivateTmp=no"
            } else if isInaccessible {
                line = "InaccessiblePaths="
            } else {
                continue
            }
            return "\(unit.name) has mounted something over \(place): give it \(line), or put the file elsewhere"
        }
        return nil
    }

    /// The lines without which no process more can be started.
    func settingsOfProcesses(_ unit: ControlGroups.Unit) -> [String] {
        let group = "/sys/fs/cgroup" + unit.path
        let refusals = (text(group + "/pids.events") ?? "").split(separator: " ").last.flatMap { Int($0) } ?? 0
        return [refusals > 0 ? "TasksMax=100" : "LimitNPROC=infinity"]
    }
}

extension Explanation {
    /// For a failure that a directive of the unit explains: what to give the unit.
    var unitHint: String? {
        guard case .kernel = failure.cause, let unit = evidence.service else { return nil }
        var settings: [String] = []
        switch failure.errno {
        case .again where [.clone3, .fork].contains(failure.call): settings = evidence.settingsOfProcesses(unit)
        case .noEntry where !failure.text.hasPrefix("/proc/"): return nil
        case .notPermitted, .accessDenied, .readOnly, .unsupported, .noEntry, .noAddressFamily:
            settings = evidence.settings(
                refused: evidence.isFilterOfUnit ? evidence.refusedCalls(plan) : [], ProcNeeds(plan))
        default: return nil
        }
        return settings.isEmpty ? nil : Remedy.give(unit, settings)
    }
}

extension Caller {
    /// Under the filter of a unit the first refused call may be the end of the launcher, without a word: before the host is asked for
    /// anything, all of them are tried.
    package static func tryCalls(for spec: Spec) throws(Rejection) {
        guard filterMode() == 2, environmentVariable("INVOCATION_ID") != nil else { return }
        let evidence = Evidence.host
        guard evidence.isFilterOfUnit else { return }
        let refused = TriedCalls.refused(CallNeeds(spec))
        guard !refused.isEmpty else { return }
        let unit = evidence.service
        let settings = evidence.settings(refused: refused, ProcNeeds(spec))
        throw Rejection([
            Diagnostic(
                "\(unit?.name ?? "the unit") does not let the launch call \(refused.map(\.name).joined(separator: ", "))",
                at: nil,
                hint: unit.map { Remedy.give($0, settings) })
        ])
    }
}
