import Kernel

/// The directories of the original that an apply has worked in: `immure.placed` in the work directory.
///
/// An apply of some changes, or one that was killed, changes the times of directories, and makes new ones: these are no sign of
/// anybody else. Each is an entry that is written before the first name in it, so that what was killed has it.
final class PlacedDirectories {
    /// A directory of the original, by what the upper has in its place.
    struct Entry: Hashable {
        /// The inode of the upper's directory; 0 where the original's is to go.
        let upper: UInt64
        let original: FileMark

        init(upper: UInt64, _ original: FileMark) { (self.upper, self.original) = (upper, original) }

        fileprivate init?(_ words: [Substring]) {
            guard let upper = words.first.flatMap({ UInt64($0) }), let original = FileMark(words.dropFirst()) else {
                return nil
            }
            self.init(upper: upper, original)
        }

        fileprivate var line: String { "\(upper) \(original.text)" }
    }

    private let journal: LineJournal
    private var isRead = false
    private(set) var known: Set<Entry> = []

    /// `work` is borrowed.
    init(in work: Int32) { journal = LineJournal("immure.placed", in: work) }

    func begin() throws(KernelError) { try journal.begin() }
    func remove() throws(KernelError) { try journal.remove() }

    /// Reads, once, those that are known.
    func read() throws(Failure) {
        if isRead { return }
        isRead = true
        known = Set(try journal.lines().compactMap { Entry($0) })
    }

    func note(_ entry: Entry) throws(KernelError) {
        guard journal.isBegun, known.insert(entry).inserted else { return }
        try journal.add(entry.line)
    }
}
