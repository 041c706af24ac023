package import JailSpec

/// What the planner needs to know of the host and the caller: a value, so that tests can emulate any machine.
package struct Host: Sendable {
    /// An entry of the host's root directory that the "system" root repeats. An object, as users are: the type of a list of objects
    /// is there already, that of another list is made by each launch.
    package final class RootEntry: Sendable {
        package let name: String
        /// Where the symbolic link points; nil for a directory.
        package let link: String?
        package init(name: String, link: String?) {
            self.name = name
            self.link = link
        }
    }

    /// A line of passwd(5).
    package final class User: Equatable, Sendable {
        package let name: String
        package let uid: UInt32
        package let gid: UInt32
        package let home: String
        package let shell: String
        package init(name: String, uid: UInt32, gid: UInt32, home: String, shell: String) {
            self.name = name
            self.uid = uid
            self.gid = gid
            self.home = home
            self.shell = shell
        }

        package static func == (one: User, other: User) -> Bool {
            one.name == other.name && one.uid == other.uid && one.gid == other.gid && one.home == other.home
                && one.shell == other.shell
        }
    }

    /// A line of group(5).
    package struct Group: Equatable, Sendable {
        package let name: String
        package let gid: UInt32
        package init(name: String, gid: UInt32) {
            self.name = name
            self.gid = gid
        }
    }

    /// passwd(5) and group(5) of a tree, empty where it has none, and the name of the caller who is not in them.
    package struct AccountFiles: Equatable, Sendable {
        package let name: String
        package let passwd: String
        package let group: String

        package init(name: String, passwd: String, group: String) {
            (self.name, self.passwd, self.group) = (name, passwd, group)
        }
    }

    /// hosts(5) of the jail's own tree.
    package enum HostsFile: Equatable, Sendable {
        case absent
        case text(String)
    }

    /// The caller's ids. Privileged means uid 0 with the capabilities that go with it.
    package var uid: UInt32 = 1000
    package var gid: UInt32 = 1000
    package var supplementary: [UInt32] = []
    package var callerName = ""
    /// Whether the caller may make namespaces, mounts and identities without a user namespace (CAP_SYS_ADMIN).
    package var isPrivileged = false
    /// Whether the caller is uid 0 of the initial user namespace, whatever its capabilities.
    package var isRealRoot = false
    /// Why that could not be told: the call, and its error's name.
    package var rootRefusal: String?
    /// What the caller may keep where it gets no user namespace of its own, and so no new capabilities.
    package var permitted = CapabilitySet(rawValue: .max)
    /// Whether setgroups(2) is allowed in the caller's user namespace.
    package var canSetGroups = true

    package var rootEntries: [RootEntry] = []
    /// The users and groups of the jail's own tree: the host's for "system" and "host", the tree's for a directory.
    package var users: [User] = []
    /// The tree whose passwd(5) and group(5) these are; nil for the host's own.
    package var accountsRoot: String?
    package var groups: [Group] = []
    /// The bytes of the machine's memory.
    package var memory: UInt64 = 8 << 30
    /// Sources of binds, as the spec has them, that are device nodes, and that are directories with nodes in them: asked only
    /// of those that have a directory `dev` on their way.
    package var deviceNodes: [String] = []
    package var deviceDirectories: [String] = []
    /// The host's directories below /dev that programs keep files in: asked only where the spec shows all of /dev.
    package var deviceStores: [String] = []
    /// The files that the spec is read from and the jail may write in place, or replace.
    package var exposed: [ExposedFile] = []
    /// What is hidden and can be seen all the same.
    package var secondViews: [SecondView] = []
    /// Sources of binds, as the spec has them, through which the host's cgroups could be written.
    package var groupSources: [String] = []
    /// The first lower of each overlay and whose it is: asked only for an ordinary user, and only of those that are there.
    package var layers: [(path: String, uid: UInt32, gid: UInt32)] = []
    /// Where mounts stand in the host's tree, but not in one another: asked only where the whole host is copied on write.
    package var submounts: [String] = []
    /// What the files of images hold, and what could read them for an ordinary user: asked only where the spec mounts one.
    package var images = HostImages()
    /// Links of /etc that lead out of what the "system" root shows, to what a program needs for a network: asked only where
    /// there is one.
    package var neededLinks: [SystemLink] = []
    /// All such links of /etc and of the programs: asked only where a plan is looked at.
    package var danglingLinks: [SystemLink] = []
    /// passwd(5) and group(5) of the jail's own tree, nil for none: asked only where nobody there has the caller's id.
    package var accountFiles: AccountFiles?
    /// HOME of a caller that passwd(5) has no line for, and so says nothing else of: containers run with such ids.
    package var unlistedHome: String?
    /// What the patterns of the spec match.
    package var matches: [PatternMatches] = []
    /// Asked only where the spec has a hostname; nil too where something else than a file stands there.
    package var hosts: HostsFile?
    /// The caller's ranges in subuid(5) and subgid(5), inside 0 upwards still to be assigned.
    package var subordinateUsers: [Identity.Range] = []
    package var subordinateGroups: [Identity.Range] = []
    /// Where a range could go: asked only where the spec wants the caller's, and there is none.
    package var roomForUsers: SubordinateRoom?
    package var roomForGroups: SubordinateRoom?

    package var standardInputIsTerminal = false
    package var standardOutputIsTerminal = false
    package var standardErrorIsTerminal = false
    /// Whether setsid(2) would succeed, or is not needed: not for the leader of a shell's job.
    package var canStartSession = true
    /// The caller's environment as `NAME=value`, environ(7), as far as the spec keeps any of it; TERM always.
    package var environment: [String] = []
    /// What a service manager offers, as far as the spec wants any of it.
    package var service = ServiceOffer()
    /// The jobserver of the make(1) that started the launcher: asked only where the spec wants it.
    package var jobserver: Jobserver?
    /// The name of the file that an init's path leads to in the jail's tree: asked only where the command is one.
    package var initProgram: String?
    /// The highest capability number of the running kernel.
    package var lastCapability: UInt8 = 40
    /// The running kernel; nil where the spec asks for nothing of it.
    package var kernel: KernelVersion?
    /// The version of Landlock's interface; 0 where the kernel has none.
    package var landlockABI = 0

    /// Asked only where the spec has a network of the jail's own that leads out.
    package var network = HostNetwork()

    /// Asked only where the spec has `[limits]`.
    package var controlGroups: ControlGroups?

    package init() {}

    package func group(named name: String) -> UInt32? { groups.first { $0.name == name }?.gid }
    package func user(named name: String) -> User? { users.first { $0.name == name } }
    package func user(withID uid: UInt32) -> User? { users.first { $0.uid == uid } }
}
