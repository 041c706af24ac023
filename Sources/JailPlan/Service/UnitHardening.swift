import JailSpec
import SpecFile
import SystemCallFilter

/// What keeps the launcher itself from what neither it nor the jail needs: each directive only where nothing of the spec asks for
/// what it takes.
///
/// Left out for every spec are those that keep a jail from being made: RestrictNamespaces=, ProtectKernelTunables= and ProcSubset=
/// (/proc/sys/user is written to in the jail's own user namespace); ProtectKernelLogs= and, from systemd 257
/// on, ProtectHostname=, as a /proc of the jail's own is given only where nothing covers a part of the one that is there; LockPersonality= and ProtectClock=, which refuse to tell
/// what personality(2) and adjtimex(2) have set as well.
extension Unit {
    mutating func harden() {
        // A network that leads out is made with /dev/net/tun, an image with a loop device, a quota with the file system's own.
        guard spec.namespaces[.user].value.isNew, spec.namespaces[.mount].value.isNew, !needsRoot,
            !spec.network.leadsOut
        else { return }
        // Without CAP_SYS_ADMIN most of these imply NoNewPrivileges=, and with that newuidmap(1) cannot work.
        guard spec.process.noNewPrivileges.value, !spec.identity.asksForSubordinates else { return }
        let why = "the launcher does without it, and in a user namespace the command has none of it"
        // What needs mounts or capabilities a user's manager does in a user namespace of the service's own, or not at all.
        if options.isUsers {
            add("NoNewPrivileges", "yes", spec.process.noNewPrivileges.position, "of the launcher as well")
        } else {
            hardenTree()
            hardenDevices()
            hardenNetwork()
            add("ProtectKernelModules", "yes", nil, why)
            add("PrivateMounts", "yes", nil, why)
            if spec.namespaces[.pid].value.isNew && !uses(["/proc"]) { add("ProtectProc", "invisible", nil, why) }
            if spec.hostname == nil && !spec.filesystem.proc.value { add("ProtectHostname", "yes", nil, why) }
            // A user namespace of the service's own does not own the network whose port it is to have.
            if isDynamic && !bindsLowPort {
                add("PrivateUsers", "yes", nil, "the launcher and the jail are the unit's own user, and nobody else")
            }
        }
        add("RestrictRealtime", "yes", nil, why)
        if startsAsUser && !options.isUsers {
            if bindsLowPort {
                add("CapabilityBoundingSet", "CAP_NET_BIND_SERVICE", nil, "the launcher does without every other")
            } else {
                add("CapabilityBoundingSet", "", nil, why)
            }
        }
        hardenCalls()
    }

    /// Of what the launcher does without: what the jail's own filter refuses as well, or the kernel in every user namespace.
    private mutating func hardenCalls() {
        let filter = EffectivePolicy.resolve(spec.seccomp, in: spec.filterContext).policy
        let why = "what the filter of the jail refuses as well"
        if let filter, filter.others.isEmpty { add("SystemCallArchitectures", "native", nil, why) }
        func isRefused(_ group: String) -> Bool { filter?.refuses(group: group) ?? false }
        let groups = ["@cpu-emulation", "@module", "@obsolete", "@raw-io", "@reboot", "@swap"].filter { group in
            // init_module(2), iopl(2) and swapon(2) take a capability of the machine itself.
            isRefused(group) || ["@module", "@raw-io", "@swap"].contains(group) && !names(group)
        }
        guard !groups.isEmpty else { return }
        let reason =
            groups.allSatisfy(isRefused)
            ? why : "what the filter of the jail, or the kernel in every user namespace, refuses as well"
        add("SystemCallErrorNumber", "EPERM", nil, reason)
        add("SystemCallFilter", "~\(plain: groups.joined(separator: " "))", nil, reason)
    }

    /// Whether `[seccomp]` has by name what is of the group.
    private func names(_ group: String) -> Bool {
        guard let written = spec.seccomp?.value else { return false }
        return (written.allow.map(\.value) + written.rules.map(\.call.value)).contains {
            $0 == group || CallNames.groups(of: $0).contains(group)
        }
    }

    private mutating func hardenTree() {
        let why = "the jail has nothing from there, or does not write to it"
        if isDynamic {
            add("ProtectSystem", "strict", nil, "the jail writes to the unit's own directories only")
        } else if !writes(below: ["/usr", "/boot", "/efi", "/etc"]) {
            add("ProtectSystem", "full", nil, why)
        }
        if !uses(["/home", "/root", "/run/user"]) { add("ProtectHome", "yes", nil, why) }
        if !uses(["/tmp", "/var/tmp"]) { add("PrivateTmp", "yes", nil, why) }
        let hasGroups = spec.filesystem.mounts.contains { $0.source == .cgroup }
        if spec.limits == nil && !hasGroups && !uses(["/sys"]) { add("ProtectControlGroups", "yes", nil, why) }
    }

    private mutating func hardenDevices() {
        guard !uses(["/dev"]), spec.filesystem.devices.value != .host else { return }
        let why = "no device is in the jail but those that every service has"
        add("PrivateDevices", "yes", nil, why)
    }

    private mutating func hardenNetwork() {
        switch spec.network.mode?.value {
        case nil, .none?: break
        case .host?, .user?, .veth?, .macvlan?, .ipvlan?: return
        }
        // A published port is one of the unit's network.
        guard spec.namespaces[.net].value.isNew, spec.network.publish.isEmpty else { return }
        let why = "the jail has a network of its own that leads nowhere"
        add("PrivateNetwork", "yes", nil, why)
        if !spec.service.sockets.value && !spec.namespaces.nested.value {
            add("IPAddressDeny", "any", nil, why)
            add("IPAddressAllow", "localhost", nil, why)
        }
        if !choosesSockets && !spec.capabilities.isWritten {
            add("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK", nil, why)
        }
    }

    /// Whether `[seccomp]` says by itself of which families sockets may be.
    private var choosesSockets: Bool {
        guard let written = spec.seccomp?.value else { return false }
        switch written.profile?.value {
        case nil, .default?, .strict?: break
        case SeccompPolicy.Profile.none?, .file?: return true
        }
        let names = ["socket"] + CallNames.groups(of: "socket")
        return (written.allow.map(\.value) + written.rules.map(\.call.value)).contains { names.contains($0) }
    }

    /// Whether a launch needs privileges on the host, or its devices, whatever the ids of the command.
    var needsRoot: Bool {
        if case .image = spec.filesystem.root.value { return true }
        switch spec.network.mode?.value {
        case .veth?, .macvlan?, .ipvlan?: return true
        case nil, .none?, .host?, .user?: break
        }
        if let limits = spec.limits?.value, !limits.io.isEmpty { return true }
        return spec.filesystem.mounts.contains { mount in
            if case .image = mount.source { return true }
            return mount.quota != nil || mount.inodes != nil || mount.idmap?.value == true
        }
    }

    /// Whether the launch reads, or the jail shows, anything of the host at, below or above one of the directories.
    func uses(_ directories: [String]) -> Bool { use(of: directories) != nil }

    /// The first path for which it does.
    func use(of directories: [String]) -> String? {
        if case .host = spec.filesystem.root.value { return "/" }
        // The program and the spec.
        var paths =
            options.files + command.prefix { $0 != "--" }.filter { $0.hasPrefix("/") } + spec.filesystem.writableSources
        if case .directory(let path) = spec.filesystem.root.value { paths.append(path) }
        for mount in spec.filesystem.mounts {
            if mount.isPattern { return mount.target }
            switch mount.source {
            case .bind(let path), .image(let path, _): paths.append(path)
            case .overlay(let lower, _, _): paths += lower
            case .tmpfs, .proc, .sysfs, .devpts, .mqueue, .cgroup, .file, .passedFile, .symlink, .directory, .hidden:
                break
            }
        }
        return paths.first { Self.meet([$0], directories) }
    }

    /// Whether the jail may write to the host at, below or above one of the directories.
    private func writes(below directories: [String]) -> Bool {
        if case .host = spec.filesystem.root.value, spec.filesystem.writable.value { return true }
        return spec.filesystem.hasPatterns || Self.meet(spec.filesystem.writableSources, directories)
    }

    private static func meet(_ paths: [String], _ directories: [String]) -> Bool {
        paths.contains { path in directories.contains { path == "/" || isWithin(path, $0) || isWithin($0, path) } }
    }
}
