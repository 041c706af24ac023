import Kernel
import SpecFile

/// Where a path leads on this host, component by component.
struct PathWalk {
    /// Without links, `.` and `..`; the last component may be missing, or a link where that is not followed.
    private(set) var path = ""
    /// Of what is there; nil where the last component is missing.
    private(set) var found: FileStatus?
    /// The links on the way, each with where it points.
    private(set) var links: [(path: String, target: String)] = []

    /// Directories that `..` has left again: they must be there, too.
    private(set) var left: [String] = []

    /// The owner of the first directory on the way that others may not search.
    private(set) var closedBy: UInt32?

    /// Directories that were walked, by the text that led there: whatever may lead elsewhere by now takes them away.
    struct Known {
        fileprivate var directories: [PathKey: PathWalk] = [:]

        mutating func forget() { directories = [:] }
    }

    /// The same as `init(_:followsLast:)`, where the directory is one of those known in one look at the file.
    static func walk(
        _ absolute: String, followsLast: Bool, knowing known: inout Known, depth: Int = 0
    ) -> PathWalk? {
        let (slashed, name) = directoryAndName(absolute)
        guard !name.isEmpty, name != ".", name != "..", slashed != "/", depth < deepest else {
            return PathWalk(absolute, followsLast: followsLast)
        }
        // One look for each directory on the way that is not known yet.
        let directory = String(Substring(slashed.utf8.dropLast()))
        let key = PathKey(directory)
        guard
            var walk = known.directories[key]
                ?? Self.walk(directory, followsLast: true, knowing: &known, depth: depth + 1),
            walk.found?.isDirectory == true
        else { return nil }
        known.directories[key] = walk
        if let status = walk.found, status.permissions & 1 == 0 { walk.closedBy = walk.closedBy ?? status.owner }
        walk.path = (walk.path == "/" ? "" : walk.path) + "/" + name
        if walk.path == "/proc" { return nil }
        do throws(KernelError) {
            let status = try status(ofEntry: walk.path)
            if status.isSymlink, followsLast { return PathWalk(absolute, followsLast: true) }
            walk.found = status
        } catch {
            guard error.errno == .noEntry else { return nil }
            walk.found = nil
        }
        return walk
    }

    /// How many directories are looked up one inside the other.
    private static let deepest = 64

    /// nil where a directory on the way is missing, and below /proc, whose links are another's than the caller's.
    init?(_ absolute: String, followsLast: Bool) {
        var rest = Array(components(absolute).reversed())
        while let name = rest.popLast() {
            if name == ".." {
                if !path.isEmpty { left.append(path) }
                path = parent(of: path)
                if path == "/" { path = "" }
                continue
            }
            let next = path + "/" + name
            if next == "/proc" { return nil }
            do throws(KernelError) {
                let status = try status(ofEntry: next)
                guard status.isSymlink, followsLast || !rest.isEmpty else {
                    (path, found) = (next, status)
                    if !rest.isEmpty, status.permissions & 1 == 0 { closedBy = closedBy ?? status.owner }
                    continue
                }
                guard links.count < 40 else { return nil }
                let target = try readLink(next)
                links.append((next, target))
                if target.utf8.first == UInt8(ascii: "/") { path = "" }
                rest += components(target).reversed()
            } catch {
                guard error.errno == .noEntry, rest.isEmpty else { return nil }
                (path, found) = (next, nil)
                return
            }
        }
        if path.isEmpty { path = "/" }
        do throws(KernelError) {
            // After `..`, or at the root.
            found = try status(ofEntry: path)
        } catch {
            return nil
        }
    }
}

extension PathWalk {
    /// What looking from somewhere else has come to.
    enum Elsewhere {
        /// The observer has the same there.
        case same(PathWalk)
        /// The observer has nothing or something else there, which no line can show.
        case apart
        /// There is nothing.
        case nowhere
    }

    /// Where a path leads below another root, or among other mounts: what is there is held against what the observer has at the
    /// path that the kernel names for it.
    static func elsewhere(_ path: String, below root: Int32, followsLast: Bool) -> Elsewhere {
        do throws(KernelError) {
            let (directory, name) = directoryAndName(path)
            guard !followsLast, !name.isEmpty, name != ".", name != ".." else {
                do throws(KernelError) {
                    return try held(try openInside(root, path), "")
                } catch {
                    guard error.errno == .noEntry, !name.isEmpty else { return .nowhere }
                    let parent = try openInside(root, directory)
                    // A link that leads nowhere makes nothing that could be named.
                    return isThere(name, in: parent.number) ? .nowhere : try held(parent, name)
                }
            }
            return try held(try openInside(root, directory), name)
        } catch {
            return .nowhere
        }
    }

    private static func isThere(_ name: String, in directory: Int32) -> Bool {
        do throws(KernelError) {
            _ = try open(name, at: directory, .path | .noFollow)
            return true
        } catch {
            return false
        }
    }

    /// What is open, or a name in it.
    private static func held(_ place: borrowing Descriptor, _ name: String) throws(KernelError) -> Elsewhere {
        let number = place.number
        var walk = PathWalk(standingAt: try readLink("/proc/self/fd/\(number)"), try status(of: number))
        if isWithin(walk.path, "/proc") { return .nowhere }
        guard walk.isHere else { return .apart }
        if name.isEmpty { return .same(walk) }
        walk.path = (walk.path == "/" ? "" : walk.path) + "/" + name
        guard isThere(name, in: number) else {
            walk.found = nil
            return walk.isHere ? .apart : .same(walk)
        }
        let entry = try open(name, at: number, .path | .noFollow)
        walk.found = try status(of: entry.number)
        return walk.isHere ? .same(walk) : .apart
    }

    private init(standingAt path: String, _ found: FileStatus) { (self.path, self.found) = (path, found) }

    /// Whether the observer has the same file at the path, or, where none was found, has one.
    private var isHere: Bool {
        do throws(KernelError) {
            let own = try status(ofEntry: path)
            return found.map { $0.isSame(as: own) } ?? true
        } catch {
            return false
        }
    }
}
