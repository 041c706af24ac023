package import JailSpec
package import LinuxFacts
package import SystemCallFilter

/// One thing that is done to the kernel on the way from the launcher to the running command.
///
/// Payloads are resolved: no name is looked up, no path expanded and no default chosen after the plan is made. The same
/// value is applied, printed, compared in tests and used to word a failure.
package enum Operation: Equatable, Sendable {
    // The order of the cases is roughly the order of the launch; `Planner` alone decides the real one.

    /// Moves the launcher into a new scope unit of that manager, which is delegated to it, StartTransientUnit.
    case requestScope(ControlGroups.Manager)
    /// Gives the children of the base these controllers; processes in the base make room in a leaf of their own.
    case enableControllers(ControlGroups.Base, [String])
    /// The jail's own cgroup, empty; what launches that were killed left behind is removed.
    case createCgroup(CgroupDelegation)
    case setLimit(LimitSetting)
    /// Moves this process into the cgroup: a direct launch has no child to be born there.
    case enterCgroup
    /// Opens the way to the service manager's notify socket, which the launcher keeps.
    case connectManager(String)
    /// Joins namespaces that exist, all opened before the first is joined.
    case joinNamespaces([JoinedNamespace])
    /// Makes new namespaces; from here on the jail's first process acts (supervised), or the caller itself (direct). The
    /// network may be made beside the steps that follow: `Plan.makesNetworkBeside`.
    case createNamespaces([NamespaceKind])
    case mapIdentities(IdentityMaps)
    /// Moves the clocks of a new time namespace, time_namespaces(7); the command enters it.
    case offsetClocks(monotonic: ClockOffset, boottime: ClockOffset)
    case setOOMScore(Int32)
    /// Raises the hard limit where it is lower (nil: unlimited); the soft one stays.
    case raiseHardLimit(Resource, to: UInt64?)
    /// No new user namespaces in the jail's own user namespace: `max_user_namespaces` becomes 0 there.
    case forbidUserNamespaces
    case isolateMounts

    /// A detached copy of a tree of the host, put into a slot.
    case openTree(slot: Int, TreeSource)
    /// A detached copy of one device node of the host, which must have these numbers.
    case openDevice(slot: Int, name: String, major: UInt32, minor: UInt32)
    /// A detached new file system.
    case makeFileSystem(slot: Int, FileSystem)
    /// A detached private file with that content, read-only.
    case makeFile(slot: Int, content: String, mode: UInt32)

    /// A file system with the notify socket of the jail's own.
    case makeNoticeSocket(slot: Int)
    /// Reads the credentials in a directory of the host.
    case readCredentials(String)
    /// A file system with the credentials that were read, for the command's user alone and never swapped out.
    case makeCredentials(slot: Int)

    /// From here on the setting up is done with the ids of the command, capabilities kept.
    case setIdentity(user: UInt32, group: UInt32)
    case setGroups([UInt32])

    /// The slot becomes the root of the tree that is built.
    case beginRoot(slot: Int)
    /// Puts a slot on a target inside the tree; the mount point is made where it is missing.
    case attach(slot: Int, target: String, isDirectory: Bool?)
    case makeDirectory(target: String, mode: UInt32?)
    case makeSymlink(target: String, to: String)
    /// Covers what is at the target, file or directory; where nothing is, that is reported.
    case hide(target: String)
    /// As `hide`, for files of procfs that this kernel may not have.
    case mask(target: String)
    /// Makes what is at the target read-only where it is; for files of procfs that this kernel may not have.
    case protect(target: String)
    /// The named slots (and all that was made on the way) become read-only.
    case seal(slots: [Int])
    /// pivot_root: the built tree becomes `/`, the host's tree is gone.
    case switchRoot

    case setHostName(String)
    case bringUpLoopback
    case setNice(Int32)
    case setAffinity([Int])
    case newKeyring
    case resetInheritedAttributes
    /// A session of the jail's own, with a pty of its own where asked.
    case startSession(SessionTerminal)
    case dropBounding(keeping: CapabilitySet)
    case forbidNewPrivileges
    /// No namespaces by a filter, where there is no user namespace of the jail's own to forbid them.
    case refuseNamespaces
    /// The bits of capabilities(7): locked in pure-capability mode, or as a process has them by default.
    case setSecureBits(pure: Bool)

    /// The reaper stays behind as pid 1; from here on the command's process acts.
    case startCommand
    case setResourceLimit(Resource, soft: UInt64?, hard: UInt64?)
    case setUmask(UInt32)
    /// Begins a set of Landlock rules that closes these accesses, but for what the rules allow.
    case createRuleset(LandlockHandled)
    /// Allows the accesses to a path of the jail and all below it.
    case allowPath(String, FileAccess)
    case allowPort(UInt16, PortUse)
    /// The rules hold from here on, for this process and all that it starts.
    case enforceRuleset
    case setCapabilities(EffectiveCapabilities)
    /// The command is killed when the process that started it ends.
    case dieWithParent
    case closeDescriptors(keeping: [Int32])
    case resetSignals
    case changeDirectory(String)
    /// These variables tell the command its own process id.
    case nameProcess([String])
    /// Which system calls the command may make, for ever.
    case installFilter(FilterProgram)
    case execute(arguments: [String], environment: [String])

    /// Whether it shows, or belongs to, the network namespace that it is done in.
    package var belongsToNetwork: Bool {
        switch self {
        case .bringUpLoopback, .makeNoticeSocket: true
        case .makeFileSystem(_, let fileSystem): fileSystem.type == "sysfs"
        default: false
        }
    }
}

/// Whether a jail has a cgroup inside the one that is limited, and whose that is.
package enum CgroupDelegation: Equatable, Sendable {
    /// The limited one is its own.
    case none
    /// One inside, owned by the caller.
    case inner
    /// One inside, owned by this user and group of the host.
    case owned(user: UInt32, group: UInt32)
}

/// A namespace to join, namespaces(7).
package struct JoinedNamespace: Equatable, Sendable {
    package let kind: NamespaceKind
    package let path: String
}

/// Who writes uid_map and gid_map, and what, user_namespaces(7).
package struct IdentityMaps: Equatable, Sendable {
    package enum Writer: String, Equatable, Sendable {
        /// The process in the namespace: one line that maps its own id.
        case itself
        /// The launcher, privileged in the parent namespace.
        case launcher
        /// newuidmap(1) and newgidmap(1), by the caller's ranges in /etc/subuid and /etc/subgid.
        case helpers
    }

    package let users: [Identity.Range]
    package let groups: [Identity.Range]
    package let writer: Writer
    /// Whether the process in the namespace writes them, without anybody's help.
    package var isWrittenInside: Bool { if case .itself = writer { true } else { false } }
    /// An unprivileged writer must give up setgroups(2) before gid_map, or the kernel refuses the map.
    package let denySetgroups: Bool
}

/// An offset of a clock as /proc/PID/timens_offsets takes it; nanoseconds are never negative.
package struct ClockOffset: Equatable, Sendable {
    package let seconds: Int64
    package let nanoseconds: Int64

    package init(_ duration: Duration) {
        let (whole, attoseconds) = duration.components
        let nanos = attoseconds / 1_000_000_000
        seconds = nanos < 0 ? whole - 1 : whole
        nanoseconds = nanos < 0 ? nanos + 1_000_000_000 : nanos
    }
}

/// The host tree behind a bind or a root.
package struct TreeSource: Equatable, Sendable {
    package let path: String
    package let recursive: Bool
    package let attributes: MountAttributes
    /// A missing source is skipped and reported.
    package let optional: Bool
}

/// A new instance of a file system: the type and its parameters, one key each.
package struct FileSystem: Equatable, Sendable {
    package struct Parameter: Equatable, Sendable {
        package let key: String
        package let value: String?
    }
    package let type: String
    package let parameters: [Parameter]
    package let attributes: MountAttributes
}

/// What a session of the jail's own has for a terminal.
package enum SessionTerminal: String, Equatable, Sendable {
    case none
    /// A pty from the jail's own devpts.
    case jail
    /// A pty from the host's devpts, for a jail without one.
    case host
}

/// The sets in force when the command is executed; the bounding set was dropped before.
package struct EffectiveCapabilities: Equatable, Sendable {
    package var permitted: CapabilitySet = []
    package var effective: CapabilitySet = []
    package var inheritable: CapabilitySet = []
    package var ambient: CapabilitySet = []

    package init() {}

    init(
        permitted: CapabilitySet, effective: CapabilitySet, inheritable: CapabilitySet, ambient: CapabilitySet
    ) {
        self.permitted = permitted
        self.effective = effective
        self.inheritable = inheritable
        self.ambient = ambient
    }
}
