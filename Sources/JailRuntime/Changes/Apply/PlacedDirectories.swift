import Kernel

/// The directories of the original that an apply has worked in: `immure.placed` in the work directory.
///
/// An apply of some changes, or one that was killed, changes the times of directories, and makes new ones: these are no sign of
/// anybody else. Each is an entry that is written before the first name in it, so that what was killed has it.
final class PlacedDirectories {
    static let name: EntryName = "immure.placed"

    /// A directory of the original, by what the upper has in its place.
    struct Entry: Hashable {
        /// The inode of the upper's directory; 0 where the original's is to go.
        let upper: UInt64
        let original: FileMark

        init(upper: UInt64, _ original: FileMark) { (self.upper, self.original) = (upper, original) }

        fileprivate init?(_ line: ArraySlice<UInt8>) {
            let words = String(decoding: line, as: UTF8.self).split(separator: " ")
            guard let upper = words.first.flatMap({ UInt64($0) }), let original = FileMark(words.dropFirst()) else {
                return nil
            }
            self.init(upper: upper, original)
        }

        fileprivate var line: String { "\(upper) \(original.text)\n" }
    }

    private let work: Int32
    private var file: Int32?
    private var isRead = false
    private(set) var known: Set<Entry> = []

    /// `work` is borrowed.
    init(in work: Int32) { self.work = work }

    deinit { if let file { closeDescriptor(file) } }

    /// Opens the file, as whoever asks: from here on there is something to note.
    func begin() throws(KernelError) {
        if file != nil { return }
        file = try openEntry(Self.name, at: work, .write | .create | .append, permissions: 0o600).release()
    }

    static func remove(in work: Int32) throws(KernelError) {
        guard try entryStatus(name, at: work) != nil else { return }
        try removeEntry(name, at: work, directory: false)
    }

    /// Reads, once, those that are known; none where there is no such file.
    func read() throws(Failure) {
        if isRead { return }
        isRead = true
        guard try failing({ () throws(KernelError) in try entryStatus(Self.name, at: work) }) != nil else { return }
        let file = try failing { () throws(KernelError) in try openEntry(Self.name, at: work, .read) }
        try requireOwn(file.number, "\(Self.name.text) in work", path: nil)
        let bytes = try failing { () throws(KernelError) in
            try readAll(file.number, limit: 256 << 20, path: Self.name.text)
        }
        // The last may have been cut off.
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
        known = Set(lines.compactMap { Entry($0) })
    }

    func note(_ entry: Entry) throws(KernelError) {
        guard let file, known.insert(entry).inserted else { return }
        try writeAll(file, Array(entry.line.utf8))
    }
}
