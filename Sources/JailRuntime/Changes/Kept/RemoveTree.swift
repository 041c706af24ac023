import Kernel

/// Removes trees that a jail has left, whatever they hold: directories without a permission, names without an end, any depth.
enum RemoveTree {
    /// Removes all that is in a directory, and not the directory.
    static func empty(_ directory: Int32) throws(KernelError) {
        try remove(try entryNames(of: directory).reversed(), at: directory)
    }

    /// Removes an entry with all that is in it.
    static func remove(_ name: EntryName, at parent: Int32) throws(KernelError) {
        if try !removeFile(name, at: parent) { try remove([name], at: parent) }
    }

    /// Removes a directory that others may reach meanwhile: of what is in it, and of itself, only what is known, EBUSY for another.
    static func remove(
        _ name: EntryName, at parent: Int32, only isKnown: (EntryStatus) -> Bool
    ) throws(KernelError) {
        try remove([name], at: parent, isBeside: true, only: isKnown)
    }

    private static func remove(
        _ names: [EntryName], at parent: Int32, isBeside: Bool = false,
        only isKnown: (EntryStatus) -> Bool = { _ in true }
    ) throws(KernelError) {
        let (way, mount) = (Descent(parent), try mountNumber(at: parent))
        var left = [names]
        func require(_ status: EntryStatus) throws(KernelError) {
            if !isKnown(status) { throw KernelError(.unlinkat, .busy) }
        }
        while !left.isEmpty {
            guard let name = left[left.count - 1].popLast() else {
                left.removeLast()
                guard let emptied = way.path.last else { return }
                try way.leave()
                try removeEntry(emptied, at: way.directory, directory: true)
                continue
            }
            if isBeside, let status = try entryStatus(name, at: way.directory) { try require(status) }
            if try removeFile(name, at: way.directory) { continue }
            guard let status = try entryStatus(name, at: way.directory) else { continue }
            try require(status)
            // overlayfs leaves a directory of mode 0 in work, and a jail may leave more.
            if status.permissions & 0o700 != 0o700 { try allow(name, at: way.directory, status) }
            // What is mounted there is no part of the tree.
            guard try mountNumber(of: name, at: way.directory) == mount else { throw KernelError(.unlinkat, .busy) }
            try way.enter(name)
            if isBeside { try require(try entryStatus(of: way.directory)) }
            left.append(try entryNames(of: way.directory).reversed())
        }
    }

    /// False where it is a directory, or nothing.
    private static func removeFile(_ name: EntryName, at parent: Int32) throws(KernelError) -> Bool {
        do throws(KernelError) {
            try removeEntry(name, at: parent, directory: false)
            return true
        } catch {
            // unlink(2): what Linux says of a directory.
            guard error.errno == .isDirectory || error.errno == .noEntry else { throw error }
            return false
        }
    }

    /// Lets the owner into a directory, by its descriptor: fchmodat(2) would follow a link that has come in its place.
    private static func allow(_ name: EntryName, at parent: Int32, _ found: EntryStatus) throws(KernelError) {
        let entry = try openEntry(name, at: parent, .path | .directory)
        guard try entryStatus(of: entry.number).identity == found.identity else { throw KernelError(.openat, .busy) }
        try setPermissions(ofPath: entry.number, 0o700)
    }
}
