import Kernel

/// The tree of the jail while it is built: attached over the launcher's own root, where paths of the host, which start
/// below it, still mean the host's files.
struct Tree {
    /// The mount that will be `/`.
    private(set) var root: Int32 = -1
    /// Tmpfs copies of directories that could not take a mount point; sealed with the rest.
    private var mirrors: [Int32] = []
    private var scratch: Int32 = -1

    /// Attaches the root.
    mutating func begin(_ mount: Int32) throws(Failure) {
        // Its clones live on. It must be gone before anything is stacked on it: after pivot_root, umount2(".") would take
        // only the topmost of what stands on the old root, and the host's tree would stay within reach of `/..`.
        if scratch >= 0 { try failing { () throws(KernelError) in try detach(scratch) } }
        try failing { () throws(KernelError) in
            guard try status(of: mount).kind == .directory else { throw KernelError(.openTree, .notDirectory) }
            try attachOverRoot(mount)
        }
        root = mount
    }

    /// A private directory for the content of files, attached below the root and gone with the host's tree.
    mutating func scratchDirectory() throws(Failure) -> Int32 {
        if scratch >= 0 { return scratch }
        scratch = try failing { () throws(KernelError) in
            let mount = try makeFileSystem("tmpfs", [FileSystemOption("mode", "0700")], [.noSetuid, .noDevices])
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
            directory = try failing { () throws(KernelError) in try status(of: mount).kind == .directory }
        }
        let place = try mountPoint(target, directory: directory)
        try failing { () throws(KernelError) in
            let isDirectory = try status(of: place.number).kind == .directory
            guard isDirectory == directory else {
                throw KernelError(.moveMount, isDirectory ? .isDirectory : .notDirectory, path: target)
            }
            try Kernel.attach(mount, on: place.number)
        }
    }

    mutating func makeDirectory(_ target: String, _ mode: UInt32) throws(Failure) {
        try make(target) { (parent, name) throws(KernelError) in
            try Kernel.makeDirectory(name, at: parent, permissions: mode)
        }
    }

    /// The last component itself becomes the link: one that is there already must be the same.
    mutating func makeSymlink(_ target: String, to destination: String) throws(Failure) {
        let parts = components(target)
        guard let name = parts.last else { throw Failure(.linkDiffers, call: .symlinkat, errno: .exists, text: target) }
        let directory = "/" + parts.dropLast().joined(separator: "/")
        for _ in 0..<2 {
            let parent = try mountPoint(directory, directory: true)
            do throws(KernelError) {
                return try Kernel.makeSymlink(name, to: destination, at: parent.number)
            } catch {
                if error.errno == .exists { return try requireLink(name, to: destination, in: parent.number, target) }
                guard error.errno == .readOnly else { throw Failure(KernelError(error.call, error.errno, path: target)) }
            }
            try mirror(parent.number, isRoot: parts.count == 1)
        }
        throw Failure(KernelError(.symlinkat, .readOnly, path: target))
    }

    private func requireLink(_ name: String, to wanted: String, in parent: Int32, _ target: String) throws(Failure) {
        do throws(KernelError) {
            if try readLink(name, at: parent) == wanted { return }
        } catch {
            guard error.errno == .invalid else { throw Failure(error) }  // no link at all
        }
        throw Failure(.linkDiffers, call: .symlinkat, errno: .exists, text: target)
    }

    /// Makes what `seal` names read-only: mount points have been made until now.
    func seal(_ mounts: [Int32]) throws(Failure) {
        for mount in mounts + mirrors where mount >= 0 {
            try failing { () throws(KernelError) in
                try setAttributes(of: mount, .readOnly, recursive: false, makePrivate: false)
            }
        }
    }
}

// MARK: - Mount points

extension Tree {
    /// Opens the target inside the tree; what is missing of it is made.
    private mutating func mountPoint(_ target: String, directory: Bool) throws(Failure) -> Descriptor {
        try make(target) { (parent, name) throws(KernelError) in
            if directory {
                try Kernel.makeDirectory(name, at: parent, permissions: 0o755)
            } else {
                _ = try open(name, at: parent, [.write, .create, .exclusive, .noFollow], permissions: 0o444)
            }
        }
    }

    /// Walks to `target`, making missing parents, and has `body` make the last component where that is missing too.
    /// Returns what is there in the end.
    ///
    /// Where a directory on the way belongs to a read-only mount it is mirrored first, so that nothing is ever made in a
    /// tree of the host that the spec does not open for writing.
    @discardableResult
    private mutating func make(
        _ target: String, _ body: (Int32, String) throws(KernelError) -> Void
    ) throws(Failure) -> Descriptor {
        // Each mirror is one round: there can be one for each component, and a link may lead to another directory.
        for _ in 0..<64 {
            var walk = Walk(root: root)
            var readOnly = false
            do throws(KernelError) {
                let missing = try walk.descend(target)
                for (index, name) in missing.enumerated() {
                    guard name != ".." else { throw KernelError(.openat, .noEntry, path: target) }
                    if index + 1 < missing.count {
                        try Kernel.makeDirectory(name, at: walk.top, permissions: 0o755)
                    } else {
                        try body(walk.top, name)
                    }
                    try walk.enter(name)
                }
                return try walk.reached()
            } catch {
                readOnly = error.errno == .readOnly
                guard readOnly else { throw Failure(KernelError(error.call, error.errno, path: target)) }
            }
            // (Outside the handler: the walk is consumed by success alone.)
            var again = Walk(root: root)
            _ = try failing { () throws(KernelError) in try again.descend(target) }
            try mirror(again.top, isRoot: again.isAtRoot)
        }
        throw Failure(KernelError(.mkdirat, .readOnly, path: target))
    }

    /// Covers a directory with a tmpfs that shows the same entries, each a mount of the original, and so can take a mount
    /// point of its own. A symbolic link is made again; what the original's flags forbid stays forbidden.
    private mutating func mirror(_ original: Int32, isRoot: Bool) throws(Failure) {
        let copy = try failing { () throws(KernelError) in
            let mode = String(try status(of: original).permissions, radix: 8)
            let copy = try makeFileSystem("tmpfs", [FileSystemOption("mode", mode)], [.noSetuid, .noDevices])
            // The original is reached through its descriptor, below the copy.
            try Kernel.attach(copy.number, on: original)
            for name in try entries(of: original) { try mirror(name, of: original, in: copy.number) }
            return copy.release()
        }
        mirrors.append(copy)
        if isRoot { root = copy }
    }

    private func mirror(_ name: String, of original: Int32, in copy: Int32) throws(KernelError) {
        let entry = try open(name, at: original, [.path, .noFollow])
        let kind = try status(of: entry.number).kind
        guard kind != .symlink else {
            return try Kernel.makeSymlink(name, to: try readLink("", at: entry.number), at: copy)
        }
        let clone = try cloneTree("", at: entry.number, recursive: true)
        if kind == .directory {
            try Kernel.makeDirectory(name, at: copy, permissions: 0o755)
        } else {
            _ = try open(name, at: copy, [.write, .create, .exclusive], permissions: 0o444)
        }
        let place = try open(name, at: copy, [.path, .noFollow])
        try Kernel.attach(clone.number, on: place.number)
    }
}

// MARK: - Covering

extension Tree {
    /// Covers a directory with an empty tmpfs and anything else with the null device on a nodev mount, which cannot even
    /// be opened. Returns whether there was anything to cover.
    mutating func cover(_ target: String) throws(Failure) -> Bool {
        guard let place = try existing(target) else { return false }
        let isDirectory = try failing { () throws(KernelError) in try status(of: place.number).kind == .directory }
        let shut: MountAttributes = [.readOnly, .noSetuid, .noDevices, .noExecute]
        if isDirectory {
            try failing { () throws(KernelError) in
                let empty = try makeFileSystem(
                    "tmpfs", [FileSystemOption("mode", "0000"), FileSystemOption("nr_inodes", "1")], shut)
                try Kernel.attach(empty.number, on: place.number)
            }
        } else {
            let null = try cloneDevice("/dev/null", 1, 3)
            try failing { () throws(KernelError) in
                try setAttributes(of: null.number, shut, recursive: false)
                try Kernel.attach(null.number, on: place.number)
            }
        }
        return true
    }

    /// Makes what is at the target read-only in its place, where it is.
    mutating func protect(_ target: String) throws(Failure) {
        guard let place = try existing(target) else { return }
        try failing { () throws(KernelError) in
            let clone = try cloneTree("", at: place.number, recursive: true)
            try setAttributes(of: clone.number, [.readOnly, .noSetuid, .noDevices, .noExecute], recursive: true)
            try Kernel.attach(clone.number, on: place.number)
        }
    }

    private func existing(_ target: String) throws(Failure) -> Descriptor? {
        do throws(KernelError) {
            return try openInside(root, target)
        } catch {
            guard error.errno == .noEntry else { throw Failure(error) }
            return nil
        }
    }
}
