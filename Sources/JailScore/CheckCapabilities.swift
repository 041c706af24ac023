import JailSpec
import SpecFile

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
