import JailSpec
import SpecFile

extension Check {
    static let identity: [Check] = [
        Check(
            "identity.user", 30, "where root launches, the command is the host's uid 0",
            advice: "an id of its own, or uid_map = \"auto\" for a root without the host's files"
        ) { $0.identity.hostRoot },
        Check(
            "identity.user", advice: "leave it out: nobody, where root launches; or a number that no file belongs to"
        ) { spec in
            // As root every id is mapped to the host's own of that number, unless a map says otherwise.
            guard spec.identity.uidMap == nil, spec.identity.hostRoot == nil, let user = spec.identity.user,
                !user.value.isNobody
            else { return [] }
            let what = "where root launches, the command is the host's user \(user.value.text)"
            guard !user.value.isSubordinate else {
                return [Opening(weight: 1, what: what + ", if there is one", origin: user.position)]
            }
            return [spec.user(what, at: user.position)]
        },
        Check("identity.group", advice: "leave it out: nogroup, where root launches; or gid_map = \"auto\"") { spec in
            guard spec.identity.gidMap == nil, let group = spec.identity.group,
                let danger = Group.danger(of: group.value)
            else { return [] }
            let what = "where root launches, the command is in the host's group \(group.value.text): \(danger.why)"
            return [Opening(weight: danger.weight, what: what, origin: group.position)]
        },
        Check(
            "identity.uid_map", 3, "the command can be more than one user",
            advice: "leave it out unless the command changes users"
        ) { $0.identity.uidMap },
        Check("identity.uid_map", advice: "\"auto\": ids that nothing of the host belongs to") { spec in
            guard spec.identity.hostRoot == nil, let map = spec.identity.uidMap, case .ranges(let ranges) = map.value
            else { return [] }
            let reached = ranges.first { $0.count > 0 && $0.outside < 65534 }
            return reached.map {
                [spec.user("where root launches, the command can be the host's user \($0.outside)", at: map.position)]
            } ?? []
        },
        Check(
            "identity.gid_map", 2, "the command can be in more than one group",
            advice: "leave it out unless the command changes groups"
        ) { $0.identity.gidMap },
        Check("identity.gid_map", advice: "\"auto\": ids that nothing of the host belongs to") { spec in
            guard let map = spec.identity.gidMap, case .ranges(let ranges) = map.value else { return [] }
            let dangers = ranges.compactMap { Group.danger(from: $0.outside, count: $0.count) }
            guard let danger = dangers.max(by: { $0.weight < $1.weight }) else { return [] }
            let what = "where root launches, the command can be in groups of the host: \(danger.why)"
            return [Opening(weight: danger.weight, what: what, origin: map.position)]
        },
        Check("identity.groups", advice: "leave out the groups that nothing needs") { spec in
            guard let groups = spec.identity.groups else { return [] }
            return groups.value.map { group in
                // A map decides which groups of the host they are: that is its own row.
                let danger = spec.identity.gidMap == nil ? Group.danger(of: group) : nil
                let what = "what the group \(group.text) may" + (danger.map { ": \($0.why)" } ?? "")
                return Opening(weight: danger?.weight ?? 1, what: what, origin: groups.position)
            }
        },
        Check(
            "identity.umask", 2, "files that the command makes can be changed by others",
            advice: "umask = \"022\", or \"077\""
        ) { $0.identity.umask?.found { $0 & 0o022 != 0o022 } },
    ]
}

extension Spec {
    /// A user of the host: its files wherever they are shown, and its processes where those are within reach.
    fileprivate func user(_ what: String, at origin: Position?) -> Check.Opening {
        let reachesProcesses = !namespaces[.pid].value.isNew
        return Check.Opening(
            weight: reachesProcesses ? 20 : 10,
            what: what + ", with its files" + (reachesProcesses ? " and its processes" : ""), origin: origin)
    }
}

extension Identity {
    /// The line by which the host's uid 0 can act inside.
    var hostRoot: Located<Account>? {
        if let map = uidMap { return map.value.reachesRoot ? Located(.id(0), at: map.position) : nil }
        return user?.found { $0 == .id(0) || $0 == .name("root") }
    }
}

extension Identity.Account {
    /// A number beyond those that users of the host have: it may be somebody's subordinate id (subuid(5)).
    fileprivate var isSubordinate: Bool { if case .id(let id) = self { id > 65535 } else { false } }
}

extension Identity.IdentityMap {
    fileprivate var reachesRoot: Bool {
        if case .ranges(let ranges) = self { ranges.contains { $0.outside == 0 } } else { false }
    }
}

extension Check {
    static let capabilities: [Check] = [
        Check("capabilities", advice: "leave it out; or a user namespace of the jail's own, where it reaches less") {
            spec in
            let isOwn = spec.namespaces[.user].value.isNew && spec.identity.hostRoot == nil
            return Capability.allCases.compactMap { capability in
                let sets = spec.capabilities
                let held = [sets.keep, sets.permitted, sets.effective, sets.ambient].lazy.compactMap { $0 }
                    .first { $0.value.contains(capability) }
                let gainable = [sets.bounding, sets.inheritable].lazy.compactMap { $0 }
                    .first { $0.value.contains(capability) }
                guard let set = held ?? gainable else { return nil }
                let (host, own, what) = capability.danger
                let weight = isOwn ? own : host
                return Opening(
                    weight: held == nil ? weight / 2 : weight,
                    what: "\(capability.name)\(held == nil ? " can be gained" : ""): \(what)"
                        + (isOwn ? ", within the jail's own user namespace" : ""),
                    origin: set.position)
            }
        }
    ]
}

extension Capability {
    /// Tenths of a point over the host and within a user namespace of the jail's own, and what it allows. Within a
    /// namespace the kernel asks many of them of the host's root alone (capable() instead of ns_capable()).
    var danger: (host: Int, own: Int, what: String) {
        switch self {
        case .sys_admin: (60, 25, "mounts, namespaces and a hundred other things")
        case .sys_module: (60, 1, "loads code into the kernel")
        case .sys_rawio: (60, 1, "reads and writes devices and ports past the kernel")
        case .sys_ptrace: (30, 6, "reads and changes other processes")
        case .sys_boot: (30, 1, "restarts the machine, or another kernel")
        case .mac_admin, .mac_override: (30, 1, "passes over the host's security modules")
        case .bpf: (30, 1, "runs programs in the kernel")
        case .dac_override, .dac_read_search: (25, 10, "passes over the permissions of files")
        case .setuid, .setgid: (20, 8, "becomes any user or group that is mapped")
        case .setfcap, .setpcap: (20, 8, "gives capabilities to files and processes")
        case .chown, .fowner: (15, 6, "takes files over")
        case .mknod: (15, 1, "makes device files")
        case .net_admin: (15, 10, "routes, addresses and packet filters")
        case .perfmon: (15, 1, "watches the whole machine")
        case .checkpoint_restore: (15, 4, "reads and chooses what belongs to other processes")
        case .sys_time: (15, 1, "sets the clock")
        case .sys_resource: (10, 2, "passes over limits")
        case .sys_chroot: (8, 4, "changes the root, which set-user-id programs rely on")
        case .net_raw: (8, 4, "forges and reads packets")
        case .kill: (8, 2, "signals every process in sight")
        case .ipc_owner: (8, 2, "opens the IPC objects of others")
        case .syslog: (8, 1, "reads the kernel's log and addresses")
        case .fsetid, .linux_immutable, .sys_tty_config: (6, 2, "changes marks of files and terminals")
        case .audit_control, .audit_read, .audit_write: (6, 1, "reads or fills the audit log")
        case .ipc_lock, .sys_nice: (4, 1, "takes memory or processor from others")
        case .sys_pacct, .lease, .wake_alarm, .block_suspend, .net_broadcast, .net_bind_service:
            (2, 1, "a small right of the host's")
        }
    }
}
