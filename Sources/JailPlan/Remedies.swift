package import JailSpec
package import LinuxFacts
import SpecFile

/// What to do about what stands in the way: each text once, for the planner, for the explanation of a failure and for the
/// doctor. After "as root: " stands a command line as it is typed.
package enum Remedy {
    package static let launchAsRoot = "launch as root"

    /// A package of Debian's.
    package static func install(_ package: String) -> String { "as root: apt install \(package)" }

    package static let installUIDMap = install("uidmap")
    package static let installPasta = install(HostNetwork.Stack.pasta.package)
    package static let installNFT = install("nftables")
    package static let installFuseOverlayfs = install("fuse-overlayfs")
    package static let openFuse =
        "open it to every user, who may then mount by FUSE, as under udev's own rules; as root: chmod 666 /dev/fuse"
    package static let convertImage = "convert it: mount it as root, and mksquashfs that directory"
    package static let openTunnel =
        "open it to every user, who may then make tunnels in namespaces of their own, as under udev's own rules; as root: chmod 666 /dev/net/tun"

    package static func load(_ modules: String) -> String { "as root: modprobe \(modules)" }

    package static func setSysctl(_ name: String, to value: Int) -> String { "as root: sysctl \(name)=\(value)" }

    /// What the jail's own table refuses stays refused: nothing new comes to it.
    package static func forward(_ chain: ForwardRules.Closed) -> String {
        if chain.isLegacy {
            return
                "as root: iptables-legacy -I \(chain.chain) -i immure+ -j ACCEPT && iptables-legacy -I \(chain.chain) -o immure+ -j ACCEPT"
        }
        let rules = ["iifname", "oifname"].map { "insert rule \(chain.place) \($0) \"immure*\" accept" }
        return "as root: nft '\(rules.joined(separator: "; "))'"
    }

    /// A device node that is missing or is another device. Without /dev/null nothing could be hidden.
    package static func make(_ nodes: [DeviceNode]) -> String {
        let commands = nodes.map { node in
            "rm -f \(node.path) && mknod -m 666 \(node.path) c \(node.numbers.major) \(node.numbers.minor)"
        }
        let command = "as root: \(commands.joined(separator: " && "))"
        return command + (nodes.contains(.null) ? "" : ", or \(noDevices)")
    }

    /// A path that a unit's ProtectSystem=, ReadOnlyPaths= or DynamicUser= has made read-only, systemd.exec(5).
    package static func readWritePath(_ path: String) -> String {
        "where a unit of systemd has made it so, give the unit ReadWritePaths=\(path)"
    }

    package static let makeRoot = "make the directory, or set filesystem.root to another"
    package static let nameRoot =
        "name a directory; an image becomes the root by a [[mount]] with type = \"image\" and target = \"/\""

    package static let mountProc = "mount -t proc proc /proc"

    /// A later kernel than the running one.
    package static func kernel(_ needed: String, running: String) -> String {
        "Linux \(needed) is needed, this is \(running)"
    }

    /// What mounts are made of came with these kernels: open_tree(2) and mount_setattr(2).
    package static let mountingKernel = "5.12"
}

/// What to write in the spec.
extension Remedy {
    package static func own(_ kind: NamespaceKind) -> String { "set namespaces.\(kind.rawValue) = \"new\"" }
    package static let noDevices = "set filesystem.dev = \"none\""
    package static let noProc = "set filesystem.proc = false"
    package static let nested = "set namespaces.nested = true"
}

/// Switches of the host that turn namespaces off.
extension Remedy {
    package static let allowUserNamespaces = setSysctl("kernel.unprivileged_userns_clone", to: 1)

    /// Ubuntu's.
    package static let loosenAppArmor =
        "as root: give immure a profile with `userns,`, or sysctl kernel.apparmor_restrict_unprivileged_userns=0"

    /// A limit of namespaces(7) that is 0: the kernel's own is half of what memory has room for as threads.
    package static func raiseLimit(_ sysctl: String) -> String { setSysctl(sysctl, to: 15_000) }
}

/// How to start the container that immure runs in.
extension Remedy {
    package static let unfilteredContainer = "--security-opt seccomp=unconfined"
    package static let uncoveredContainer = "--security-opt systempaths=unconfined"
    package static let procOfBubblewrap = "bubblewrap: --proc /proc"
    package static let writableProc =
        "/proc is read-only here, and id maps are written through it: give the outer container a procfs of its own "
        + "(\(procOfBubblewrap))"
    /// Of a /proc that is covered in part no new one can be made, so that both settings are needed.
    package static let writableSysctls =
        "this container has /proc/sys read-only: start it with `\(uncoveredContainer)`, or "
        + "set namespaces.nested = true and filesystem.proc = false"
}

/// Control groups.
extension Remedy {
    /// In place of a part of the hierarchy without the caller's group: on one and the same place the kernel mounts it once.
    package static func mountOwnGroups(on place: String) -> String {
        "as root: umount \(shellWord(place)) && mount -t cgroup2 none \(shellWord(place))"
    }
    package static let mountGroups = "as root: mount -t cgroup2 none /sys/fs/cgroup"
    /// A group that is to be left to a user: cgroups(7), delegation. Never the root group, which all others hang on: a new
    /// one below it, into which only root may move a process.
    package static func own(_ group: String, below mount: String, uid: UInt32) -> String {
        let isRoot = group == "/"
        let directory = isRoot ? "\(mount)/user.\(uid)" : mount + group
        let files = ["", "/cgroup.procs", "/cgroup.subtree_control"].map { shellWord(directory + $0) }.joined(
            separator: " ")
        guard isRoot else { return "as root: chown \(uid) \(files)" }
        return
            "as root: mkdir \(shellWord(directory)) && chown \(uid) \(files) && echo SHELL >\(shellWord(directory + "/cgroup.procs")), with the pid "
            + "of the shell that starts immure"
    }
    package static let unifyGroups =
        "boot with systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all, so that version 2 has every controller"
    package static let runInScope = "systemd-run --user --scope -p Delegate=yes immure … (as root without --user)"
    package static let delegateToUnit = "give the unit Delegate=yes"
    package static func delegate(to unit: ControlGroups.Unit) -> String { give(unit, ["Delegate=yes"]) }
    /// Lines of a unit, which add to those that it has.
    package static func give(_ unit: ControlGroups.Unit, _ lines: [String]) -> String {
        let isUsers = unit.manager == .user
        return
            "\(isUsers ? "systemctl --user" : "as root: systemctl") edit \(unit.name), [Service] \(lines.joined(separator: "; "))"
    }
    package static let delegateScope = "start it by systemd-run --scope -p Delegate=yes …"
    static func shareDisk(_ major: UInt32, _ minor: UInt32) -> String {
        "as root: echo bfq >/sys/dev/block/\(major):\(minor)/queue/scheduler, or "
            + "echo '\(major):\(minor) enable=1' >/sys/fs/cgroup/io.cost.qos"
    }
    package static let ownScope = "set limits.scope = \"own\""
    package static let stayInUnit = "set limits.scope = \"unit\""
    /// In force for whoever logs in from then on.
    package static let delegateToUsers =
        "as root: systemctl edit user@.service, [Service] Delegate=cpu cpuset io memory pids"
    package static let delegateToUsersAndLogin = delegateToUsers + "; then log in again"
}

/// Landlock.
extension Remedy {
    package static let bootLandlock =
        "boot with lsm=landlock,… (Linux \(LandlockABI.files.facts.kernel) with CONFIG_SECURITY_LANDLOCK)"
}
