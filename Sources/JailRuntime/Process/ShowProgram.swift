import JailPlan
import JailSpec
import Kernel
import LinuxFacts
import SpecFile

/// The line that would show a program of the host, and no more of the host than it needs.
extension Explanation {
    /// What a root of the system has anyway.
    private static let system = ["bin", "lib", "lib32", "lib64", "libx32", "sbin", "usr"]

    /// The settings that show a file of the host, an absolute path, where its links lead to as well.
    ///
    /// Where a mount of the plan has the file under another name, it is that mount at the path that the file is looked for.
    func showHint(_ path: String) -> String {
        if let mount = mountElsewhere(of: path) {
            let key = mount.isReadOnly ? "ro" : "rw"
            return "it is below \(mount.source), which is mounted on \(mount.target); to have it at its own path too: "
                + "\(key) = [\"\(mount.source)\"]"
        }
        let places = places(of: path)
        let isSystem = places.allSatisfy { place in Self.system.contains { place == "/" + $0 } }
        return "to show it: ro = [\(places.map { "\"\($0)\"" }.joined(separator: ", "))]"
            + (isSystem && !hasRoot ? ", or root = \"system\"" : "")
    }

    /// Whether the root is a tree or an image that the spec names, or has the host's system in it already.
    private var hasRoot: Bool {
        plan.steps.contains { step in
            guard case .tree(.fill(_, let filling, let promise)) = step.operation else { return false }
            return switch filling {
            case .image: promise.target == "/"
            case .tree: promise.target == "/" || promise.target == "/usr"
            default: false
            }
        }
    }

    /// Whether a mount of the plan shows a file at the path that it has on the host.
    func isShown(_ path: String) -> Bool {
        plan.steps.contains { step in
            guard case .tree(.fill(_, .tree(let source), let promise)) = step.operation else { return false }
            return source.path == promise.target && isWithin(path, promise.target)
        }
    }

    /// The mount that shows the file under another name than the host's: the one with the longest source.
    private func mountElsewhere(of path: String) -> (source: String, target: String, isReadOnly: Bool)? {
        var found: (source: String, target: String, isReadOnly: Bool)?
        for step in plan.steps {
            guard case .tree(.fill(_, .tree(let source), let promise)) = step.operation, source.path != promise.target,
                path.utf8.starts(with: "\(source.path)/".utf8),
                source.path.utf8.count > found?.source.utf8.count ?? 1
            else { continue }
            found = (source.path, promise.target, promise.held.hasAll(of: .readOnly))
        }
        return found
    }

    /// What holds the file and each link on the way to it.
    private func places(of path: String) -> [String] {
        var result: [String] = []
        var current = path
        for _ in 0..<8 {
            for place in surroundings(of: current) where !result.contains(place) { result.append(place) }
            do throws(KernelError) {
                let link = try readLink(current)
                let slash = current.utf8.lastIndex(of: UInt8(ascii: "/")) ?? current.startIndex
                current = link.utf8.first == UInt8(ascii: "/") ? link : current[...slash] + link
            } catch {
                break  // no further link
            }
        }
        return result
    }

    /// The directory that a program is installed in, with its libraries: never the first component of a path, and never
    /// anybody's home.
    private func surroundings(of path: String) -> [String] {
        let parts = path.split(separator: "/").map(String.init)
        func joined(_ count: Int) -> String { "/" + parts[..<count].joined(separator: "/") }
        guard let first = parts.first, parts.count > 2 || Self.system.contains(first) else { return [path] }
        if Self.system.contains(first) { return ["/" + first] }
        let directory = parts.count - 1
        guard ["bin", "sbin"].contains(parts[directory - 1]) else { return [joined(directory)] }
        var above = directory - 1
        if above > 1, parts[above - 1] == "usr" { above -= 1 }
        if above > 1, !isPrivate(parts, above) { return [joined(above)] }
        let library = joined(directory - 1) + "/lib"
        return [joined(directory)] + (evidence.exists(library) ? [library] : [])
    }

    /// Whether what is there holds more of a user than programs: a home, or ~/.local and the like.
    private func isPrivate(_ parts: [String], _ count: Int) -> Bool {
        (parts[0] == "home" && count == 2) || parts[count - 1].utf8.first == UInt8(ascii: ".")
            || "/" + parts[..<count].joined(separator: "/") == environmentVariable("HOME")
    }
}
