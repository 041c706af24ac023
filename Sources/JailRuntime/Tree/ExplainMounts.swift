import JailPlan
import Kernel

/// Why the tree cannot be built.
extension Explanation {
    var mountHint: String? {
        switch step?.operation {
        case .fill(_, .tree(let source), _): sourceHint(source)
        case .fill(_, .device(let name, _, _), _): deviceHint(name)
        case .fill(_, .fileSystem(let fileSystem), _), .fill(_, .noticeSocket(let fileSystem), _),
            .fill(_, .credentials(let fileSystem), _):
            fileSystemHint(fileSystem.type)
        case .fill(_, .file, _): targetHint
        case .attach, .makeDirectory, .makeSymlink, .hide, .mask, .protect: targetHint
        case .isolateMounts, .switchRoot, .beginRoot: mountRightsHint
        default: nil
        }
    }

    private func sourceHint(_ source: TreeSource) -> String? {
        switch failure.errno {
        case .noEntry:
            "\(source.path) does not exist on the host: make it, or write a [[mount]] with optional = true"
        case .accessDenied:
            "the caller may not search a directory on the way to \(source.path): see `namei -l \(source.path)`"
        case .notDirectory: "something on the way to \(source.path) is a file"
        case .loop: "\(source.path) leads through too many symbolic links, or one that may not be followed"
        case .invalid where failure.call == .openTree:
            "the source is in another mount namespace, or below an unbindable mount"
        case .notPermitted where failure.call == .mountSetattr:
            "the mount has flags locked by the namespace that made it: ask for the same ones (nosuid, nodev, noexec, ro)"
        case .notPermitted where evidence.uid == 0 && evidence.isInUserNamespace:
            "the caller is root of a user namespace that does not own the mounts it sees: "
                + "give it a mount namespace of its own (unshare -Urm)"
        case .unsupported:
            filterHint
                ?? "open_tree(2) and mount_setattr(2): \(Remedy.kernel(Remedy.mountingKernel, running: kernelRelease()))"
        default: mountRightsHint
        }
    }

    private func deviceHint(_ name: String) -> String? {
        switch failure.errno {
        case .noEntry: "the host has no /dev/\(name): make it, or \(Remedy.noDevices)"
        default: mountRightsHint
        }
    }

    func fileSystemHint(_ type: String) -> String? {
        switch (type, failure.errno) {
        case ("proc", .notPermitted), ("sysfs", .notPermitted):
            if let appArmorHint { return appArmorHint }
            let place = type == "proc" ? "/proc" : "/sys"
            let remedy =
                type == "proc"
                ? "\(Remedy.noProc) to go without" : "remove the entry to go without"
            return "parts of this container's \(place) are covered, and the kernel then refuses a new one "
                + "(mount_too_revealing): start it with `\(Remedy.uncoveredContainer)`, or \(remedy)"
        case (_, .noDevice): return "this kernel has no file system \(type); \(Remedy.load(type))"
        case (_, .invalid) where failure.call == .fsconfig && failure.text != type:
            return "this kernel does not know the option \(failure.text) of \(type), or not this value of it"
        default: return mountRightsHint
        }
    }

    /// Asked of the host: in the jail every such id looks the same.
    var unmappedOwner: (reason: String, hint: String?) {
        let path = failure.text
        do throws(KernelError) {
            let found = try status(ofPath: path)
            if found.owner == callerIdentity().euid {
                return (
                    "\(path) belongs to gid \(found.group), which is not in the jail: writing would fail with EOVERFLOW",
                    hint: "chgrp \(callerIdentity().gid) \(path)"
                )
            }
            return (
                "\(path) belongs to uid \(found.owner), which is not in the jail: writing would fail with EOVERFLOW",
                hint: "\(Remedy.launchAsRoot), or take a directory of your own"
            )
        } catch {
            return ("\(path) belongs to somebody who is not in the jail", nil)
        }
    }

    private static let unmakeable =
        "it is missing in the root, and the jail's user may not make it there: make it beforehand, or leave writable out, "
        + "so that the root is overlaid"

    /// The place inside the jail where something is to be put.
    private var targetHint: String? {
        switch failure.errno {
        case .loop: "a symbolic link of the root is on the way to the target: name the place that it leads to"
        case .notDirectory: "a file of the root is on the way to the target, or a directory is put on a file"
        case .readOnly:
            "the root is read-only there and could not be overlaid: give it as a directory with writable = true, "
                + "or make the mount point in it"
        case .accessDenied where failure.call == .mkdirat || failure.call == .symlinkat:
            Self.unmakeable
        case .accessDenied: "the jail's user may not enter a directory on the way to the target"
        case .noSpace: "the file system that would hold the mount point is full"
        case .exists: "the target is there and is of another kind"
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
