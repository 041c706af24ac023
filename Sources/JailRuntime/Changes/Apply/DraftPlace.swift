import Kernel

/// A directory of apply's own in a directory of the original, which holds what is made for that until it is whole.
///
/// Where others may write to a directory, its names are theirs to exchange at any moment. In here they are nobody else's: mode 0700, and
/// reached by its descriptor alone. What is given an owner or a mode, or is removed with all that is in it, has been made here, or was
/// moved here and then compared. It stands where its names will, so that what is made gets the group and the access control list
/// that the directory gives.
final class DraftPlace {
    private let parent: OpenDirectory
    private let name: EntryName
    private let prefix: EntryName
    private let own: Descriptor
    /// The directory that it is in.
    let place: FileIdentity
    private let taken: TakenEntries

    /// Makes it, as `user`, under a name that begins with `prefix`.
    init(
        in parent: OpenDirectory, _ prefix: EntryName, of user: UInt32, _ taken: TakenEntries
    ) throws(KernelError) {
        (self.parent, self.prefix, self.taken) = (parent, prefix, taken)
        place = try status(of: parent.number).identity
        name = try Self.make(in: parent, prefix)
        own = try openEntry(name, at: parent.number, .read | .directory)
        // Others' directories that are put in its place belong to them, are closed to them, or have something in them.
        guard try Self.isClosed(own.number, to: user), try entryNames(of: own.number).isEmpty else {
            throw KernelError(.mkdirat, .busy, path: name.text)
        }
    }

    /// Whether a directory is that user's, and nobody else may write to it.
    private static func isClosed(_ directory: Int32, to user: UInt32) throws(KernelError) -> Bool {
        let found = try status(of: directory)
        return found.owner == user && found.permissions & 0o022 == 0
    }

    /// How many may be open at once: each takes two descriptors.
    static let most = 32

    private static func make(
        in parent: OpenDirectory, _ prefix: EntryName
    ) throws(KernelError) -> EntryName {
        var (name, attempts) = (prefix, 0)
        while true {
            do throws(KernelError) {
                try makeDirectoryEntry(name, at: parent.number, permissions: 0o700)
                return name
            } catch {
                guard error.errno == .exists, attempts < 16 else { throw error }
                attempts += 1
                // Whoever knows the first name since an apply was killed may have taken all that can be told from it.
                name = attempts < 8 ? prefix.numbered(attempts) : try prefix.numberedAtRandom()
            }
        }
    }

    var number: Int32 { own.number }

    /// A name in it that nothing has yet.
    func next() -> EntryName { taken.nextDraft(prefix) }

    /// Removes it, with what has been made in it. What was taken from a name and could not be given back stays, and the directory with it.
    func remove() throws(KernelError) {
        for draft in try entryNames(of: own.number) where draft.isDraft(of: prefix) && !taken.isAway(draft) {
            try RemoveTree.remove(draft, at: own.number)
        }
        try Self.removeEmpty(name, at: parent.number)
    }

    /// The names of those that a killed apply has left in a directory.
    static func names(_ prefix: EntryName, in directory: Int32) throws(KernelError) -> [EntryName] {
        try entryNames(of: directory).filter { $0.isDraft(of: prefix) }
    }

    /// Opens one of those; nil for what somebody else has put there under such a name.
    static func open(_ name: EntryName, in directory: Int32, of user: UInt32) throws(KernelError) -> Descriptor? {
        guard try entryStatus(name, at: directory)?.kind == .directory else { return nil }
        let own = try openEntry(name, at: directory, .read | .directory)
        guard try isClosed(own.number, to: user) else { return nil }
        return own
    }

    /// An empty directory could be removed by whoever can have put it there.
    static func removeEmpty(_ name: EntryName, at directory: Int32) throws(KernelError) {
        do throws(KernelError) {
            try removeEntry(name, at: directory, directory: true)
        } catch {
            guard [.noEntry, .notEmpty, .notDirectory].contains(error.errno) else { throw error }
        }
    }
}

extension EntryName {
    /// Whether things are made under this name by the apply whose names begin so.
    func isDraft(of name: EntryName) -> Bool {
        bytes == name.bytes || bytes.starts(with: name.bytes + [UInt8(ascii: ".")])
    }

    func numbered(_ number: Int) -> EntryName { EntryName(bytes + Array(".\(number)".utf8)) }

    fileprivate func numberedAtRandom() throws(KernelError) -> EntryName {
        EntryName(bytes + Array(("." + (try randomBytes(8)).map { String($0, radix: 16) }.joined()).utf8))
    }
}
