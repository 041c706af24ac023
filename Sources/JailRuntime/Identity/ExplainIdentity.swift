import JailPlan
import JailSpec
import Kernel

/// Why ids cannot be mapped or taken.
extension Explanation {
    var mapHint: String? {
        guard case .identity(.mapIdentities(let maps))? = step?.operation else { return nil }
        if let appArmorHint { return appArmorHint }
        if failure.errno == .readOnly { return Remedy.writableProc }
        guard failure.errno == .notPermitted || failure.errno == .invalid else { return procfsHint }
        switch maps.writer {
        case .itself where evidence.uid == 0:
            // user_namespaces(7): since Linux 5.12 the parent's uid 0 is mapped only by a holder of CAP_SETFCAP.
            return "uid 0 of this container lacks CAP_SETFCAP, without which it cannot be mapped: start the container "
                + "with that capability, or as another uid"
        case .itself: return nil
        case .launcher:
            return evidence.isInUserNamespace ? missingIDHint : Self.identityHintOfCapabilities
        case .helpers: return nil
        }
    }

    /// What newuidmap or newgidmap said is in the message; its usual reasons are three.
    var helperHint: String? {
        guard failure.call == .newuidmap || failure.call == .newgidmap else { return nil }
        let file: SubordinateFile = failure.call == .newgidmap ? .subgid : .subuid
        if let remedy = evidence.nameRemedy { return remedy }
        guard evidence.text(file.path) != nil else {
            return "\(file.path) is missing; \(evidence.rangeRemedy(in: file))"
        }
        if failure.text.contains("is owned by a different user") {
            return
                "\(failure.call.name)(1) serves an account with its own group: give the unit no Group=, and what it is to have besides "
                + "by SupplementaryGroups="
        }
        if evidence.isInUserNamespace {
            return
                "this user namespace does not have the ids of \(file.path), see /proc/self/uid_map; where it is a unit's: "
                + "PrivateUsers=no"
        }
        return "the ranges must lie within the caller's in \(file.path), and the program be set-user-ID root"
    }

    /// EINVAL for an id that the user namespace around the launcher does not map.
    var missingIDHint: String {
        "this container does not have all these ids, see /proc/self/uid_map; name one that it has, as in "
            + "identity.user = 0 and identity.group = 0, or give the container more"
    }

    private static let identityHintOfCapabilities = "the caller lacks CAP_SETUID or CAP_SETGID: launch with them"

    var identityHint: String? {
        switch failure.errno {
        case .invalid:
            "this user namespace does not have the id, see /proc/self/uid_map and gid_map there: name one that it has, by "
                + "identity.user and identity.group"
        case .notPermitted where failure.call == .setgroups && evidence.deniesGroups:
            "setgroups(2) is denied in this user namespace: a gid map by newgidmap, or by root outside, leaves it allowed"
        case .notPermitted: Self.identityHintOfCapabilities
        default: nil
        }
    }

    /// Files of procfs that the launch writes to.
    var procfsHint: String? {
        switch failure.errno {
        case .readOnly: Remedy.writableSysctls
        case .accessDenied where failure.text.hasSuffix("oom_score_adj"), .notPermitted:
            "a value below the caller's own needs CAP_SYS_RESOURCE: \(Remedy.launchAsRoot)"
        case .accessDenied: appArmorHint
        default: nil
        }
    }

    var attributeHint: String? {
        switch (step?.operation, failure.errno) {
        case (.limits(.setResourceLimit(let resource, _, _))?, .notPermitted),
            (.limits(.raiseHardLimit(let resource, _))?, .notPermitted):
            "raising a hard limit needs CAP_SYS_RESOURCE; `ulimit -H` and /proc/self/limits show what \(resource.name) has"
        case (.process(.setNice)?, .accessDenied), (.process(.setNice)?, .notPermitted):
            "only root may lower the nice value (unless RLIMIT_NICE allows)"
        case (.process(.setAffinity)?, .invalid):
            "none of these CPUs is there or allowed; /proc/self/status has Cpus_allowed_list"
        default: nil
        }
    }
}

extension Evidence {
    /// Whether setgroups(2) is denied in this user namespace, user_namespaces(7).
    var deniesGroups: Bool { text("/proc/self/setgroups") == "deny" }
}
