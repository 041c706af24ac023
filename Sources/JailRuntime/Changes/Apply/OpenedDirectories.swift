import Kernel

/// Directories of the original that their owner has closed to writing, and that an apply has opened: `immure.opened` in the work directory.
///
/// A tree may be read-only for its owner (0555), as the caches of package managers are: who owns it changes its mode, as rm(1) and cp(1)
/// do not, does what is to be done, and puts the mode back. It is written before the mode is changed, so that whoever goes on where an
/// apply was killed puts it back.
final class OpenedDirectories {
    private let journal: LineJournal
    /// The modes that are to be put back.
    private var modes: [FileIdentity: UInt32] = [:]
    /// Where those are that have been opened by this.
    private(set) var places: [EntryPath] = []

    private static let needed: UInt32 = 0o300

    init(in work: Int32) throws(Failure) {
        journal = LineJournal("immure.opened", in: work)
        for line in try journal.numbers() where line.count == 3 && line[2] <= 0o7777 {
            modes[FileIdentity(device: line[0], inode: line[1])] = UInt32(line[2])
        }
    }

    func begin() throws(KernelError) { try journal.begin() }

    /// All are closed again.
    func end() throws(KernelError) {
        places = []
        try journal.remove()
    }

    /// Opens a directory that belongs to `user`, which nothing else would let into it.
    func open(_ directory: Int32, at path: EntryPath, of user: UInt32) throws(KernelError) {
        guard user != 0 else { return }
        let found = try status(of: directory)
        guard found.owner == user, found.permissions & Self.needed != Self.needed else { return }
        places.append(path)
        modes[found.identity] = found.permissions
        try journal.add([found.identity.device, found.identity.inode, UInt64(found.permissions)])
        try setPermissions(directory, found.permissions | Self.needed)
    }

    /// Gives a directory the mode back that it had. What has another one by now has got it from somebody else.
    func close(_ directory: Int32) throws(KernelError) {
        let found = try status(of: directory)
        guard let mode = modes.removeValue(forKey: found.identity), found.permissions == mode | Self.needed else {
            return
        }
        try setPermissions(directory, mode)
        try synchronize(directory)
    }
}

extension ChangeApplication {
    /// Closes what was opened, the deepest first.
    func closeAgain() throws(Failure) {
        for path in opened.places.reversed() {
            try Self.acting(as: handover.owner) { () throws(KernelError) in
                try original.go(to: path)
                try opened.close(original.directory)
            }
        }
        try failing { () throws(KernelError) in try opened.end() }
    }
}
