import JailPlan
import JailSpec
import Kernel
import SpecFile

/// What the patterns of a spec match, found by directories that are held by their descriptors.
///
/// Through a symbolic link only the beginning leads, where no part is a pattern yet: it is walked again, and each link in it
/// judged, when what was found is opened.
struct PatternSearch {
    /// A search that has seen so many names is given up.
    private static let limit = 1_000_000
    /// Each match is a mount: no more than this of one pattern.
    private static let mostMatches = 4096

    /// What of the host a path of the jail shows; nil for nothing of it.
    private var views: [(target: String, source: String?)] = []
    private var found: [String] = []
    private var seen = 0

    /// What is matched by each pattern of the spec, in a jail whose root has those entries of the host.
    static func matches(of filesystem: Filesystem, _ entries: [Host.RootEntry]) throws(KernelError) -> [PatternMatches]
    {
        var result: [PatternMatches] = []
        for mount in filesystem.mounts where mount.isPattern && !mount.isHidden {
            try find(mount, seeing: [("/", "/")], &result)
        }
        guard filesystem.mounts.contains(where: { $0.isPattern && $0.isHidden }) else { return result }
        // What is hidden is looked for in what the others show.
        let shown = views(of: filesystem.expanded(by: result).filesystem, entries)
        for mount in filesystem.mounts where mount.isPattern && mount.isHidden {
            var views = shown
            if filesystem.proc.value, !views.contains(where: { $0.target == "/proc" }) {
                // Two mounts of procfs differ in their processes; names of the kernel's are the same.
                views.append(("/proc", PathPattern(mount.target).isOfEveryProc ? "/proc" : nil))
            }
            try find(mount, seeing: views, &result)
        }
        return result
    }

    /// Adds what the pattern of a mount matches, unless another line has the same.
    private static func find(
        _ mount: Mount, seeing views: [(target: String, source: String?)], _ result: inout [PatternMatches]
    ) throws(KernelError) {
        let isOfJail = mount.isHidden
        if result.contains(where: { $0.pattern == mount.target && $0.isOfJail == isOfJail }) { return }
        var search = PatternSearch()
        search.views = views
        let paths = try search.paths(of: PathPattern(mount.target))
        result.append(PatternMatches(mount.target, isOfJail: isOfJail, paths: paths))
    }

    /// What a jail shows where, but for its own /proc.
    private static func views(
        of filesystem: Filesystem, _ entries: [Host.RootEntry]
    ) -> [(target: String, source: String?)] {
        var views: [(target: String, source: String?)] = []
        switch filesystem.root.value {
        case .system: for entry in entries { views.append(("/" + entry.name, "/" + entry.name)) }
        case .host: views.append(("/", "/"))
        case .directory(let path): views.append(("/", path))
        case .empty, .image: break
        }
        if filesystem.devices.value == .minimal { views.append(("/dev", nil)) }
        if !filesystem.tmp.value.isNone { views.append(("/tmp", nil)) }
        for mount in filesystem.mounts where !mount.isPattern {
            var source: String?
            switch mount.source {
            case .bind(let path): source = path
            case .overlay(let lower, _, _): source = lower.first
            case .hidden, .directory, .symlink: continue
            default: break
            }
            views.removeAll { $0.target == mount.target }
            views.append((mount.target, source))
        }
        return views
    }

    private mutating func paths(of pattern: PathPattern) throws(KernelError) -> [String] {
        let root = try view(of: "/") ?? Descriptor(owning: -1)
        try search(pattern.parts[...], in: root, "", follows: true)
        found.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        // What lies below a match is shown or hidden with it.
        var tops: Set<String> = []
        return found.filter { path in
            let bytes = path.utf8
            let isBelow = bytes.indices.contains {
                $0 > bytes.startIndex && bytes[$0] == UInt8(ascii: "/") && tops.contains(String(path[..<$0]))
            }
            if !isBelow { tops.insert(path) }
            return !isBelow
        }
    }

    /// Follows a pattern from a directory, which is −1 where nothing of the host's is there but mounts may be below.
    private mutating func search(
        _ parts: ArraySlice<PathPattern.Part>, in directory: borrowing Descriptor, _ path: String, follows: Bool
    ) throws(KernelError) {
        guard let part = parts.first else { return }
        let rest = parts.dropFirst()
        switch part {
        case .name(let name): try take(name, rest, in: directory, path, follows: follows)
        case .pattern(let pieces):
            for name in try names(in: directory, path) where PathPattern.matches(name, pieces) {
                try take(name, rest, in: directory, path, follows: false)
            }
        case .anywhere:
            // At the end: all that is there, and with it what is below.
            if !rest.isEmpty { try search(rest, in: directory, path, follows: false) }
            for name in try names(in: directory, path) {
                try take(name, rest.isEmpty ? [] : parts, in: directory, path, follows: false)
            }
        }
    }

    private mutating func take(
        _ name: String, _ rest: ArraySlice<PathPattern.Part>, in directory: borrowing Descriptor, _ path: String,
        follows: Bool
    ) throws(KernelError) {
        let child = path + "/" + name
        guard !rest.isEmpty else {
            guard try exists(name, in: directory, child) else { return }
            guard found.count < Self.mostMatches else { throw KernelError(.getdents, .tooBig, path: child) }
            return found.append(child)
        }
        if views.contains(where: { $0.target == child }) {
            if let place = try view(of: child) { return try search(rest, in: place, child, follows: follows) }
        } else if directory.number >= 0, let next = try open(name, in: directory, follows: follows) {
            return try search(rest, in: next, child, follows: follows)
        }
        // Nothing of the host, or nothing that is there; but other mounts may be made below.
        guard views.contains(where: { $0.target.utf8.starts(with: "\(child)/".utf8) }) else { return }
        try search(rest, in: Descriptor(owning: -1), child, follows: follows)
    }

    /// The directory of the host that a view shows; nil where it shows none.
    private func view(of target: String) throws(KernelError) -> Descriptor? {
        guard let source = views.first(where: { $0.target == target })?.source else { return nil }
        return try missing(unless: { () throws(KernelError) in try canReach(source) }) { () throws(KernelError) in
            try Kernel.open(source, .path | .directory)
        }
    }

    private func open(
        _ name: String, in directory: borrowing Descriptor, follows: Bool
    ) throws(KernelError) -> Descriptor? {
        let (number, mode) = (directory.number, OpenMode.path | .directory)
        return try missing(unless: { () throws(KernelError) in try canSearch(number) }) { () throws(KernelError) in
            try Kernel.open(name, at: number, follows ? mode : mode | .noFollow)
        }
    }

    private func exists(
        _ name: String, in directory: borrowing Descriptor, _ path: String
    ) throws(KernelError) -> Bool {
        if views.contains(where: { $0.target == path || $0.target.utf8.starts(with: "\(path)/".utf8) }) { return true }
        guard directory.number >= 0 else { return false }
        let number = directory.number
        return try missing(unless: { () throws(KernelError) in try canSearch(number) }) { () throws(KernelError) in
            try Kernel.open(name, at: number, .path | .noFollow)
        } != nil
    }

    /// The names in a directory, those of mounts that will be made in it among them.
    private mutating func names(in directory: borrowing Descriptor, _ path: String) throws(KernelError) -> [String] {
        var names: [String] = []
        if directory.number >= 0 {
            do throws(KernelError) {
                names = try entries(of: directory.number)
            } catch {
                // What may be searched though not listed, the command opens by a name that it guesses.
                guard error.errno == .accessDenied, try !canSearch(directory.number) else {
                    throw KernelError(error.call, error.errno, path: path.isEmpty ? "/" : path)
                }
            }
        }
        for view in views where view.target.utf8.starts(with: "\(path)/".utf8) {
            let name = String(
                Substring(view.target.utf8.dropFirst(path.utf8.count + 1).prefix { $0 != UInt8(ascii: "/") }))
            if !name.isEmpty, !names.contains(name) { names.append(name) }
        }
        seen += names.count
        guard seen <= Self.limit else { throw KernelError(.getdents, .tooBig, path: path.isEmpty ? "/" : path) }
        return names
    }

    /// nil for what is not there, is no directory where one is needed, or lies in a directory that neither the caller nor the
    /// command may search.
    private func missing(
        unless isOpen: () throws(KernelError) -> Bool, _ body: () throws(KernelError) -> Descriptor
    ) throws(KernelError) -> Descriptor? {
        do throws(KernelError) {
            return try body()
        } catch {
            switch error.errno {
            case .noEntry, .notDirectory, .loop: return nil
            case .accessDenied:
                if try isOpen() { throw error }
                return nil
            default: throw error
            }
        }
    }
}
