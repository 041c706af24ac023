import Kernel

/// Where a path leads on this host, component by component.
struct PathWalk {
    /// Without links, `.` and `..`; the last component may be missing, or a link where that is not followed.
    private(set) var path = ""
    /// Of what is there; nil where the last component is missing.
    private(set) var found: FileStatus?
    /// The links on the way, each with where it points.
    private(set) var links: [(path: String, target: String)] = []

    /// The owner of the first directory on the way that others may not search.
    private(set) var closedBy: UInt32?

    /// Directories that were walked, by the text that led there: whatever may lead elsewhere by now takes them away.
    struct Known {
        fileprivate var directories: [String: PathWalk] = [:]

        mutating func forget() { if !directories.isEmpty { directories = [:] } }
    }

    /// The same as `init(_:followsLast:)`, where the directory is one of those known in one look at the file.
    static func walk(_ absolute: String, followsLast: Bool, knowing known: inout Known) -> PathWalk? {
        let (directory, name) = directoryAndName(absolute)
        guard !name.isEmpty, name != ".", name != "..", directory != "/" else {
            return PathWalk(absolute, followsLast: followsLast)
        }
        if known.directories[directory] == nil {
            guard let walk = PathWalk(directory, followsLast: true), walk.found?.isDirectory == true else { return nil }
            known.directories[directory] = walk
        }
        guard var walk = known.directories[directory] else { return nil }
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

    /// nil where a directory on the way is missing, and below /proc, whose links are another's than the caller's.
    init?(_ absolute: String, followsLast: Bool) {
        var left = Array(absolute.split(separator: "/").map(String.init).reversed())
        while let name = left.popLast() {
            if name == "." { continue }
            if name == ".." {
                path = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
                continue
            }
            let next = path + "/" + name
            if next == "/proc" { return nil }
            do throws(KernelError) {
                let status = try status(ofEntry: next)
                guard status.isSymlink, followsLast || !left.isEmpty else {
                    (path, found) = (next, status)
                    if !left.isEmpty, status.permissions & 1 == 0 { closedBy = closedBy ?? status.owner }
                    continue
                }
                guard links.count < 40 else { return nil }
                let target = try readLink(next)
                links.append((next, target))
                if target.utf8.first == UInt8(ascii: "/") { path = "" }
                left += target.split(separator: "/").map(String.init).reversed()
            } catch {
                guard error.errno == .noEntry, left.isEmpty else { return nil }
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
