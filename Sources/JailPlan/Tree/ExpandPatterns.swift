package import JailSpec
package import SpecFile

/// What a pattern of the spec matches on this host.
package struct PatternMatches: Equatable, Sendable {
    package let pattern: String
    /// Whether it is one of paths of the jail, and not of the host.
    package let isOfJail: Bool
    package let paths: [String]

    package init(_ pattern: String, isOfJail: Bool, paths: [String]) {
        (self.pattern, self.isOfJail, self.paths) = (pattern, isOfJail, paths)
    }
}

extension Filesystem {
    /// The same with a mount of each path that a pattern matches, in place of the pattern; and what is wrong with that.
    ///
    /// What a line names by itself is as that line says. What is hidden is not shown by a pattern, nor is what lies below. Of two
    /// patterns that show one path, both must want the same.
    package func expanded(by matches: [PatternMatches]) -> (filesystem: Filesystem, faults: [Diagnostic]) {
        var expansion = PatternExpansion(self)
        // What is hidden decides about what is shown.
        for hides in [true, false] {
            for mount in mounts where mount.isPattern && mount.isHidden == hides {
                let found = matches.first { $0.pattern == mount.target && $0.isOfJail == hides }?.paths ?? []
                if found.isEmpty, !mount.optional {
                    expansion.faults.append(
                        Diagnostic("nothing matches the pattern \(quoted(mount.target))", at: mount.position))
                }
                for path in found { expansion.add(mount, path) }
            }
        }
        return (expansion.result, expansion.faults)
    }
}

/// Mounts in place of patterns, as they are found.
private struct PatternExpansion {
    private(set) var result: Filesystem
    var faults: [Diagnostic] = []
    /// How many mounts are named by lines of their own; the others stand after them.
    private let named: Int
    private var indices: [String: Int] = [:]
    private var hidden: Set<String> = []

    init(_ filesystem: Filesystem) {
        result = filesystem
        result.mounts = filesystem.mounts.filter { !$0.isPattern }
        named = result.mounts.count
        for (index, mount) in result.mounts.enumerated() {
            indices[mount.target] = index
            if mount.isHidden { hidden.insert(mount.target) }
        }
    }

    mutating func add(_ mount: Mount, _ path: String) {
        var one = mount
        (one.isPattern, one.target) = (false, path)
        if !one.isHidden { one.source = .bind(path) }
        // A cover is over it already.
        if isBelowHidden(path) { return }
        guard let index = indices[path] else {
            indices[path] = result.mounts.count
            result.mounts.append(one)
            if one.isHidden { hidden.insert(path) }
            return
        }
        let other = result.mounts[index]
        // Without this mount there may be nothing to hide.
        if index >= named, other.isHidden { result.mounts[index].optional = true }
        if index < named || other.isHidden || other.says(the: one) { return }
        let also = other.position.map { ", and at \($0) otherwise" } ?? ""
        faults.append(Diagnostic("the pattern matches \(path)\(also)", at: mount.position))
    }

    private func isBelowHidden(_ path: String) -> Bool {
        if hidden.isEmpty { return false }
        return path.utf8.indices.contains {
            $0 > path.startIndex && path.utf8[$0] == UInt8(ascii: "/") && hidden.contains(String(path[..<$0]))
        }
    }
}

extension Premises {
    /// Those of a spec in which no pattern is left, and what is wrong with the patterns.
    static func expanding(_ spec: Spec, on host: Host) -> (premises: Premises, faults: [Diagnostic]) {
        spec.filesystem.hasPatterns ? matched(spec, host) : (Premises(spec, host), [])
    }

    /// Apart, as what it copies would be on the stack of every launch.
    @inline(never) private static func matched(
        _ spec: Spec, _ host: Host
    ) -> (premises: Premises, faults: [Diagnostic]) {
        var expanded = spec
        let (filesystem, faults) = spec.filesystem.expanded(by: host.matches)
        expanded.filesystem = filesystem
        return (Premises(expanded, host), faults)
    }
}

extension Mount {
    /// Whether another mount is the same but for its line.
    fileprivate func says(the other: Mount) -> Bool {
        source == other.source && options == other.options && optional == other.optional
    }
}
