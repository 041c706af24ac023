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
        let original: FileIdentity

        init(upper: UInt64, _ original: FileIdentity) { (self.upper, self.original) = (upper, original) }

        fileprivate init?(_ line: ArraySlice<UInt8>) {
            let numbers = line.split(separator: UInt8(ascii: " ")).map { UInt64(String(decoding: $0, as: UTF8.self)) }
            guard numbers.count == 3, let upper = numbers[0], let device = numbers[1], let inode = numbers[2] else {
                return nil
            }
            self.init(upper: upper, FileIdentity(device: device, inode: inode))
        }

        fileprivate var line: String { "\(upper) \(original.device) \(original.inode)\n" }
    }

    private let work: Int32
    private var file: Int32?
    private(set) var known: Set<Entry>

    /// `work` is borrowed.
    init(in work: Int32) throws(Failure) {
        self.work = work
        known = try Self.read(in: work)
    }

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

    /// Those that are known; none where there is no such file.
    static func read(in work: Int32) throws(Failure) -> Set<Entry> {
        guard try failing({ () throws(KernelError) in try entryStatus(name, at: work) }) != nil else { return [] }
        let file = try failing { () throws(KernelError) in try openEntry(name, at: work, .read) }
        try requireOwn(file.number, "\(name.text) in work", path: nil)
        let bytes = try failing { () throws(KernelError) in
            try readAll(file.number, limit: 256 << 20, path: name.text)
        }
        // The last may have been cut off.
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
        return Set(lines.compactMap { Entry($0) })
    }

    func note(_ entry: Entry) throws(KernelError) {
        guard let file, known.insert(entry).inserted else { return }
        try writeAll(file, Array(entry.line.utf8))
    }
}
