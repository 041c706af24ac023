package import JailSpec
package import LinuxFacts
package import SystemCallFilter

/// One thing that is done to the kernel on the way from the launcher to the running command.
///
/// Payloads are resolved: no name is looked up, no path expanded and no default chosen after the plan is made. The same
/// value is applied, printed, compared in tests and used to word a failure.
package enum Operation: Equatable, Sendable {
    // The order of the cases is roughly the order of the launch; only `Planner` decides the real one.

    /// Moves the launcher into a new scope unit of that manager, which is delegated to it, StartTransientUnit.
    case requestScope(ControlGroups.Manager)
    /// Gives the children of the base these controllers; processes in the base make room in a leaf of their own.
    case enableControllers(ControlGroups.Base, [String])
    /// The jail's own cgroup, empty; what killed launches have left is removed.
    case createCgroup(CgroupDelegation)
    case setLimit(LimitSetting)
    /// Moves this process into the cgroup: a direct launch has no child to be born there.
    case enterCgroup
    /// Makes a source of the host that is missing; it stays.
    case makeSource(SourceMaking)
    /// Opens an image, and the program that is to read it for the mount of that slot.
    case openImage(slot: Int, ImageSource)
    /// Opens the layers of an overlay, and the program that is to make it for the mount of that slot.
    case openOverlay(slot: Int, OverlaySource)
    /// Opens the way to the service manager's notify socket, which the launcher keeps.
    case connectManager(String)
    /// Joins namespaces that exist, all opened before the first is joined.
    case joinNamespaces([JoinedNamespace])
    /// Joins all the namespaces of a running jail that are not the launcher's, to start one more command there.
    case joinJail([NamespaceKind])
    /// Makes new namespaces; from here on the jail's first process acts (supervised), or the caller itself (direct). The
    /// network may be made beside the steps that follow: `Plan.makesNetworkBeside`.
    case createNamespaces([NamespaceKind])
    /// Writes uid_map and gid_map, user_namespaces(7).
    case mapIdentities(IdentityMaps)
    /// Moves the clocks of a new time namespace, time_namespaces(7); the command enters it.
    case offsetClocks(monotonic: ClockOffset, boottime: ClockOffset)
    /// Loads the rules of the network namespace, then starts what leads out of it. Both go on beside what follows.
    case provideNetwork(NetworkProvision)
    /// Opens a port of the host, by whoever launches and in the caller's network.
    case openPort(Publication)
    /// Starts whoever carries what comes at the opened ports into the jail, from which it makes its own connections.
    case publish([Publication])
    case setOOMScore(Int32)
    /// Raises the hard limit where it is lower (nil: unlimited); the soft one stays.
    case raiseHardLimit(Resource, to: UInt64?)
    /// No new user namespaces in the jail's own user namespace: `max_user_namespaces` becomes 0 there.
    case forbidUserNamespaces
    case isolateMounts
    /// Lets a group of the host open the caller's pipes among these descriptors anew, each as it is open: /dev/stderr.
    case openPipes([Int32], group: UInt32)

    /// Fills a slot with a mount that is attached to nothing yet, of which that promise will hold.
    case fill(slot: Int, Filling, SlotPromise)

    /// Reads the credentials in a directory of the host.
    case readCredentials(String)

    /// From here on the setting up is done with the ids of the command, capabilities kept.
    case setIdentity(user: UInt32, group: UInt32)
    case setGroups([UInt32])
    /// Makes the jail's user the owner of the group inside, by the ids that it has there.
    case giveGroup(user: UInt32, group: UInt32)

    /// The slot becomes the root of the tree that is built.
    case beginRoot(slot: Int)
    /// Puts a slot on a target inside the tree; the mount point is made where it is missing.
    case attach(slot: Int, target: String, isDirectory: Bool?)
    /// `keepsMode`: one that is there already may have another mode.
    case makeDirectory(target: String, mode: UInt32?, keepsMode: Bool)
    case makeSymlink(target: String, to: String)
    /// Covers what is at the target, file or directory; where nothing is, that is reported.
    case hide(target: String)
    /// As `hide`, for files of procfs that this kernel may not have.
    case mask(target: String)
    /// Makes what is at the target read-only where it is; for files of procfs that this kernel may not have.
    case protect(target: String)
    /// Mounts a directory on itself, so that it keeps its name: rename(2) answers EBUSY. `isMade` where it is made if missing.
    case pin(target: String, MountAttributes, isMade: Bool)
    /// Makes the file at the target, which must still be that one, read-only in its place.
    case protectFile(target: String, GuardedFile)
    /// The named slots (and all that was made on the way) become read-only.
    case seal(slots: [Int])
    /// Opens the root of the jail's message queues, which are on no mount of the tree (mq_overview(7)).
    case openQueues
    /// pivot_root: the built tree becomes `/`, the host's tree is gone.
    case switchRoot

    case setHostName(String)
    case bringUpLoopback
    /// Waits until the network that was provided leads out, and sees that its rules hold.
    case awaitNetwork(NetworkProvision)
    case setNice(Int32)
    case setAffinity([Int])
    /// Locks a file of the jail for reading; the launcher holds the lock as long as the jail lives.
    case lockFile(String)
    /// The launcher holds the jail's namespaces for those who enter later: the command may leave them for others.
    case holdNamespaces([NamespaceKind])
    case newKeyring
    /// Sets what the caller may have changed for itself and exec would pass on.
    case setInheritedAttributes(InheritedAttributes)
    /// A session of the jail's own, with a pty of its own where asked.
    case startSession(SessionTerminal)
    case dropBounding(keeping: CapabilitySet)
    case forbidNewPrivileges
    /// No namespaces by a filter, where there is no user namespace of the jail's own to forbid them.
    case refuseNamespaces(others: [OtherABI])
    case setSecureBits(SecureBits)

    /// The reaper stays behind as pid 1; from here on the command's process acts.
    case startCommand
    case setResourceLimit(Resource, soft: UInt64?, hard: UInt64?)
    case setUmask(UInt32)
    /// Files that are not in the jail's tree stay as they were opened.
    case keepToTree(TreeRules)
    /// Begins a set of Landlock rules that closes these accesses, but for what the rules allow.
    case createRuleset(LandlockHandled)
    /// Allows the accesses to a path of the jail and all below it.
    case allowPath(String, FileAccess)
    case allowPort(UInt16, PortUse)
    /// The rules hold from here on, for this process and all that it starts.
    case enforceRuleset
    /// The rules that this step of the jail's launch has enforced hold for this process, too.
    case enforceHeld(step: Int, closesFiles: Bool)
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
    /// Installs filters that others have compiled, from descriptors of the caller.
    case installPrograms([Int32])
    /// Executes the program that the first of the arguments names, which is told that it was called by another name where
    /// there is one.
    case execute(arguments: [String], name: String?, environment: [String])

    /// Whether it shows, or belongs to, the network namespace that it is done in.
    package var belongsToNetwork: Bool {
        switch self {
        case .bringUpLoopback, .awaitNetwork, .fill(_, .noticeSocket, _): true
        case .fill(_, .fileSystem(let fileSystem), _): fileSystem.type == "sysfs"
        default: false
        }
    }
}
