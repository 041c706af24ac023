package import Kernel

/// Where something is below a root: the names of the directories on the way, and its own.
///
/// A jail may leave a tree of any depth. Paths that begin alike share that part, so that a list of them takes as much as there are
/// names, and not as much as all paths together are long.
package struct EntryPath: Hashable, Sendable {
    /// So many names that nothing more comes to them.
    private final class Part: Sendable {
        let above: Part?
        let names: [EntryName]
        /// How many names there are to the end of this part, and how many bytes with a slash before each.
        let (count, size): (Int, Int)

        init(_ above: Part?, _ names: [EntryName], _ size: Int) {
            (self.above, self.names, self.size) = (above, names, size)
            count = (above?.count ?? 0) + names.count
        }
    }

    private static let width = 64

    private var above: Part?
    /// The last names: none of the root only.
    private var names: [EntryName]
    /// How many bytes it has, with a slash before each name.
    private var size: Int

    package static let root = EntryPath([])

    package init(_ names: [EntryName]) {
        (above, self.names, size) = (nil, [], 0)
        for name in names { append(name) }
    }

    package var count: Int { (above?.count ?? 0) + names.count }
    package var isRoot: Bool { names.isEmpty }
    package var last: EntryName? { names.last }
    /// How many bytes the names have, with a slash between each two.
    package var length: Int { max(0, size - 1) }

    private mutating func append(_ name: EntryName) {
        if names.count == Self.width { (above, names) = (Part(above, names, size), []) }
        names.append(name)
        size += name.bytes.count + 1
    }

    package func appending(_ name: EntryName) -> EntryPath {
        var result = self
        result.append(name)
        return result
    }

    /// The directory that it is in; of the root the root.
    package var parent: EntryPath {
        var result = self
        guard let name = result.names.popLast() else { return result }
        result.size -= name.bytes.count + 1
        if result.names.isEmpty, let part = result.above { (result.above, result.names) = (part.above, part.names) }
        return result
    }

    /// Its names from a depth on.
    package func names(from depth: Int) -> [EntryName] {
        var pieces = [names[max(0, depth - (above?.count ?? 0))...]]
        var next = above
        while let part = next, part.count > depth {
            next = part.above
            pieces.append(part.names[max(0, depth - (next?.count ?? 0))...])
        }
        return Array(pieces.reversed().joined())
    }

    /// Some of its names, from a depth that it has on.
    func some(from depth: Int) -> ArraySlice<EntryName> {
        var (part, names) = (above, names)
        while let whole = part, whole.count > depth { (part, names) = (whole.above, whole.names) }
        return names[(depth - (part?.count ?? 0))...]
    }

    /// How many names two paths have in common from the root on.
    package func common(with other: EntryPath) -> Int {
        var (one, two) = ((above, names), (other.above, other.names))
        while one.0?.count ?? 0 > two.0?.count ?? 0, let part = one.0 { one = (part.above, part.names) }
        while two.0?.count ?? 0 > one.0?.count ?? 0, let part = two.0 { two = (part.above, part.names) }
        var pairs = [(one.1, two.1)]
        while let first = one.0, let second = two.0, first !== second {
            (one, two) = ((first.above, first.names), (second.above, second.names))
            pairs.append((one.1, two.1))
        }
        var result = one.0?.count ?? 0
        for (mine, its) in pairs.reversed() {
            for place in 0..<min(mine.count, its.count) {
                guard mine[place] == its[place] else { return result }
                result += 1
            }
        }
        return result
    }

    /// Whether it is that path, or below it.
    package func starts(with other: EntryPath) -> Bool {
        count >= other.count && common(with: other) == other.count
    }

    package static func == (one: EntryPath, other: EntryPath) -> Bool {
        one.size == other.size && one.count == other.count && one.common(with: other) == one.count
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(size)
        hasher.combine(names)
    }

    /// Its names, joined by slashes.
    package var bytes: [UInt8] { Array(names(from: 0).map(\.bytes).joined(separator: [UInt8(ascii: "/")])) }

    /// No call takes a longer path, and nobody reads one: PATH_MAX without the byte that ends it.
    static let longest = 4095

    /// The path to the last directory on the way whose path is not too long; itself where it is not.
    var shown: EntryPath {
        var result = self
        while let part = result.above, part.size > Self.longest {
            (result.above, result.names, result.size) = (part.above, part.names, part.size)
        }
        while result.length > Self.longest { result = result.parent }
        return result
    }

    /// For people: of one that is too long only where it begins.
    package var text: String {
        if isRoot { return "." }
        if length <= Self.longest { return quotedPath(bytes) }
        let shown = shown
        return quotedPath(shown.bytes) + "/... (\(count - shown.count) directories deeper)"
    }
}
