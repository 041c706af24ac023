import Kernel

/// What is in a directory, as a number: it is another one when something has come to it, or has gone or been changed.
struct TreeSum: Equatable {
    private var sum: UInt64 = 0
    /// Files with several names: a name that goes elsewhere, by an apply for one, changes their times as well.
    private var linked: Set<UInt64> = []
    /// All that is in it: nothing else goes with it.
    private(set) var files: Set<FileIdentity> = []
    /// The directories among these.
    private(set) var directories: Set<FileIdentity> = []

    static func == (one: TreeSum, other: TreeSum) -> Bool { one.sum == other.sum }

    /// Of nothing. `before`: what it will be compared with.
    init(like before: TreeSum? = nil) { linked = before?.linked ?? [] }

    /// Of all that is in a directory now, as `before` was taken.
    init(_ name: EntryName, at parent: Int32, like before: TreeSum) throws(KernelError) {
        self.init(like: before)
        var walk = try TreeWalk(name, at: parent)
        while let entry = try walk.nextEntry() { add(entry.name, entry.status) }
    }

    /// One more entry, in any order; without a status it has gone meanwhile.
    mutating func add(_ name: EntryName, _ status: EntryStatus?) {
        var hasher = Hasher()
        hasher.combine(name)
        if let status {
            files.insert(status.identity)
            if status.kind == .directory { directories.insert(status.identity) }
            hasher.combine(status.kind)
            hasher.combine(status.identity)
            hasher.combine([status.owner, status.group, status.permissions])
            if status.kind != .directory, status.links > 1 { linked.insert(status.inode) }
            if !linked.contains(status.inode) { hasher.combine(status.changed) }
        }
        sum &+= UInt64(bitPattern: Int64(hasher.finalize()))
    }
}
