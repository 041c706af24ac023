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
            if case .limits(.setLimit(let setting)) = step.operation, setting.file.hasPrefix(controller + ".") {
                return step.origin
            }
        }
        return nil
    }

    /// Of another group than a user's scope the planner has seen it.
    var controllerHint: String? {
        guard case .limits(.enableControllers(.scope(.user), _))? = step?.operation else { return nil }
        return Remedy.delegateToUsersAndLogin
    }

    /// `file answer`, as `setLimit` reports it.
    var limitDiffers: String {
        let words = failure.text.split(separator: " ", maxSplits: 1)
        return "\(words.first ?? "") says \(words.last ?? "") afterwards"
    }

    /// Elsewhere the kernel says what it was given, or refuses it.
    var limitDiffersHint: String? {
        failure.text.hasPrefix("cpuset") ? "those are the CPUs that the groups above leave" : nil
    }

    var limitHint: String? {
        guard case .limits(.setLimit(let setting))? = step?.operation else { return groupHint }
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
        if setting.file.hasPrefix("cpuset") {
            return "the host may not have these CPUs: see /sys/devices/system/cpu/online"
        }
        return nil
    }

    /// The limits on groups within groups that are set from the jail's place up, cgroups(7).
    private var roomHint: String? {
        let base = plan.steps.lazy.compactMap { step in
            if case .limits(.enableControllers(.directory(let path), _)) = step.operation { path } else { nil }
        }.first
        guard var directory = base else { return nil }
        var files: [String] = []
        while directory.utf8.count > 1, evidence.exists(directory + "/cgroup.controllers") {
            files += ["descendants", "depth"].map { "\(directory)/cgroup.max.\($0)" }.filter {
                (evidence.text($0) ?? "max") != "max"
            }
            directory = directory.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(directory[..<$0]) } ?? ""
        }
        guard !files.isEmpty else { return nil }
        return "a group above has room for no other; as root: "
            + files.map { "echo max >\($0)" }.joined(separator: "; ")
    }

    private var groupHint: String? {
        switch failure.errno {
        case .again, .noSpace:
            return roomHint
        default: return nil
        }
    }
}
