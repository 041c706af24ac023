package import JailSpec
import Kernel
package import SpecFile

/// Removes trees that a jail has left, whatever they hold: directories without a permission, names without an end, any depth.
struct RemoveTree {
    /// What is too deep is moved here first.
    let top: Int32
    private static let depthLimit = 64

    init(top: Int32) { self.top = top }

    /// Removes all that is in a directory, and not the directory.
    func empty(_ directory: Int32) throws(KernelError) { try empty(directory, depth: 0) }

    /// Removes an entry with all that is in it.
    func remove(_ name: EntryName, at parent: Int32) throws(KernelError) { try remove(name, at: parent, depth: 0) }

    private func empty(_ directory: Int32, depth: Int) throws(KernelError) {
        for name in try entryNames(of: directory) { try remove(name, at: directory, depth: depth) }
    }

    private func remove(_ name: EntryName, at parent: Int32, depth: Int) throws(KernelError) {
        do throws(KernelError) {
            return try removeEntry(name, at: parent, directory: false)
        } catch {
            // unlink(2): what Linux says of a directory.
            guard error.errno == .isDirectory || error.errno == .noEntry else { throw error }
        }
        guard let status = try entryStatus(name, at: parent) else { return }
        if depth >= Self.depthLimit {
            // Emptied when the loop at the top comes to it; a name that nothing else has.
            let moved = EntryName(Array(".immure.deep.\(status.inode)".utf8))
            try moveEntry(name, at: parent, to: moved, at: top)
            return try remove(moved, at: top, depth: 1)
        }
        // overlayfs leaves a directory of mode 0 in work, and a jail may leave more.
        if status.permissions & 0o700 != 0o700 { try allow(name, at: parent) }
        let directory = try openEntry(name, at: parent, .read | .directory)
        try empty(directory.number, depth: depth + 1)
        try removeEntry(name, at: parent, directory: true)
    }

    /// Lets the owner into a directory, by its descriptor: fchmodat(2) would follow a link that has come in its place.
    private func allow(_ name: EntryName, at parent: Int32) throws(KernelError) {
        let entry = try openEntry(name, at: parent, .path | .directory)
        try setPermissions(ofPath: entry.number, 0o700)
    }
}

extension KeptChanges {
    /// Throws the changes away: upper and work are empty afterwards. Where no launch has left a record there are none, and what
    /// is in work is not a launch's. The record goes last: without it the rest would be nobody's.
    package func discard(of mount: Mount) throws(Diagnostic) {
        guard isRecorded else { return }
        do throws(KernelError) {
            try OverlayRecord.beginEmptying(in: work)
            try ClosedFiles.open { (_) throws(KernelError) in try RemoveTree(top: upper).empty(upper) }
            // The next jail has it as its root.
            if let mode = record?.modes?.upper { try setPermissions(ofPath: upper, mode) }
            let tree = RemoveTree(top: work)
            while let name = try entryNames(of: work).first(where: { $0 != OverlayRecord.nameOfEmptying }) {
                try tree.remove(name, at: work)
            }
            try tree.remove(OverlayRecord.nameOfEmptying, at: work)
        } catch {
            throw Self.diagnostic(Failure(error), mount)
        }
    }
}
