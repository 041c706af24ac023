import Kernel

/// What an apply takes from its name, to compare it once more where nobody else reaches it, and to remove it: `immure.taken` in the work
/// directory.
///
/// Between two calls somebody may have given that name to a file of his own. A line is written before the entry is moved into a directory of
/// drafts, so that whoever goes on where an apply was killed knows what may go, and gives the rest its name back.
final class TakenEntries {
    struct Entry {
        /// The name that it had, in the directory that the directory of drafts is in.
        let name: EntryName
        /// What gets that name in the same step; nil for nothing.
        let made: Made?
        let compared: ComparedFile
    }

    /// What has been made, and as what: whoever has written to it since has made it his.
    struct Made: Equatable {
        let identity: FileIdentity
        let state: FileState

        init(_ status: EntryStatus) { (identity, state) = (status.identity, FileState(status)) }
    }

    private let journal: LineJournal
    /// By the names that they have in a directory of drafts.
    private(set) var known: [EntryName: Entry] = [:]
    /// Those that are neither removed nor back at their names.
    private var away: Set<EntryName> = []
    /// Directories that were compared, and are to go with what they hold: what is removed from one changes its time.
    private(set) var condemned: Set<FileIdentity> = []
    private var count = 0

    init(in work: Int32) throws(Failure) {
        journal = LineJournal("immure.taken", in: work)
        for words in try journal.lines() {
            if let identity = Self.condemned(words) {
                condemned.insert(identity)
            } else if let (draft, entry) = Entry.named(words) {
                known[draft] = entry
                // No name is used twice, by whoever goes on as well.
                count = max(count, words[0].split(separator: ".").last.flatMap { Int($0) } ?? 0)
            }
        }
    }

    func begin() throws(KernelError) { try journal.begin() }
    func remove() throws(KernelError) { try journal.remove() }

    /// A name below `prefix` that nothing has yet in any directory of drafts.
    func nextDraft(_ prefix: EntryName) -> EntryName {
        count += 1
        return prefix.numbered(count)
    }

    /// Notes what is about to be moved to `draft`.
    func note(_ entry: Entry, as draft: EntryName) throws(KernelError) {
        known[draft] = entry
        away.insert(draft)
        try journal.add("\(draft.text) \(entry.line)")
    }

    /// It has gone, or has its name back.
    func end(_ draft: EntryName) { away.remove(draft) }

    func isAway(_ draft: EntryName) -> Bool { away.contains(draft) }

    /// Notes directories before anything is removed from one.
    func condemn(_ directories: Set<FileIdentity>) throws(KernelError) {
        condemned.formUnion(directories)
        let lines = directories.map { "\(Self.mark) \($0.device) \($0.inode)" }
        if !lines.isEmpty { try journal.add(lines.joined(separator: "\n")) }
    }

    private static let mark: Substring = "directory"

    private static func condemned(_ words: [Substring]) -> FileIdentity? {
        guard words.count == 3, words[0] == mark, let device = UInt64(words[1]), let inode = UInt64(words[2]) else {
            return nil
        }
        return FileIdentity(device: device, inode: inode)
    }
}

// As they are written down: the names, what is made, and what was compared.

extension TakenEntries.Entry {
    fileprivate var line: String {
        // A name of a file is bytes.
        return "\(hexDigits(name.bytes)) \(made?.text ?? "-") \(compared.text)"
    }

    fileprivate static func named(_ words: [Substring]) -> (draft: EntryName, entry: TakenEntries.Entry)? {
        guard words.count > 3, let name = bytes(ofDigits: words[1]) else { return nil }
        let isMade = words[2] != "-"
        let rest = words.dropFirst(isMade ? 2 + TakenEntries.Made.wordCount : 3)
        guard let compared = ComparedFile(rest) else { return nil }
        let made = isMade ? TakenEntries.Made(words[2...].prefix(TakenEntries.Made.wordCount)) : nil
        if isMade, made == nil { return nil }
        let entry = TakenEntries.Entry(name: EntryName(name), made: made, compared: compared)
        return (EntryName(Array(words[0].utf8)), entry)
    }
}

extension TakenEntries.Made {
    fileprivate static let wordCount = FileState.wordCount + 2

    fileprivate var text: String { "\(identity.device) \(identity.inode) \(state.text)" }

    fileprivate init?(_ words: ArraySlice<Substring>) {
        let numbers = words.prefix(2).compactMap { UInt64($0) }
        guard numbers.count == 2, let state = FileState(words.dropFirst(2)) else { return nil }
        (identity, self.state) = (FileIdentity(device: numbers[0], inode: numbers[1]), state)
    }
}
