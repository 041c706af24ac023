import Kernel
import SpecFile

/// The changes that an ordinary user's jail has closed to its own owner, listed by the launcher when the jail has ended.
///
/// The launcher is closed to others of its user, and the id maps of such a process are root's to write: proc(5). So a copy of it
/// opens itself, goes over the modes as `ClosedFiles` says, and tells what it has found.
enum ChangesBeside {
    static func found(_ walk: () throws(KernelError) -> [Change]) throws(KernelError) -> [Change] {
        let (reading, writing) = try makePipe()
        defer { closeDescriptor(reading) }
        guard case .parent(let child) = try fork() else {
            tell(walk, over: writing)
            exitNow(0)
        }
        closeDescriptor(writing)
        let text = try readAll(reading, limit: 64 << 20, path: "the changes")
        var use = ResourceUse()
        _ = try wait(for: child, blocking: true, use: &use)
        return try changes(in: text)
    }

    private static func tell(_ walk: () throws(KernelError) -> [Change], over writing: Int32) {
        var text: [UInt8] = []
        do throws(KernelError) {
            try setParentDeathSignal(Signal.kill)
            try setDumpable(true)
            for change in Change.listed(try walk()) {
                text += record([change.kind.rawValue], change.path.names(from: 0), change.notes)
            }
            text += record(["."], [], [])
        } catch {
            text = record(["!", "\(error.errno.rawValue)", error.path], [], [])
        }
        do throws(KernelError) {
            try writeAll(writing, text)
        } catch {
            exitNow(125)
        }
    }

    /// Words, the parts of a path and notes, none of which has a byte of 0: each ended by one, each list by one more.
    private static func record(_ words: [String], _ path: [EntryName], _ notes: [String]) -> [UInt8] {
        var bytes: [UInt8] = []
        for list in [words.map { Array($0.utf8) }, path.map(\.bytes), notes.map { Array($0.utf8) }] {
            for item in list { bytes += item + [0] }
            bytes.append(0)
        }
        return bytes
    }

    private static func changes(in text: [UInt8]) throws(KernelError) -> [Change] {
        var (place, result): (Int, [Change]) = (0, [])
        func list() -> [[UInt8]] {
            var items: [[UInt8]] = []
            while let end = text[place...].firstIndex(of: 0) {
                defer { place = end + 1 }
                if end == place { break }
                items.append(Array(text[place..<end]))
            }
            return items
        }
        while place < text.count {
            let (words, path, notes) = (list(), list(), list())
            let said = words.map { String(decoding: $0, as: UTF8.self) }
            if said.first == "." { return result }
            if said.first == "!", said.count > 1, let number = decimal(said[1]) {
                throw KernelError(.openat, Errno(rawValue: Int32(number)), path: said.count > 2 ? said[2] : "")
            }
            guard let kind = said.first.flatMap(Change.Kind.init(rawValue:)) else { break }
            result.append(
                Change(
                    kind: kind, path: EntryPath(path.map(EntryName.init)),
                    notes: notes.map { String(decoding: $0, as: UTF8.self) },
                    upper: nil, lower: nil))
        }
        // Whoever was to tell was killed.
        throw KernelError(.openat, .accessDenied, path: "the changes")
    }
}
