import JailPlan
import JailSpec
import Kernel

/// Why namespaces cannot be made or joined. The kernel has one EPERM for a dozen reasons: the host is asked which holds.
extension Explanation {
    func namespaceHint(_ kinds: [NamespaceKind]) -> String? {
        switch failure.errno {
        case .notPermitted, .accessDenied: return forbiddenHint(kinds)
        case .noSpace, .users: return limitHint(kinds)
        case .invalid: return missingKindHint(kinds)
        case .unsupported:
            return filterHint ?? "the kernel has no clone3(2): "
                + Remedy.kernel(KernelFeature.clone3.since, running: kernelRelease())
        default: return nil
        }
    }

    /// EPERM of clone(2), unshare(2): the reasons in the order of how sure they are.
    private func forbiddenHint(_ kinds: [NamespaceKind]) -> String? {
        guard kinds.contains(.user) else {
            if evidence.uid == 0, let filterHint { return filterHint }
            return "CAP_SYS_ADMIN is needed without a user namespace: \(Remedy.launchAsRoot), or \(Remedy.own(.user))"
        }
        if evidence.number("/proc/sys/kernel/unprivileged_userns_clone") == 0, evidence.uid != 0 {
            return "user namespaces are off for ordinary users; " + Remedy.allowUserNamespaces
        }
        if let appArmorHint { return appArmorHint }
        if let filterHint { return filterHint }
        if evidence.isInChroot {
            return "the caller is in a chroot, where user namespaces cannot be made; enter it by pivot_root instead"
        }
        if evidence.uid == 65534 {
            return "the caller's uid is not mapped in its own user namespace (it shows as 65534)"
        }
        return
            "the kernel refuses user namespaces in a chroot (also one whose root is itself a mount) and to callers whose "
            + "ids are not mapped: start immure outside of it"
    }

    /// Ubuntu's restriction: the namespace is made, but without capabilities, so that whatever comes next fails.
    var appArmorHint: String? {
        guard [.notPermitted, .accessDenied].contains(failure.errno), evidence.uid != 0,
            evidence.number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1
        else { return nil }
        return "AppArmor restricts user namespaces; " + Remedy.loosenAppArmor
    }

    /// A seccomp filter that this process was started under.
    var filterHint: String? {
        guard evidence.status("Seccomp") == "2" else { return nil }
        return "a seccomp filter that immure was started under refuses it: in a container, start that with "
            + "\(Remedy.unfilteredContainer), or with a profile that allows clone, clone3, unshare and mount; "
            + "in a jail of immure's own, \(Remedy.nested) in its spec"
    }

    /// The calls of the launch that such a filter refuses, where the one that failed is among them: each is tried.
    var refusedCallsHint: String? {
        guard evidence.status("Seccomp") == "2" else { return nil }
        let refused = evidence.refusedCalls(plan).map(\.name).filter { !TriedCalls.dispensable.contains($0) }
        guard refused.contains(failure.call.name) else { return nil }
        let names = refused.joined(separator: ", ")
        return "a seccomp filter that immure was started under refuses \(names): let it allow them, in a container's "
            + "profile, or by starting that with \(Remedy.unfilteredContainer)"
    }

    /// ENOSPC: a limit of namespaces(7), of this user namespace or of one around it.
    private func limitHint(_ kinds: [NamespaceKind]) -> String? {
        var lowest: (kind: NamespaceKind, value: Int)?
        for kind in kinds {
            guard let value = evidence.number("/proc/sys/user/max_\(kind.sysctlName)_namespaces") else { continue }
            if value < lowest?.value ?? .max { lowest = (kind, value) }
        }
        guard let lowest else { return nil }
        let name = "user.max_\(lowest.kind.sysctlName)_namespaces"
        guard lowest.value == 0 else {
            return "a limit on namespaces is reached, or they are 32 deep; \(name) is \(lowest.value), the lowest"
        }
        if evidence.isInUserNamespace {
            return "\(lowest.kind.rawValue) namespaces are forbidden in this container or jail; "
                + "where that is immure's, \(Remedy.nested) in its spec"
        }
        return "\(lowest.kind.rawValue) namespaces are off: \(name) is 0; \(Remedy.raiseLimit(name))"
    }

    private func missingKindHint(_ kinds: [NamespaceKind]) -> String? {
        let missing = kinds.filter { !evidence.exists("/proc/" + $0.procLink) }.map(\.rawValue)
        guard !missing.isEmpty else { return nil }
        return "this kernel was built without namespaces of these kinds: \(missing.joined(separator: ", "))"
    }

    var joinHint: String? {
        switch failure.errno {
        case .notPermitted:
            "joining needs CAP_SYS_ADMIN in the user namespace that owns it: \(Remedy.launchAsRoot), or join that one too "
                + "with namespaces.user = \"/proc/PID/ns/user\""
        case .accessDenied: "another user's process: launch as that user, or as root"
        case .invalid: "the file is not a namespace of that kind, or it is the caller's own user namespace"
        case .noEntry: "the process has ended, or the file was never made"
        default: nil
        }
    }
}

extension NamespaceKind {
    /// As /proc/sys/user has it.
    var sysctlName: String { self == .mount ? "mnt" : rawValue }
}

extension Evidence {
    /// Whether the caller is in a user namespace other than the initial one, whose map is the identity on all ids.
    var isInUserNamespace: Bool {
        guard let map = text("/proc/self/uid_map") else { return false }
        return map.split(separator: " ").map(String.init) != ["0", "0", "4294967295"]
    }

    /// Whether the root directory is no mount of its own in this mount namespace: user_namespaces(7), EPERM.
    var isInChroot: Bool {
        guard let mounts = text("/proc/self/mountinfo") else { return false }
        return !mounts.split(separator: "\n").contains { line in
            let fields = line.split(separator: " ", maxSplits: 5)
            return fields.count > 4 && fields[4] == "/"
        }
    }
}
