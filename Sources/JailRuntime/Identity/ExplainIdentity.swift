import JailPlan
import JailSpec
import Kernel

/// Why ids cannot be mapped or taken.
extension Explanation {
    var mapHint: String? {
        guard case .mapIdentities(let maps)? = step?.operation else { return nil }
        if let appArmorHint { return appArmorHint }
        if failure.errno == .readOnly {
            return "/proc is read-only here, and id maps are written through it: give the outer container a procfs of "
                + "its own (\(Remedy.procOfBubblewrap))"
        }
        guard failure.errno == .notPermitted || failure.errno == .invalid else { return procfsHint }
        switch maps.writer {
        case .itself where evidence.uid == 0:
            // user_namespaces(7): since Linux 5.12 the parent's uid 0 is mapped by a holder of CAP_SETFCAP alone.
            return "uid 0 of this container lacks CAP_SETFCAP, without which it cannot be mapped: start the container "
                + "with that capability, or as another uid"
        case .itself: return "the caller's own id could not be mapped: its uid is perhaps not mapped where it is now"
        case .launcher:
            return evidence.isInUserNamespace
                ? "this container does not have all these ids, see /proc/self/uid_map; name one that it has, as in "
                    + "identity.user = 0 and identity.group = 0, or give the container more"
                : "the ranges overlap, or the caller lacks CAP_SETUID or CAP_SETGID"
        case .helpers: return nil
        }
    }

    /// What newuidmap or newgidmap said is in the message; its usual reasons are three.
    var helperHint: String? {
        let file: SubordinateFile = failure.call == .newgidmap ? .subgid : .subuid
        if let remedy = evidence.nameRemedy { return remedy }
        guard evidence.text(file.path) != nil else {
            return "\(file.path) is missing; \(evidence.rangeRemedy(in: file))"
        }
        return "the ranges must lie within the caller's in \(file.path), and the program be set-user-ID root"
    }

    var identityHint: String? {
        switch failure.errno {
        case .invalid: "the id is not mapped in the jail: add a line to uid_map or gid_map that contains it"
        case .notPermitted where failure.call == .setgroups && evidence.text("/proc/self/setgroups") == "deny":
            "setgroups(2) is denied in the user namespace that immure was started in: a gid map by newgidmap, or by "
                + "root outside, leaves it allowed"
        case .notPermitted:
            "the caller lacks CAP_SETUID or CAP_SETGID here: \(Remedy.launchAsRoot), or \(Remedy.own(.user))"
        default: nil
        }
    }

    /// Files of procfs that the launch writes to.
    var procfsHint: String? {
        switch failure.errno {
        case .readOnly:
            "this container has /proc/sys read-only: start it with `\(Remedy.uncoveredContainer)`, or \(Remedy.nested)"
        case .accessDenied where failure.text.hasSuffix("oom_score_adj"), .notPermitted:
            "only a privileged caller may write this value"
        case .accessDenied: appArmorHint
        default: nil
        }
    }

    var attributeHint: String? {
        switch (step?.operation, failure.errno) {
        case (.setResourceLimit(let resource, _, _)?, .notPermitted),
            (.raiseHardLimit(let resource, _)?, .notPermitted):
            "raising a hard limit needs CAP_SYS_RESOURCE; `ulimit -H` and /proc/self/limits show what \(resource.name) has"
        case (.setResourceLimit?, .invalid): "the soft limit must not be above the hard one"
        case (.setNice?, .accessDenied), (.setNice?, .notPermitted):
            "only root may lower the nice value (unless RLIMIT_NICE allows)"
        case (.setAffinity?, .invalid):
            "none of these CPUs is there or allowed; /proc/self/status has Cpus_allowed_list"
        default: nil
        }
    }
}
