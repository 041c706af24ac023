import Kernel

/// Which file of the original it is, and of a regular one what tells whether its text or its mode is another since: what goes is this file as
/// it was when conflicts were looked for.
///
/// st_ctime tells nothing here: a rename changes it, and an apply the number of names.
struct ComparedFile {
    let mark: FileMark
    /// nil of what is no regular file.
    let state: FileState?

    init(_ mark: FileMark, _ status: EntryStatus) {
        self.mark = mark
        state = status.kind == .regular ? FileState(status) : nil
    }

    /// Whether an entry is that still, in the course of one apply: by two calls, neither of which would say so of another file.
    func isStill(_ name: EntryName, at directory: Int32) throws(KernelError) -> Bool {
        guard let now = try entryStatus(name, at: directory), now.identity == mark.identity else { return false }
        if case .handle(let handle) = mark.proof, let found = try fileHandle(name, at: directory), found != handle {
            return false
        }
        return state.map { $0 == FileState(now) } ?? true
    }
}

/// What another text, mode or owner of a file changes.
struct FileState: Equatable {
    private let numbers: [Int]

    init(_ status: EntryStatus) {
        numbers = [
            status.size, status.modified.seconds, status.modified.nanoseconds, Int(status.permissions),
            Int(status.owner), Int(status.group),
        ]
    }
}

// As they are written down.

extension FileState {
    static let wordCount = 6

    var text: String { numbers.map { "\($0)" }.joined(separator: " ") }

    init?(_ words: ArraySlice<Substring>) {
        numbers = words.compactMap { Int($0) }
        guard words.count == Self.wordCount, numbers.count == words.count else { return nil }
    }
}

extension ComparedFile {
    var text: String { "\(state?.text ?? "-") \(mark.text)" }

    init?(_ words: ArraySlice<Substring>) {
        let isStateless = words.first == "-"
        let count = isStateless ? 1 : FileState.wordCount
        guard words.count > count, let mark = FileMark(words.dropFirst(count)) else { return nil }
        state = isStateless ? nil : FileState(words.prefix(count))
        self.mark = mark
        guard isStateless || state != nil else { return nil }
    }
}
