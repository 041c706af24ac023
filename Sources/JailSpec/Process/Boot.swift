import LinuxFacts
import SpecFile

/// What `process.boot` stands for: each line that an init needs and that the spec does not have. What is written stays.
extension Decoding {
    func boot(_ spec: inout Spec) {
        let place = spec.process.boot.position
        if spec.process.initProcess.value, let written = spec.process.initProcess.position {
            report("process.init: with process.boot the command is pid 1", at: written, hint: "remove it")
        }
        for kind in [NamespaceKind.pid, .mount, .cgroup] where !spec.namespaces[kind].value.isNew {
            report(
                "process.boot needs a \(kind.rawValue) namespace of the jail's own",
                at: spec.namespaces[kind].position, hint: "remove it")
        }
        spec.process.initProcess = Located(false, at: place)
        if spec.command == nil { spec.command = Located(["/sbin/init"], at: place) }
        // systemd waits so long for a service (DefaultTimeoutStopSec=).
        if spec.grace.position == nil { spec.grace = Located(.seconds(90), at: place) }
        if spec.namespaces.nested.position == nil { spec.namespaces.nested = Located(true, at: place) }
        if !spec.capabilities.isWritten {
            // With these a command could change the rules around a network that leads out, or send past them.
            let beyond = CapabilitySet(.net_admin) | CapabilitySet(.net_raw)
            let all = Self.capabilitiesOfInit
            let kept = spec.network.leadsOut ? all.without(beyond) : all
            spec.capabilities.keep = Located(kept, at: place)
        }
        if spec.limits == nil { spec.limits = Located(Limits(), at: place) }
        if !spec.environment.set.contains(where: { $0.name == "container" }) {
            // https://systemd.io/CONTAINER_INTERFACE
            spec.environment.set.append((name: "container", value: Located("immure", at: place)))
        }
        identify(&spec.identity, place, mapping: spec.namespaces[.user].value.isNew)
        mountWhatInitNeeds(&spec, place)
    }

    /// Root inside, with all the ids that the caller can give.
    private func identify(_ identity: inout Identity, _ place: Position?, mapping: Bool) {
        if identity.user == nil { identity.user = Located(.id(0), at: place) }
        if identity.group == nil { identity.group = Located(.id(0), at: place) }
        guard mapping else { return }
        if identity.uidMap == nil { identity.uidMap = Located(.automatic, at: place) }
        if identity.gidMap == nil { identity.gidMap = Located(.automatic, at: place) }
    }

    private func mountWhatInitNeeds(_ spec: inout Spec, _ place: Position?) {
        let written = spec.filesystem.mounts.map(\.target)
        func add(_ target: String, _ source: Mount.Source, _ options: MountOptions = MountOptions()) {
            if written.contains(target) { return }
            spec.filesystem.mounts.append(Mount(target: target, source: source, options: options, position: place))
        }
        add("/run", .tmpfs(size: nil, inodes: nil, mode: 0o755))
        // One of the host's network is not the jail's to mount.
        if !spec.sharesNetwork { add("/sys", .sysfs) }
        add("/sys/fs/cgroup", .cgroup, MountOptions(opening: .readOnly))
        guard case .minimal = spec.filesystem.devices.value, !written.contains("/dev") else { return }
        if spec.namespaces[.ipc].value.isNew { add("/dev/mqueue", .mqueue) }
        // The jail's terminal is the first of its own devpts.
        if spec.process.tty.value == .auto, !written.contains("/dev/pts") { add("/dev/console", .symlink(to: "pts/0")) }
    }

    /// Those that mean something in a user namespace and that systemd-nspawn(1) leaves to an init, with net_admin for the jail's own
    /// network.
    private static let capabilitiesOfInit: CapabilitySet = {
        let kept: [Capability] = [
            .chown, .dac_override, .dac_read_search, .fowner, .fsetid, .ipc_owner, .kill, .net_admin, .net_bind_service,
            .net_broadcast, .net_raw, .setfcap, .setgid, .setpcap, .setuid, .sys_admin, .sys_boot, .sys_chroot,
            .sys_nice,
            .sys_ptrace, .sys_resource, .sys_tty_config, .audit_write,
        ]
        return kept.reduce(CapabilitySet()) { $0 | CapabilitySet($1) }
    }()
}
