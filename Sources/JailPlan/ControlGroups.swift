/// What was found of cgroups(7) for a spec with `[limits]`: a value, so that tests can emulate any host.
package struct ControlGroups: Equatable, Sendable {
    /// One directory of the version 2 hierarchy.
    package struct Group: Equatable, Sendable {
        /// Below the mount: `/system.slice/x.service`, or `/` for the top.
        package var path: String
        /// What cgroup.type says; nil at the kernel's own root, which has no such file.
        package var type: String? = "domain"
        /// What cgroup.controllers lists.
        package var controllers: [String] = []
        /// What cgroup.subtree_control lists.
        package var enabled: [String] = []
        /// Whether the caller may make groups in it and move processes into it.
        package var isWritable = false
        /// Whether systemd has left it to what runs in it (`Delegate=yes`): the attribute `user.delegate`.
        package var isDelegated = false

        package init(path: String) { self.path = path }

        var name: Substring { path.split(separator: "/").last ?? "" }
        /// Whether the name is one that systemd gives to its units.
        var isUnit: Bool { [".service", ".scope", ".slice"].contains { name.hasSuffix($0) } }
    }

    /// Who hands out cgroups where systemd runs.
    package enum Manager: String, Equatable, Sendable { case system, user }

    /// The group below which the jail's own is made.
    package enum Base: Equatable, Sendable {
        /// One that is there, in full.
        case directory(String)
        /// A scope unit that the manager is asked for.
        case scope(Manager)
    }

    /// The device behind an entry of `[[limits.io]]`.
    package enum Device: Equatable, Sendable {
        /// How the device shares its time by weight; none does neither.
        package enum Sharing: Equatable, Sendable { case cost, bfq, none }
        /// The whole disk, as the kernel numbers it.
        case disk(major: UInt32, minor: UInt32, sharing: Sharing)
        /// The path is on a file system without a device of its own, of this type.
        case anonymous(String)
        /// It cannot be looked at: the call and the errno.
        case missing(String)
    }

    /// Where a cgroup2 file system is mounted; nil where none is.
    package var mount: String?
    /// The controllers that version 1 hierarchies hold, which version 2 cannot have.
    package var old: [String] = []
    /// What the top of the mount has to offer.
    package var available: [String] = []
    /// The caller's own group; nil where it is not below the mount.
    package var own: Group?
    package var parent: Group?
    /// Whether systemd manages the groups of this host.
    package var isManaged = false
    /// The manager that the caller can reach.
    package var manager: Manager?
    /// The groups from the top to the caller's own, where one of them holds back a controller.
    package var chain: [Group] = []
    /// One for each entry of `[[limits.io]]`.
    package var devices: [Device] = []

    package init() {}

    /// The group that holds immure's own processes, so that its parent may have controllers for its children.
    package static let supervisorName = "immure.supervisor"

    /// Where the jail's group goes, or why it can go nowhere.
    package var base: Result<Base, Refusal> {
        guard let mount else {
            return .failure(
                old.isEmpty
                    ? Refusal("no cgroup2 file system is mounted", "as root: mount -t cgroup2 none /sys/fs/cgroup")
                    : Refusal("this host has cgroups of version 1 alone", Self.unifiedRemedy))
        }
        guard let own else {
            return .failure(
                Refusal("the caller's own cgroup is not to be seen below \(mount)", "mount cgroup2 in this container"))
        }
        if own.isDelegated && own.isWritable { return directory(own, below: mount) }
        // A leaf inside what was delegated: immure's own for the processes that were there before, or the one that
        // DelegateSubgroup= made.
        if let parent, parent.isWritable, own.name == Self.supervisorName || (parent.isDelegated && !own.isUnit) {
            return directory(parent, below: mount)
        }
        if isManaged {
            if let manager { return .success(.scope(manager)) }
            return .failure(
                Refusal("\(own.path) is not delegated to the caller, and no manager is there to ask", Self.runRemedy))
        }
        if own.isWritable { return directory(own, below: mount) }
        return .failure(
            Refusal(
                "the caller may not make cgroups below \(own.path)",
                "as root: chown the directory \(mount)\(own.path) and its cgroup.procs and cgroup.subtree_control"))
    }

    private func directory(_ group: Group, below mount: String) -> Result<Base, Refusal> {
        if let type = group.type, type != "domain" {
            return .failure(
                Refusal(
                    "\(group.path) is \(type == "threaded" ? "a threaded cgroup" : "a cgroup of type \"\(type)\""), "
                        + "which can have no group of processes below it",
                    "start immure outside of it: systemd-run --scope -p Delegate=yes immure …"))
        }
        return .success(.directory(group.path == "/" ? mount : mount + group.path))
    }

    /// The group that `base` stands for, where it is there already.
    package var baseGroup: Group? {
        guard let mount, case .success(.directory(let path)) = base else { return nil }
        return [own, parent].compactMap { $0 }.first { path == mount + $0.path || ($0.path == "/" && path == mount) }
    }

    /// Why the jail's group would not have that controller; nil where it would.
    package func refusal(of controller: String) -> Refusal? {
        if old.contains(controller) || (controller == "io" && old.contains("blkio")) {
            return Refusal(
                "the \(controller) controller is not available: cgroup version 1 has it (a hybrid host)",
                Self.unifiedRemedy)
        }
        guard available.contains(controller) else {
            return Refusal(
                "the \(controller) controller is not available: this kernel was built or booted without it",
                "grep \(controller) /proc/cgroups /proc/cmdline; or remove the line")
        }
        guard let group = baseGroup, !group.controllers.contains(controller) else { return nil }
        let holder = chain.first { !$0.enabled.contains(controller) }
        return Refusal(
            "the \(controller) controller does not reach \(group.path)"
                + (holder.map { ": \($0.path) holds it back" } ?? ""),
            isManaged
                ? "give the unit Delegate=yes; for a user's: \(Self.userRemedy)"
                : "as root: echo +\(controller) >\(mount ?? "")\(holder?.path ?? "")/cgroup.subtree_control")
    }

    /// What stands against a limit, and what to do about it.
    package struct Refusal: Error, Equatable, Sendable {
        package let message: String
        package let remedy: String
        init(_ message: String, _ remedy: String) { (self.message, self.remedy) = (message, remedy) }
    }

    package static let unifiedRemedy =
        "boot with systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all, so that version 2 has every controller"
    package static let runRemedy = "systemd-run --user --scope -p Delegate=yes immure … (as root without --user)"
    package static let userRemedy =
        "as root: systemctl edit user@.service, [Service] Delegate=cpu cpuset io memory pids"
}
