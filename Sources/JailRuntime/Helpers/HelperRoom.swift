import Kernel
import LinuxFacts
import SystemCallFilter

/// Where a helper lives that serves a file system: it reads what somebody else may have written to harm it.
///
/// It has namespaces of its own (no network, no process but itself in sight), a root with nothing in it but the host's programs and
/// libraries, its own /proc and what it is shown, a filter, no capability, and no way to gain one. Whoever takes it over has what
/// it serves, and the kernel as a jail without keys has it.
struct HelperRoom {
    /// What it is shown of the host, nosuid, nodev, noexec and, unless it is to write there, read-only.
    struct Place {
        /// Open in the launcher; reached by its name, and held to be the same.
        let descriptor: Int32
        /// Its name in the room's root.
        let name: String
        var isWritable = false
    }

    /// A tmpfs of so many bytes and files (nil: the kernel's default) that it may write to.
    struct Changes {
        static let upper = "changes/upper"
        static let work = "changes/work"
        let bytes: UInt64
        let inodes: UInt64?
    }

    static let namespaces: NamespaceFlags = [.user, .mount, .pid, .net, .ipc]

    /// An empty directory, for a program that wants to be told where it mounts.
    static let mountPoint = "served"

    var shown: [Place] = []
    /// Shown as fusermount(1), which a server of libfuse 2 asks for its channel: this program's own file; see `FuseMounter`.
    var mounter: Int32?
    var changes: Changes?
    private let owner = (user: effectiveUser(), group: effectiveGroup())
    /// Of what programs live on; a link to another of them is a link here too.
    private static let programs = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"]

    /// What it needs until it is entered.
    var descriptors: [Int32] { shown.map(\.descriptor) + (mounter.map { [$0] } ?? []) }

    /// Puts the calling process into it, which is in new `namespaces`, and is about to be the helper.
    func enter() throws(KernelError) {
        // The launcher is closed to others of its user, so its files in procfs belong to root: this copy of it opens its own.
        try setDumpable(true)
        try write("deny", to: "setgroups")
        try write("\(owner.user) \(owner.user) 1", to: "uid_map")
        try write("\(owner.group) \(owner.group) 1", to: "gid_map")
        try isolateMounts()
        try switchRoot(to: try makeRoot().release())
        try dropBounding(keeping: 0)
        try setCapabilities(permitted: 0, effective: 0, inheritable: 0)
        try forbidNewPrivileges()
        var context = FilterContext()
        context.owners = MappedOwners(users: [owner.user], groups: [owner.group])
        try installFilter(FilterProgram(defaultIn: context).instructions)
    }

    private func write(_ text: String, to name: String) throws(KernelError) {
        let file = try open("/proc/self/\(name)", .write)
        try writeAll(file.number, Array(text.utf8))
    }

    /// Attached over the host's root, where paths, which start below it, still mean the host's files: before Linux 6.15 nothing can
    /// be attached to what is attached nowhere.
    private func makeRoot() throws(KernelError) -> Descriptor {
        let root = try makeFileSystem(
            "tmpfs", [FileSystemOption("size", "1M"), FileSystemOption("mode", "0755")], .closed)
        try attachOverRoot(root.number)
        for name in Self.programs { try showProgram(name, at: root.number) }
        for place in shown {
            let clone = try cloneHere(place.descriptor, place.isWritable ? .shut.without(.readOnly) : .shut)
            try put(clone.number, on: place.name, at: root.number)
        }
        if let mounter { try showMounter(mounter, at: root.number) }
        if let changes { try makeChanges(changes, at: root.number) }
        let proc = try makeProc()
        try put(proc.number, on: "proc", at: root.number)
        // A script is executed by its name there, execveat(2).
        try makeDirectory("dev", at: root.number, permissions: 0o755)
        try makeSymlink("dev/fd", to: "/proc/self/fd", at: root.number)
        try setAttributes(of: root.number, .readOnly, recursive: false)
        return root
    }

    private func showProgram(_ name: String, at root: Int32) throws(KernelError) {
        let path = "/" + name
        guard let found = try entryStatus(EntryName(Array(path.utf8)), at: currentDirectory) else { return }
        if found.kind == .symlink { return try makeSymlink(name, to: try readLink(path), at: root) }
        let clone = try cloneTree(path, recursive: true)
        try setAttributes(of: clone.number, .readOnly | .closed, recursive: true)
        try put(clone.number, on: name, at: root)
    }

    /// A procfs of its own, which the kernel gives where nothing is mounted over the host's; else the host's, whose processes are
    /// closed to whoever is in a user namespace below theirs.
    private func makeProc() throws(KernelError) -> Descriptor {
        do throws(KernelError) {
            return try makeFileSystem("proc", [], .closed | .noExecute)
        } catch {
            guard error.errno == .notPermitted else { throw error }
            let clone = try cloneTree("/proc", recursive: true)
            try setAttributes(of: clone.number, .shut, recursive: true)
            return clone
        }
    }

    /// A clone of what is open in the launcher's mount namespace: by its name in this one (a clone is made of a mount of one's own),
    /// which must lead to the same.
    private func cloneHere(_ number: Int32, _ attributes: MountAttributes) throws(KernelError) -> Descriptor {
        let name = EntryName(try linkTarget(EntryName(Array("/proc/self/fd/\(number)".utf8)), at: currentDirectory))
        let opened = try openEntry(name, at: currentDirectory, .path)
        guard try status(of: opened.number).isSame(as: try status(of: number)) else {
            throw KernelError(.openat, .stale, path: name.text)
        }
        let clone = try cloneTree("", at: opened.number, recursive: false)
        try setAttributes(of: clone.number, attributes, recursive: false)
        return clone
    }

    /// libfuse starts the one of /bin where there is one, else that which PATH leads to: `/` is in it, last.
    private func showMounter(_ number: Int32, at root: Int32) throws(KernelError) {
        try makeDirectory(Self.mountPoint, at: root, permissions: 0o755)
        for name in FuseMounter.names {
            let own = try cloneHere(number, .readOnly | .closed)
            try put(own.number, on: name, at: root)
            for place in ["usr/bin/", "bin/"] {
                let path = EntryName(Array((place + name).utf8))
                guard try entryStatus(path, at: root)?.kind == .regular else { continue }
                let covered = try openEntry(path, at: root, .path)
                // Where both are one directory the second is this one already.
                if try status(of: covered.number).isSame(as: try status(of: number)) { continue }
                let cover = try cloneHere(number, .readOnly | .closed)
                try attach(cover.number, on: covered.number)
            }
        }
    }

    /// The root of what is served has the mode of the upper's: that of the first of what is shown.
    private func makeChanges(_ changes: Changes, at root: Int32) throws(KernelError) {
        let context = try FileSystemContext("tmpfs")
        try context.set("mode", "0700")
        try context.set("size", "\(changes.bytes)")
        if let inodes = changes.inodes { try context.set("nr_inodes", "\(inodes)") }
        let mount = try context.mount(.shut.without(.readOnly))
        try put(mount.number, on: "changes", at: root)
        for name in [Changes.upper, Changes.work] { try makeDirectory(name, at: root, permissions: 0o700) }
        if let first = shown.first {
            let upper = try open(Changes.upper, at: root, .read | .directory)
            try setPermissions(upper.number, try status(of: first.descriptor).permissions)
        }
    }

    private func put(_ mount: Int32, on name: String, at root: Int32) throws(KernelError) {
        if try status(of: mount).isDirectory {
            try makeDirectory(name, at: root, permissions: 0o755)
        } else {
            closeDescriptor(try open(name, at: root, .write | .create | .exclusive, permissions: 0o600).release())
        }
        try attach(mount, on: name, at: root)
    }
}
