import JailPlan
import JailSpec
import Kernel
import LinuxFacts

/// Why the tree cannot be built.
extension Explanation {
    var mountHint: String? {
        switch step?.operation {
        case .tree(.fill(_, .tree(let source), let promise)):
            sourceHint(source, promise)
        case .tree(.makeSource): nil
        case .tree(.fill(_, .image(let source), _)): imageHint(source)
        case .tree(.fill(_, .device(let name, _, _), _)): deviceHint(name)
        case .tree(.fill(_, .fileSystem(let fileSystem), _)), .tree(.fill(_, .noticeSocket(let fileSystem), _)),
            .tree(.fill(_, .credentials(let fileSystem), _)):
            fileSystemHint(fileSystem.type)
        case .tree(.fill(_, .file, _)): targetHint
        case .tree(.attach), .tree(.makeDirectory), .tree(.makeSymlink), .tree(.hide), .tree(.mask), .tree(.protect),
            .tree(.pin), .tree(.protectFile):
            targetHint
        case .tree(.isolateMounts), .tree(.switchRoot), .tree(.beginRoot): mountRightsHint
        default: nil
        }
    }

    private func sourceHint(_ source: TreeSource, _ promise: SlotPromise) -> String? {
        let isDevice = !promise.attributes.hasAll(of: .noDevices)
        return switch failure.errno {
        case .noEntry where evidence.hidingHint(source.path) != nil,
            .accessDenied where evidence.hidingHint(source.path) != nil:
            evidence.hidingHint(source.path)
        case .noEntry where promise.isRoot: Remedy.makeRoot
        case .noEntry where isDevice:
            "\(source.path) does not exist on the host: take it out, or write a [[mount]] with optional = true"
        case .noEntry:
            "\(source.path) does not exist on the host: make it, or write a [[mount]] with create = true (\"file\" for a file) or with "
                + "optional = true"
        case .accessDenied where evidence.privateFileSystem(of: source.path) != nil: privateHint(source.path)
        case .accessDenied:
            "the caller may not search a directory on the way to \(source.path): see `namei -l \(source.path)`"
        case .notDirectory where Self.isInRepository(source.path): Self.worktreeHint
        case .notDirectory: "something on the way to \(source.path) is a file"
        case .loop: "\(source.path) leads through too many symbolic links, or one that may not be followed"
        case .invalid where failure.call == .openTree:
            "the source is in another mount namespace, or below an unbindable mount"
        case .notPermitted where failure.call == .mountSetattr:
            "how it keeps access times is locked by the namespace that made the mount: leave the word out of options"
        case .unsupported:
            filterHint
                ?? "open_tree(2) and mount_setattr(2): \(Remedy.kernel(Remedy.mountingKernel, running: kernelRelease()))"
        default: mountRightsHint
        }
    }

    private func imageHint(_ source: ImageSource) -> String? {
        switch failure.errno {
        case .noDevice: source.format.flatMap { fileSystemHint($0.rawValue) }
        case .noEntry where failure.text == "/dev/loop-control": Remedy.load("loop")
        default: nil
        }
    }

    private func deviceHint(_ name: String) -> String? {
        switch failure.errno {
        case .noEntry: DeviceNode(rawValue: name).map { "the host has no \($0.path): \(Remedy.make([$0]))" }
        default: mountRightsHint
        }
    }

    func fileSystemHint(_ type: String) -> String? {
        switch (type, failure.errno) {
        case ("proc", .notPermitted), ("sysfs", .notPermitted):
            return appArmorHint ?? revealingHint(type)
        case (_, .noDevice): return "this kernel has no file system \(type); \(Remedy.load(type))"
        case (_, .invalid) where failure.call == .fsconfig && failure.text != type:
            return "this kernel does not know the option \(failure.text) of \(type), or not this value of it"
        default: return mountRightsHint
        }
    }

    /// EPERM for a new proc or sysfs: whose network it would show, and mount_too_revealing() of fs/namespace.c.
    private func revealingHint(_ type: String) -> String? {
        if type == "sysfs", step != nil, !plan.makes(.net) {
            return
                "a new /sys shows a network, which whoever mounts it must own: set network.mode = \"none\", or show the "
                + "host's by ro = [\"/sys\"] in place of this entry"
        }
        let place = type == "proc" ? "/proc" : "/sys"
        let covers = evidence.mounts(below: place)
        guard !covers.isEmpty else { return nil }
        let without = type == "proc" ? Remedy.noProc : "remove the entry"
        return
            "a new \(place) is refused while parts of the old one are covered (mount_too_revealing): as root: umount "
            + "\(covers.reversed().joined(separator: " ")), in a container by starting it with `\(Remedy.uncoveredContainer)`; "
            + "or \(without) to go without"
    }

    /// The host's path of the tree that the step attaches.
    private var attachedPath: String? {
        guard case .tree(.attach(let slot, _, _))? = step?.operation else { return nil }
        for step in plan.steps {
            if case .tree(.fill(slot, .tree(let source), _)) = step.operation { return source.path }
        }
        return nil
    }

    /// A FUSE file system without allow_other is for the one who mounted it, and not even for root.
    private func privateHint(_ path: String) -> String? {
        evidence.privateFileSystem(of: path).map { found in
            "\(found.place) is a FUSE file system of uid \(found.owner), and nobody else may enter it, root neither: launch as "
                + "that user, or mount it with -o allow_other"
        }
    }

    private static let unmakeable =
        "it is missing in the root, and the jail's user may not make it there: make it there "
        + "beforehand, or leave filesystem.writable and filesystem.changes out, so that the root is overlaid"

    /// Whether a path goes on after `.git`, which is a file where git-worktree(1) or a submodule has made it.
    private static func isInRepository(_ path: String) -> Bool { path.contains("/.git/") }

    /// Whether the target does. One that is pinned is on the way to another.
    private var isInRepository: Bool {
        if case .tree(.pin)? = step?.operation { return Self.isInRepository(failure.text + "/") }
        return Self.isInRepository(failure.text)
    }

    private static let worktreeHint =
        ".git is a file there, as in a worktree or a submodule: `git rev-parse --git-common-dir` names the repository that its "
        + "hooks and settings are in"

    /// The place inside the jail where something is to be put.
    private var targetHint: String? {
        switch failure.errno {
        case .loop: "a symbolic link of the root is on the way to the target: name the place that it leads to"
        case .notDirectory where isInRepository: Self.worktreeHint
        case .notDirectory: "a file of the root is on the way to the target, or a directory is put on a file"
        case .accessDenied where failure.call == .mkdirat || failure.call == .symlinkat:
            Self.unmakeable
        case .accessDenied where attachedPath.flatMap(privateHint) != nil:
            attachedPath.flatMap(privateHint)
        case .accessDenied: "the jail's user may not enter a directory on the way to the target"
        case .noSpace: "the file system that would hold the mount point is full"
        default: mountRightsHint
        }
    }

    var mountRightsHint: String? {
        guard [.notPermitted, .accessDenied].contains(failure.errno) else {
            guard failure.errno == .unsupported else { return nil }
            return filterHint
                ?? "the new mount calls: \(Remedy.kernel(Remedy.mountingKernel, running: kernelRelease()))"
        }
        return appArmorHint ?? filterHint
    }

    var hiddenHint: String {
        "put it back where it belongs; what need not be there is a [[mount]] with type = \"hide\" and optional = true"
    }

    func directoryHint(_ path: String) -> String? {
        switch failure.errno {
        case .noEntry: "\(path) is not in the jail: mount it (ro or rw), or set another cwd"
        case .notDirectory: "\(path) is a file"
        case .accessDenied where failure.call == .mkdirat || failure.call == .symlinkat:
            Self.unmakeable
        case .accessDenied: "the jail's user may not enter it: look at its owner and mode, and at identity.user"
        case .loop, .crossesDevice: "\(path) leads through a symbolic link that may not be followed"
        default: nil
        }
    }
}
