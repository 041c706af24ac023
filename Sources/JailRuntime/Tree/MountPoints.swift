import Kernel

/// Where mounts are put: found inside the tree, and made where they are missing.
extension Tree {
    /// Opens the target inside the tree; what is missing of it is made.
    mutating func mountPoint(_ target: String, directory: Bool) throws(Failure) -> Descriptor {
        try make(target) { (parent, name) throws(KernelError) in
            try makeMountPoint(name, at: parent, directory: directory)
        }
    }

    /// Walks to `target`, making missing parents, and has `body` make the last component where that is missing too.
    /// Returns what is there in the end.
    ///
    /// Where a directory on the way belongs to a read-only mount it is mirrored first, so that nothing is ever made in a
    /// tree of the host that the spec does not open for writing.
    @discardableResult
    mutating func make(
        _ target: String, _ body: (Int32, String) throws(KernelError) -> Void
    ) throws(Failure) -> Descriptor {
        // Each mirror is one round: there can be one for each component, and a link may lead to another directory.
        for _ in 0..<64 {
            var walk = Walk(root: root)
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
                guard error.errno == .readOnly else {
                    throw Failure(KernelError(error.call, error.errno, path: target))
                }
            }
            // (Outside the handler: only success consumes the walk.)
            var again = Walk(root: root)
            let missing = try failing { () throws(KernelError) in try again.descend(target) }
            try mirror(again.top, isRoot: again.isAtRoot)
            mirrors.append((target, missing.count))
        }
        throw Failure(KernelError(.mkdirat, .readOnly, path: target))
    }

    /// The last component itself becomes the link: one that is there already must be the same.
    mutating func makeSymlink(_ target: String, to destination: String) throws(Failure) {
        if linkBeside(target, to: destination) { return }
        let parts = components(target)
        guard let name = parts.last else { throw Failure(.linkDiffers, call: .symlinkat, errno: .exists) }
        var directory = "/"
        for part in parts.dropLast() { directory += part + "/" }
        for _ in 0..<2 {
            let parent = try mountPoint(directory, directory: true)
            do throws(KernelError) {
                return try Kernel.makeSymlink(name, to: destination, at: parent.number)
            } catch {
                if error.errno == .exists { return try requireLink(name, to: destination, in: parent.number) }
                guard error.errno == .readOnly else {
                    throw Failure(KernelError(error.call, error.errno, path: target))
                }
            }
            try mirror(parent.number, isRoot: parts.count == 1)
            mirrors.append((directory, 0))
        }
        throw Failure(KernelError(.symlinkat, .readOnly, path: target))
    }

    private func requireLink(_ name: String, to wanted: String, in parent: Int32) throws(Failure) {
        var found = ""
        do throws(KernelError) {
            found = try readLink(name, at: parent)
            if found == wanted { return }
        } catch {
            guard error.errno == .invalid else { throw Failure(error) }  // no link at all
        }
        throw Failure(.linkDiffers, call: .symlinkat, errno: .exists, text: found)
    }
}

/// Makes an empty directory or file to put a mount on, where nothing is.
func makeMountPoint(_ name: String, at parent: Int32, directory: Bool) throws(KernelError) {
    if directory { return try Kernel.makeDirectory(name, at: parent, permissions: 0o755) }
    _ = try open(name, at: parent, .write | .create | .exclusive | .noFollow, permissions: 0o444)
}
