import Kernel

/// Where a path leads on this host, component by component.
struct PathWalk {
    /// Without links, `.` and `..`; the last component may be missing, or a link where that is not followed.
    private(set) var path = ""
    /// Of what is there; nil where the last component is missing.
    private(set) var found: FileStatus?
    /// The links on the way, each with where it points.
    private(set) var links: [(path: String, target: String)] = []

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
