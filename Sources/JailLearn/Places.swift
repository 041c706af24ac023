import LinuxFacts
import SpecFile

/// What a watched command was started with, as far as the spec depends on it.
package struct LearnContext: Equatable, Sendable {
    package var command: [String]
    /// Absolute and without links; so is `tree`, the top of the git tree that it is in.
    package var current: String
    package var tree: String?
    /// What HOME says, whatever that is.
    package var home: String?
    /// The homes of people on this host, of root and of the caller, whatever HOME says; absolute, with links and without.
    package var homes: [String] = []
    package var isRoot: Bool
    /// Whether this host has what a network of the jail's own needs that leads out.
    package var leadsOut = false
    /// What it lacks of that, as the end of a sentence.
    package var obstacle: String?
    /// The host's servers of names, as `SocketAddress` words an address.
    package var servers: [String] = []
    /// Hosts that it connects to and no range of addresses opens, as they are the link's or a cloud's; in the same words.
    package var metadata: [String] = []
    /// Whether Landlock is to close what was not used.
    package var isTight = false
    /// Where the spec will lie, absolute and without links; nil where that does not matter.
    package var spec: String?
    /// What the spec extends, as it is written there.
    package var base: String?
    /// What that shows already.
    package var granted: [Granted]

    package struct Granted: Equatable, Sendable {
        /// What the mount that stands at the path gives of the host: nothing, where it is a directory or a link of the jail's.
        package enum Access: String, Sendable { case none, readOnly, writable }

        package let path: String
        package let access: Access

        package init(_ path: String, _ access: Access) { (self.path, self.access) = (path, access) }
    }

    package init(
        command: [String], current: String, tree: String? = nil, home: String? = nil, isRoot: Bool = false,
        base: String? = nil, granted: [Granted] = []
    ) {
        (self.command, self.current, self.tree, self.home) = (command, current, tree, home)
        (self.isRoot, self.base, self.granted) = (isRoot, base, granted)
    }
}

/// Which places of a host a line may name, and to which one a path belongs.
struct Places {
    let context: LearnContext
    private let homes: Set<String>
    /// Directories of which each in it is a program's.
    private let parted: [String]
    /// The tree that the command works in; nil where that is no place to show.
    private(set) var work: String?

    init(context: LearnContext) {
        self.context = context
        homes = Set((context.homes + [context.home].compactMap { $0 }).filter { $0.hasPrefix("/") && $0 != "/" })
        parted = Self.shared + homes.sorted().flatMap { home in Self.sharedAtHome.map { home + "/" + $0 } }
        work = [context.tree, context.current].compactMap { $0 }.first {
            !isForbidden($0) && !isStanding($0) && $0 != "/"
        }
    }

    /// What a jail has without a line: the host's system read-only, the rest of its own.
    private static let standing = [
        "/usr", "/etc", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/sys",
    ]
    private static let own = ["/tmp", "/var/tmp", "/dev/shm", "/dev/pts", "/dev/mqueue"]
    /// Directories that hold those of many programs, each of which is a place.
    private static let shared = ["/var/lib", "/var/cache", "/run", "/opt"]
    /// Those of which no line shows all. What stands in one of /srv is data, and is shown as that of any other tree is.
    private static let closed = shared + ["/srv"]
    private static let sharedAtHome = [".config", ".cache", ".local/share", ".local/state"]

    /// Whether the jail has it as the host does.
    func isStanding(_ path: String) -> Bool {
        if Self.standing.contains(where: { isWithin(path, $0) }) { return true }
        guard isWithin(path, "/dev") else { return false }
        return DeviceNode.allCases.contains { $0.path == path } || DeviceLink.allCases.contains { $0.path == path }
    }

    func isInDevices(_ path: String) -> Bool { isWithin(path, "/dev") && path != "/dev" }

    /// Whether it is a directory of which the jail has one of its own, for names that come and go.
    func isOwn(_ path: String) -> Bool { Self.own.contains(path) || path == "/dev/pts" || isWithin(path, "/dev/pts") }

    private static let keys = [".ssh", ".gnupg"]

    /// Whether it is a directory of somebody's keys.
    func isKeys(_ path: String) -> Bool { names(of: path).last.map(Self.keys.contains) ?? false }

    /// Whether a path is by itself a directory of which no line may show all, whatever was done to it. At the root, and beside homes,
    /// files stand, too, that are only read.
    func isWhole(_ path: String, isWritten: Bool) -> Bool {
        if Self.own.contains(path) || Self.closed.contains(path) || isKeys(path) { return true }
        if isWritten, parent(of: path) == "/home" || path.utf8.count(where: { $0 == UInt8(ascii: "/") }) == 1 {
            return true
        }
        return homes.contains { home in
            isWithin(home, path) || (Self.sharedAtHome + [".local"]).contains { path == home + "/" + $0 }
        }
    }

    /// Whether no line may show all that is in it: what holds the homes, keys or programs of others. What HOME says can only add to
    /// that: it is the caller's to set.
    func isForbidden(_ path: String) -> Bool {
        if path.utf8.count(where: { $0 == UInt8(ascii: "/") }) == 1 { return true }
        if Self.own.contains(path) || Self.closed.contains(path) || isWithin(path, "/etc") { return true }
        if parent(of: path) == "/home" { return true }
        if names(of: path).contains(where: Self.keys.contains) { return true }
        return homes.contains { home in
            isWithin(home, path) || (Self.sharedAtHome + [".local"]).contains { path == home + "/" + $0 }
        }
    }

    /// The directory that a path below it stands for as a whole; nil where it is one of its own.
    func anchor(of path: String) -> String? {
        if let work, isWithin(path, work) { return work }
        for directory in parted where isWithin(path, directory) && path != directory {
            let anchor = directory + "/" + names(of: path)[names(of: directory).count]
            // A file there stands for itself.
            return anchor == path || isForbidden(anchor) ? nil : anchor
        }
        return nil
    }
}
