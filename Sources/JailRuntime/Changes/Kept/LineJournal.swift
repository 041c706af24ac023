import Kernel

/// A file in the work directory to which an apply adds lines, so that whoever goes on where it was killed has them.
final class LineJournal {
    private let name: EntryName
    private let work: Int32
    private var file: Int32?

    /// `work` is borrowed.
    init(_ name: EntryName, in work: Int32) { (self.name, self.work) = (name, work) }

    deinit { if let file { closeDescriptor(file) } }

    /// The words of each line that is there; nothing where there is no such file.
    func lines() throws(Failure) -> [[Substring]] {
        guard try failing({ () throws(KernelError) in try entryStatus(name, at: work) }) != nil else { return [] }
        let file = try failing { () throws(KernelError) in try openEntry(name, at: work, .read) }
        try requireOwn(file.number, "\(name.text) in work", path: nil)
        let bytes = try failing { () throws(KernelError) in
            try readAll(file.number, limit: 256 << 20, path: name.text)
        }
        // The last may have been cut off.
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
        return lines.map { String(decoding: $0, as: UTF8.self).split(separator: " ") }
    }

    /// The same of lines that have numbers alone.
    func numbers() throws(Failure) -> [[UInt64]] { try lines().map { $0.compactMap { UInt64($0) } } }

    /// Whether there is something to note.
    var isBegun: Bool { file != nil }

    /// Opens it, as whoever asks: what is added later is so by its descriptor.
    func begin() throws(KernelError) {
        if isBegun { return }
        file = try openEntry(name, at: work, .write | .create | .append, permissions: 0o600).release()
    }

    func add(_ line: String) throws(KernelError) {
        guard let file else { return }
        try writeAll(file, Array((line + "\n").utf8))
    }

    func add(_ numbers: [UInt64]) throws(KernelError) { try add(numbers.map { "\($0)" }.joined(separator: " ")) }

    func remove() throws(KernelError) {
        guard try entryStatus(name, at: work) != nil else { return }
        try removeEntry(name, at: work, directory: false)
    }
}
