import JailPlan
import Kernel
import SpecFile

/// Why a limit could not be put in force.
extension Explanation {
    /// `controller path`, as `enableControllers` reports it.
    var controllerMissing: String {
        let words = failure.text.split(separator: " ", maxSplits: 1)
        return "the \(words.first ?? "") controller does not reach \(words.last ?? "")"
    }

    /// The first line that needs the controller: files of cgroupfs begin with its name.
    var limitOrigin: Position? {
        let controller = failure.text.split(separator: " ").first ?? ""
        for step in plan.steps {
            if case .setLimit(let setting) = step.operation, setting.file.hasPrefix(controller + ".") {
                return step.origin
            }
        }
        return nil
    }

    var controllerHint: String {
        guard case .enableControllers(.scope(.user), _)? = step?.operation else {
            return "\(Remedy.delegateToUnit), or enable it in cgroup.subtree_control of each group above"
        }
        return Remedy.delegateToUsersAndLogin
    }

    /// `file answer`, as `setLimit` reports it.
    var limitDiffers: String {
        let words = failure.text.split(separator: " ", maxSplits: 1)
        return "\(words.first ?? "") says \(words.last ?? "") afterwards"
    }

    var limitDiffersHint: String {
        failure.text.hasPrefix("cpuset")
            ? "those are the CPUs that the groups above leave" : "the kernel cannot keep to what was asked for"
    }

    var limitHint: String? {
        guard case .setLimit(let setting)? = step?.operation else { return groupHint }
        if failure.errno == .noEntry {
            switch setting.file {
            case "memory.swap.max":
                return "this kernel does not count swap: boot with swapaccount=1, or remove the line"
            case "cpu.max": return "this kernel has no CPU quotas (CONFIG_CFS_BANDWIDTH)"
            case "io.weight", "io.bfq.weight": return "this kernel shares no disk by weight (CONFIG_BLK_CGROUP_IOCOST)"
            case "io.max": return "this kernel limits no disk (CONFIG_BLK_DEV_THROTTLING)"
            default: return "this kernel is too old for it, or was built without it"
            }
        }
        if setting.file == "io.max" && failure.errno == .noDevice {
            return "name a whole disk that limits can be set for"
        }
        if setting.file.hasPrefix("cpuset") {
            return "the host may not have these CPUs: see /sys/devices/system/cpu/online"
        }
        return nil
    }

    private var groupHint: String? {
        switch failure.errno {
        case .busy:
            return "processes that cannot be moved are in the cgroup: start immure as a unit of its own, "
                + Remedy.runInScope
        case .accessDenied, .notPermitted, .readOnly:
            return "the cgroup is not delegated to the caller: " + Remedy.runInScope
        case .notSupported: return "a threaded cgroup can have no group of processes below it"
        case .again, .noSpace:
            return "cgroup.max.descendants or cgroup.max.depth of a group above leaves no room for another"
        default: return nil
        }
    }
}
