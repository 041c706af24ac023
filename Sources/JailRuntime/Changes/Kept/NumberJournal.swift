import Kernel

/// A file in the work directory to which an apply adds lines of numbers, so that whoever goes on where it was killed has them.
final class NumberJournal {
    private let name: EntryName
    private let work: Int32
    private var file: Int32?

    /// `work` is borrowed.
    init(_ name: EntryName, in work: Int32) { (self.name, self.work) = (name, work) }

    deinit { if let file { closeDescriptor(file) } }

    /// What is there; nothing where there is no such file.
    func lines() throws(Failure) -> [[UInt64]] {
        guard try failing({ () throws(KernelError) in try entryStatus(name, at: work) }) != nil else { return [] }
        let file = try failing { () throws(KernelError) in try openEntry(name, at: work, .read) }
        try requireOwn(file.number, "\(name.text) in work", path: nil)
        let bytes = try failing { () throws(KernelError) in
            try readAll(file.number, limit: 256 << 20, path: name.text)
        }
        // The last may have been cut off.
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
        return lines.map { line in
            line.split(separator: UInt8(ascii: " ")).compactMap { UInt64(String(decoding: $0, as: UTF8.self)) }
        }
    }

    /// Opens it, as whoever asks: what is added later is so by its descriptor.
    func begin() throws(KernelError) {
        if file != nil { return }
        file = try openEntry(name, at: work, .write | .create | .append, permissions: 0o600).release()
    }

    func add(_ numbers: [UInt64]) throws(KernelError) {
        guard let file else { return }
        try writeAll(file, Array((numbers.map { "\($0)" }.joined(separator: " ") + "\n").utf8))
    }

    func remove() throws(KernelError) {
        guard try entryStatus(name, at: work) != nil else { return }
        try removeEntry(name, at: work, directory: false)
    }
}
