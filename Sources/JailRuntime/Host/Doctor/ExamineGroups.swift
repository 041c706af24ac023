import JailPlan
import JailSpec
import Kernel

/// Whether `[limits]` can be put in force for this caller, and by whom.
extension Examination {
    mutating func limits() {
        let groups = ControlGroups.probe(for: Limits(), uid: evidence.uid)
        guard let mount = groups.mount else {
            add(
                "limits", "cgroup v2", .absent, groups.old.isEmpty ? "not mounted" : "only cgroup v1 is mounted",
                remedy: groups.old.isEmpty
                    ? Remedy.mountGroups : Remedy.unifyGroups)
            return
        }
        add("limits", "cgroup v2", .ok, "at \(mount)" + (groups.old.isEmpty ? "" : ", beside v1 (hybrid)"))
        switch groups.base {
        case .success(.directory(let path)): add("limits", "delegation", .ok, "the jail's cgroup is made in \(path)")
        case .success(.scope(let manager)):
            add(
                "limits", "delegation", .ok, "the \(manager.rawValue) manager is asked for a scope, delegated to immure"
            )
        case .failure(let refusal): add("limits", "delegation", .absent, refusal.message, remedy: refusal.remedy)
        }
        for controller in ["cpu", "cpuset", "io", "memory", "pids"] { examine(controller, groups) }
    }

    private mutating func examine(_ controller: String, _ groups: ControlGroups) {
        if let refusal = groups.refusal(of: controller) {
            add("limits", controller, .absent, refusal.message, remedy: refusal.remedy)
        } else if case .success(.scope(.user)) = groups.base, let handed = handedToUsers, !handed.contains(controller) {
            add(
                "limits", controller, .absent, "the \(controller) controller is not delegated to users",
                remedy: Remedy.delegateToUsersAndLogin)
        } else {
            add("limits", controller, .ok, Self.keys(controller))
        }
    }

    /// What the caller's service manager was given to hand on; nil where that cannot be read.
    private var handedToUsers: [String]? {
        let slice = "/sys/fs/cgroup/user.slice/user-\(evidence.uid).slice/user@\(evidence.uid).service"
        return evidence.text(slice + "/cgroup.controllers")?.split(separator: " ").map(String.init)
    }

    private static func keys(_ controller: String) -> String {
        switch controller {
        case "cpu": "limits.cpu, cpu_weight"
        case "cpuset": "limits.cpus"
        case "io": "limits.io, io_weight"
        case "memory": "limits.memory, memory_high, swap"
        default: "limits.pids"
        }
    }
}
