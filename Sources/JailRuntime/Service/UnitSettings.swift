import JailPlan
package import JailSpec
import Kernel
package import SpecFile

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

    /// The lines that the unit needs; `writesSysctls` where the launch forbids namespaces within the jail.
    func settings(refused: [RefusedTrial], writesSysctls: Bool) -> [String] {
        Self.settings(refused) + settingsOfProc(writesSysctls)
    }

    /// Of the filters that several directives make one is known by how it answers.
    private static func settings(_ refused: [RefusedTrial]) -> [String] {
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
        let names = refused.map(\.name).filter { $0 != "statmount" && $0 != "listmount" }
        if !names.isEmpty { result.append("SystemCallFilter=\(names.joined(separator: " "))") }
        // What systemd has no name for yet can only be answered otherwise.
        if refused.contains(where: { $0.errno == nil }) { result.append("SystemCallErrorNumber=EPERM") }
        return result
    }

    private func settingsOfProc(_ writes: Bool) -> [String] {
        let mounts = mountLines.filter { $0.count > 5 }
        let readOnly = mounts.filter { $0[5].split(separator: ",").contains("ro") }.map { $0[4] }
        let isSubset = mounts.contains {
            $0[4] == "/proc" && $0.last?.split(separator: ",").contains("subset=pid") == true
        }
        var result: [String] = []
        // Where there is no /proc/sys, it is known by what else the directive makes read-only.
        if writes, readOnly.contains("/proc/sys") || isSubset && readOnly.contains("/sys") {
            result.append("ProtectKernelTunables=no")
        }
        if readOnly.contains("/proc") { result.append("ReadWritePaths=/proc") }
        if isSubset { result.append("ProcSubset=all") }
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
            let isFiltered = evidence.status("Seccomp") == "2"
            let writes = plan.steps.contains {
                if case .identity(.forbidUserNamespaces) = $0.operation { true } else { false }
            }
            settings = evidence.settings(refused: isFiltered ? evidence.refusedCalls(plan) : [], writesSysctls: writes)
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
        let refused = TriedCalls.refused(CallNeeds(spec))
        guard !refused.isEmpty else { return }
        let evidence = Evidence.host
        let unit = evidence.service
        let writes = !spec.namespaces.nested.value
        let settings = evidence.settings(refused: refused, writesSysctls: writes)
        throw Rejection([
            Diagnostic(
                "\(unit?.name ?? "the unit") does not let the launch call \(refused.map(\.name).joined(separator: ", "))",
                at: nil,
                hint: unit.map { Remedy.give($0, settings) })
        ])
    }
}
