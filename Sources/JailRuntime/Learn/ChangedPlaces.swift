import Kernel
import LinuxFacts
import SpecFile

/// Places that a run has changed, and which of them later runs change again.
package struct ChangedPlaces {
    /// What tells one state of a place from the next: of one that is gone, the directory where its name was.
    private struct Mark: Equatable {
        let file: UInt64
        let changed: Int64
    }

    private var marks: [String: Mark] = [:]
    private static let limit = 1000
    /// In milliseconds, more than a tick of the clock that files are stamped by.
    private static let tick: Int32 = 11

    /// Those of `paths` that have been changed since then, in nanoseconds of the clock of files, and what has been changed in one of them:
    /// of what is in a directory that it has made itself, a command is not watched.
    package init(_ paths: [String], since begin: Int64) {
        var waiting = Array(paths.reversed())
        while let path = waiting.popLast(), marks.count < Self.limit {
            guard let mark = Self.mark(path), mark.changed >= begin else { continue }
            marks[path] = mark
            waiting += Self.entries(path).filter { marks[$0] == nil }
        }
        settle()
    }

    package var all: Set<String> { Set(marks.keys) }

    /// Those that are others than when they were last looked at.
    package mutating func takeChanged() -> Set<String> {
        var result: Set<String> = []
        for (path, mark) in marks {
            guard let now = Self.mark(path), now != mark else { continue }
            marks[path] = now
            result.insert(path)
        }
        settle()
        return result
    }

    /// What is changed within one tick has the same stamp before and after.
    private func settle() {
        guard let last = marks.values.map(\.changed).max(), last >= fileSystemTime() else { return }
        do throws(KernelError) {
            var none: [Watch] = []
            try poll(&none, milliseconds: Self.tick)
        } catch {
            return  // a shorter wait makes a change look like none, of which no more is said than that
        }
    }

    /// What is in a directory; nothing of what is none, or closed.
    private static func entries(_ path: String) -> [String] {
        do throws(KernelError) {
            let directory = try open(path, .path | .directory | .noFollow)
            return try entryNames(of: directory.number).map { path + "/" + String(escaping: $0.bytes) }
        } catch {
            return []
        }
    }

    private static func mark(_ path: String) -> Mark? {
        for place in [path, parent(of: path)] {
            do throws(KernelError) {
                guard let found = try entryStatus(EntryName(place.unescaped), at: currentDirectory) else { continue }
                return Mark(file: found.inode, changed: found.changed)
            } catch {
                return nil  // a directory above it is gone or closed
            }
        }
        return nil
    }
}
