import Kernel

/// An open directory, closed when nobody has it any more.
final class OpenDirectory {
    let number: Int32
    private let isOwned: Bool

    init(_ number: Int32, isOwned: Bool) { (self.number, self.isOwned) = (number, isOwned) }

    deinit { if isOwned { closeDescriptor(number) } }
}

/// The way from a directory down into what is below it, and up again: by one name after another, no link followed.
///
/// However deep a tree is, a few directories are open: the last ones. Above those `..` leads up, which must be the directory that
/// was come from: somebody may move what is walked.
final class Descent {
    private struct Level {
        /// nil where it is too far above to stay open.
        var open: OpenDirectory?
        var identity: FileIdentity?
    }

    private let root: OpenDirectory
    private let held: Int
    private var levels: [Level] = []
    private(set) var path = EntryPath.root

    /// `root` is borrowed. `besides`: how many others go down beside it.
    init(_ root: Int32, besides: Int = 1) {
        self.root = OpenDirectory(root, isOwned: false)
        held = max(1, 64 / (besides + 1))
    }

    var depth: Int { levels.count }
    /// Where it is.
    var open: OpenDirectory { levels.last?.open ?? root }
    var directory: Int32 { open.number }

    /// Goes down into a directory.
    func enter(_ name: EntryName) throws(KernelError) {
        let found = OpenDirectory(try openEntry(name, at: directory, .read | .directory).release(), isOwned: true)
        let above = levels.count - held
        if above >= 0, let open = levels[above].open {
            levels[above] = Level(open: nil, identity: try status(of: open.number).identity)
        }
        levels.append(Level(open: found))
        path = path.appending(name)
    }

    /// Goes up into the directory that it came from. After a failure it is at the root.
    func leave() throws(KernelError) {
        guard let left = levels.popLast() else { return }
        path = path.parent
        guard let above = levels.last, above.open == nil, let child = left.open else { return }
        do throws(KernelError) {
            let parent = OpenDirectory(
                try Kernel.open("..", at: child.number, .read | .directory).release(), isOwned: true)
            guard try status(of: parent.number).identity == above.identity else {
                throw KernelError(.openat, .stale, path: "a directory that was moved meanwhile")
            }
            levels[levels.count - 1].open = parent
        } catch {
            startAnew()
            throw error
        }
    }

    /// Goes back to the root, and holds nothing open. A directory that is open keeps all above it in the kernel's cache, removed or
    /// not, and rmdir(2) of each goes through all of those below it.
    func startAnew() { (levels, path) = ([], .root) }

    /// Goes to a directory, by the shortest way. After a failure it is in the last that is there.
    func go(to wanted: EntryPath) throws(KernelError) {
        let common = path.common(with: wanted)
        if depth - common > common + held {
            startAnew()
        } else {
            do throws(KernelError) {
                while depth > common { try leave() }
            } catch {
                // Its names may still lead there.
                guard error.errno == .stale || error.errno == .accessDenied || error.errno == .noEntry else {
                    throw error
                }
            }
        }
        while depth < wanted.count {
            for name in wanted.some(from: depth) { try enter(name) }
        }
        path = wanted  // what the next has in common with it is the same memory
    }
}

/// The same of an upper and of the lowers below it.
final class MergedDescent {
    let upper: Descent
    private let lowers: [Descent]
    /// The directories of the lowers that are merged where it is, each with the place of its lower.
    private(set) var merged: [(layer: Int, directory: Int32)] = []

    init(_ upper: Int32, over lowers: [Int32]) {
        self.upper = Descent(upper, besides: lowers.count)
        self.lowers = lowers.map { Descent($0, besides: lowers.count) }
        merge()
    }

    private func merge() {
        merged = lowers.enumerated().filter { $0.element.depth == upper.depth }.map {
            ($0.offset, $0.element.directory)
        }
    }

    /// Goes down into a directory of the upper, and into that of the same name of these lowers.
    func enter(_ name: EntryName, merging layers: [Int]) throws(KernelError) {
        for layer in layers { try lowers[layer].enter(name) }
        try upper.enter(name)
        merge()
    }

    func leave() throws(KernelError) {
        for lower in lowers where lower.depth == upper.depth { try lower.leave() }
        try upper.leave()
        merge()
    }
}

/// All that is in a directory, and in the directories there: each before what is in it.
struct TreeWalk {
    typealias Entry = (name: EntryName, status: EntryStatus?, directory: Int32)

    private let way: Descent
    private var left: [[EntryName]] = []
    /// The directory that was told last.
    private var next: EntryName?

    init(_ directory: Int32) throws(KernelError) {
        way = Descent(directory)
        left = [try entryNames(of: directory).reversed()]
    }

    init(_ name: EntryName, at parent: Int32) throws(KernelError) {
        way = Descent(parent)
        try enter(name)
    }

    /// Where the last entry is, below the directory that is walked.
    var path: EntryPath { way.path }

    private mutating func enter(_ name: EntryName) throws(KernelError) {
        try way.enter(name)
        left.append(try entryNames(of: way.directory).reversed())
    }

    /// The next entry, with its directory; without a status where it has gone meanwhile.
    mutating func nextEntry() throws(KernelError) -> Entry? {
        if let name = next {
            next = nil
            try enter(name)
        }
        while !left.isEmpty {
            if let name = left[left.count - 1].popLast() {
                let status = try entryStatus(name, at: way.directory)
                if status?.kind == .directory { next = name }
                return (name, status, way.directory)
            }
            left.removeLast()
            try way.leave()
        }
        return nil
    }
}
