import Kernel
import LinuxFacts

/// A mount over what is at a target, by the step that asked for it. An object: the type of a list of objects is there already,
/// that of another list is made by each launch.
final class Cover {
    let step: Int
    let target: String
    let mount: Int32
    let attributes: MountAttributes

    init(_ mount: Int32, on target: String, _ attributes: MountAttributes, for step: Int) {
        (self.step, self.target, self.mount, self.attributes) = (step, target, mount, attributes)
    }
}

/// The tree of the jail while it is built: attached over the launcher's own root, where paths of the host, which start
/// below it, still mean the host's files.
struct Tree {
    /// The mount that will be `/`.
    var root: Int32 = -1
    /// Tmpfs copies of directories that could not take a mount point, sealed with the rest: each stands so many components
    /// above a target that was missing.
    var mirrors: [(target: String, above: Int)] = []
    /// What has been attached, by its own descriptor, and where: the type of a list of pairs would have to be made first.
    private(set) var standing = (mounts: [Int32](), targets: [String]())
    /// The mounts of those copies, in the order they were made in, each with the directory that it shows.
    var copies: [(mount: Int32, original: FileStatus, attributes: MountAttributes)] = []
    /// What stands on covered and protected targets.
    var covers: [Cover] = []
    /// Directories that are mounted on themselves, and files of the spec that are mounted read-only.
    var pins: [Cover] = []
    /// The step of an overlay over the launcher's directory, below which nobody has looked for mounts yet; −1 for none.
    var unlooked = -1
    /// Mounts that nobody needs any more once the tree is complete.
    var loose: [Int32] = []
    /// The targets below what the jail may write, sorted.
    var guarded: [String] = []
    private var scratch: Int32 = -1
    var known = KnownDirectory()

    /// Attaches the root.
    mutating func begin(_ mount: Int32) throws(Failure) {
        // Its clones live on. It must be gone before anything is stacked on it: after pivot_root, umount2(".") would take
        // only the topmost of what stands on the old root, and the host's tree would stay within reach of `/..`.
        if scratch >= 0 { try failing { () throws(KernelError) in try detach(scratch) } }
        try failing { () throws(KernelError) in
            guard try status(of: mount).isDirectory else { throw KernelError(.openTree, .notDirectory) }
            try attachOverRoot(mount)
        }
        root = mount
        known.forget()
    }

    /// A private directory for the content of files, attached below the root and gone with the host's tree.
    mutating func scratchDirectory() throws(Failure) -> Int32 {
        if scratch >= 0 { return scratch }
        scratch = try failing { () throws(KernelError) in
            let mount = try makeFileSystem("tmpfs", [FileSystemOption("mode", "0700")], .closed)
            try attachOverRoot(mount.number)
            return mount.release()
        }
        return scratch
    }

    /// Puts a detached mount on a target, making the mount point where it is missing.
    mutating func attach(_ mount: Int32, on target: String, _ isDirectory: Bool?) throws(Failure) {
        // A missing optional source has left no mount.
        guard mount >= 0 else { return }
        let directory: Bool
        if let isDirectory {
            directory = isDirectory
        } else {
            directory = try failing { () throws(KernelError) in try status(of: mount).isDirectory }
        }
        if let place = try guardedPlace(target) {
            try attach(mount, on: place, target, directory)
        } else if try !attachBeside(mount, on: target, directory: directory) {
            let place = try mountPoint(target, directory: directory)
            try requireSameForAll(target, place.number)
            try attach(mount, on: place, target, directory)
        }
        known.cover(target)
        standing.mounts.append(mount)
        standing.targets.append(target)
    }

    private func attach(
        _ mount: Int32, on place: borrowing Descriptor, _ target: String, _ directory: Bool
    ) throws(Failure) {
        try failing { () throws(KernelError) in
            let isDirectory = try status(of: place.number).isDirectory
            guard isDirectory == directory else {
                throw KernelError(.moveMount, isDirectory ? .isDirectory : .notDirectory, path: target)
            }
            try Kernel.attach(mount, on: place.number)
        }
    }

    /// Makes the directory with exactly that mode. One that is there already is somebody else's: its mode is not changed,
    /// and must be the one that is asked for, unless any will do.
    mutating func makeDirectory(_ target: String, _ mode: UInt32?, keepsMode: Bool) throws(Failure) {
        var isMade = false
        let place = try make(target) { (parent, name) throws(KernelError) in
            try Kernel.makeDirectory(name, at: parent, permissions: mode ?? 0o755)
            isMade = true
        }
        let found = try failing { () throws(KernelError) in try status(of: place.number) }
        guard found.isDirectory else {
            throw Failure(KernelError(.mkdirat, .notDirectory, path: target))
        }
        guard let mode, found.permissions != mode else { return }
        guard isMade else {
            if keepsMode { return }
            throw Failure(.modeDiffers, call: .mkdirat, errno: .exists, text: "0" + String(found.permissions, radix: 8))
        }
        // mkdir(2) leaves set-group-id out, or inherits it, and a default ACL takes bits away.
        try failing { () throws(KernelError) in
            try setPermissions(ofDirectory: place.number, mode)
            guard try status(of: place.number).permissions == mode else {
                throw KernelError(.fchmod, .notPermitted, path: target)
            }
        }
    }

    /// Makes what `seal` names read-only: mount points have been made until now.
    func seal(_ mounts: [Int32]) throws(Failure) {
        for mount in mounts where mount >= 0 {
            try failing { () throws(KernelError) in try seal(mount) }
        }
        guard !mirrors.isEmpty else { return }
        // A mirror shows clones of what stood below it: what was sealed so far is out of sight then, and what can be seen
        // is sealed by its name.
        var targets = mirrors
        for (mount, target) in zip(standing.mounts, standing.targets) where mounts.contains(mount) {
            targets.append((target, 0))
        }
        for (target, above) in targets {
            do throws(KernelError) {
                var walk = Walk(root: root)
                guard try walk.descend(target).isEmpty else { throw KernelError(.openat, .noEntry) }
                walk.ascend(above)
                try seal(walk.top)
            } catch {
                throw Failure(KernelError(error.call, error.errno, path: target))
            }
        }
    }

    private func seal(_ mount: Int32) throws(KernelError) {
        try setAttributes(of: mount, .readOnly, recursive: false, makePrivate: false)
    }
}
