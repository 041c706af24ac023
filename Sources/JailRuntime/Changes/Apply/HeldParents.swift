import Kernel

/// The directories of one path, in the original and in the upper, open as long as something is to be done in them.
final class HeldParents {
    let path: EntryPath
    /// Both, as they were when they were come to.
    let entry: PlacedDirectories.Entry
    private let directories: (original: OpenDirectory, upper: OpenDirectory)
    /// Where what is made in the original stands until it is whole; nil before there is any.
    fileprivate(set) var drafts: DraftPlace?

    var original: Int32 { directories.original.number }
    var upper: Int32 { directories.upper.number }

    init(_ path: EntryPath, _ entry: PlacedDirectories.Entry, _ original: OpenDirectory, _ upper: OpenDirectory) {
        (self.path, self.entry, directories) = (path, entry, (original, upper))
    }

    func makeDrafts(
        _ prefix: EntryName, of user: UInt32, _ taken: TakenEntries
    ) throws(KernelError) -> DraftPlace {
        let place = try DraftPlace(in: directories.original, prefix, of: user, taken)
        drafts = place
        return place
    }
}

extension ChangeApplication {
    /// The directories that a change is in: those of the change before where they are the same. Names are put in before what is
    /// in them, so nothing is given another's place between two changes of one directory.
    mutating func reach(_ change: Change) throws(KernelError) -> HeldParents {
        let path = change.path.parent
        if let held, held.path == path { return held }
        try noteHeld()
        try original.go(to: path)
        try asCaller { () throws(KernelError) in try changed.go(to: path) }
        // By its names another directory may be found than was compared: whoever may write above it has put that there.
        let found = try FileMark(of: original.directory)
        let entry = PlacedDirectories.Entry(upper: try status(of: changed.directory).identity.inode, found)
        guard change.place?.isStill(found) ?? false || placed.known.contains(entry) else {
            throw KernelError(.openat, .busy)
        }
        try placed.note(entry)
        try opened.open(original.directory, at: path, of: user)
        let parents = HeldParents(path, entry, original.open, changed.open)
        held = parents
        return parents
    }

    /// What is done in a directory may make it anew to its file system: as what it is found from then on.
    private func noteHeld() throws(KernelError) {
        guard let held, !held.entry.original.isLasting else { return }
        try placed.note(PlacedDirectories.Entry(upper: held.entry.upper, FileMark(of: held.original)))
    }

    mutating func leaveHeld() throws(Failure) {
        try failing { () throws(KernelError) in try noteHeld() }
        held = nil
    }

    /// Where what is made in a directory stands until it is whole.
    mutating func drafts(_ parents: HeldParents) throws(KernelError) -> DraftPlace {
        if let drafts = parents.drafts { return drafts }
        // The same directory is come back to from those in it.
        let identity = try status(of: parents.original).identity
        if let drafts = places.last(where: { $0.place == identity }) {
            parents.drafts = drafts
            return drafts
        }
        let drafts = try parents.makeDrafts(temporary, of: user, taken)
        places.append(drafts)
        try noteHeld()
        return drafts
    }

    /// As whom the original is changed.
    var user: UInt32 { handover.owner?.user ?? effectiveUser() }

    /// Removes the places of drafts that nothing is made in any more.
    mutating func leavePlaces() throws(KernelError) {
        let last = held?.drafts
        while let place = places.last(where: { $0 !== last }) {
            places.removeAll { $0 === place }
            try place.remove()
        }
    }
}
