package import JailSpec

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
        /// Whether systemd has left it to what runs in it (`Delegate=yes`).
        package var isDelegated = false

        package init(path: String) { self.path = path }

        var name: Substring { path.split(separator: "/").last ?? "" }
        /// Whether the name is one that systemd gives to its units.
        var isUnit: Bool { [".service", ".scope", ".slice"].contains { name.hasSuffix($0) } }
    }

    /// Who hands out cgroups where systemd runs.
    package enum Manager: String, Equatable, Sendable { case system, user }

    /// The service or scope that the caller is in.
    package struct Unit: Equatable, Sendable {
        /// Whose it is.
        package var manager: Manager
        /// Its group, as `Group.path`.
        package var path: String
        package var isDelegated = false
        /// What it limits, as far as that can be seen: of a service it does not matter.
        package var limits: [String] = []
        /// Why nobody has said whether it is delegated; nil where that is known.
        package var doubt: String?

        package init(_ manager: Manager, _ path: String) { (self.manager, self.path) = (manager, path) }

        package var name: String { path.split(separator: "/").last.map(String.init) ?? "" }
        package var isService: Bool { path.hasSuffix(".service") }

        /// The innermost one that a group is of; nil where it is of none.
        package static func around(_ path: String) -> Unit? {
            let parts = path.split(separator: "/")
            guard let index = parts.lastIndex(where: { $0.hasSuffix(".service") || $0.hasSuffix(".scope") }) else {
                return nil
            }
            let isUsers = parts[..<index].contains { $0.hasPrefix("user@") && $0.hasSuffix(".service") }
            return Unit(isUsers ? .user : .system, "/" + parts[...index].joined(separator: "/"))
        }
    }

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

        var sharing: Sharing? { if case .disk(_, _, let sharing) = self { sharing } else { nil } }

        /// Whether no weight has a meaning on it.
        var isUnshared: Bool { if case .disk(_, _, .cost) = self { false } else { sharing != .bfq } }
    }

    /// The caller's.
    package var uid: UInt32 = 0
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
    /// The unit of systemd's that the caller is in.
    package var unit: Unit?
    /// Where the spec wants the jail's group.
    package var scope = Limits.Scope.unit
    /// The groups from the top to the caller's own, where one of them holds back a controller.
    package var chain: [Group] = []
    /// One for each entry of `[[limits.io]]`.
    package var devices: [Device] = []
    /// The disks of the host, the largest first, where the spec has a weight for all of them.
    package var disks: [Device] = []

    package init() {}

    /// The group that holds immure's own processes, so that its parent may have controllers for its children.
    package static let supervisorName = "immure.supervisor"
}
