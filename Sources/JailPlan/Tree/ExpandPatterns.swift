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
    /// What a line names by itself is as that line says. Of two patterns that match one path, both must want the same.
    package func expanded(by matches: [PatternMatches]) -> (filesystem: Filesystem, faults: [Diagnostic]) {
        var result = self
        result.mounts = mounts.filter { !$0.isPattern }
        let named = result.mounts.count
        var faults: [Diagnostic] = []
        for mount in mounts where mount.isPattern {
            let isHidden = mount.source == .hidden
            let found = matches.first { $0.pattern == mount.target && $0.isOfJail == isHidden }?.paths ?? []
            if found.isEmpty, !mount.optional {
                faults.append(Diagnostic("nothing matches the pattern \(quoted(mount.target))", at: mount.position))
            }
            for path in found {
                var one = mount
                (one.isPattern, one.target) = (false, path)
                if !isHidden { one.source = .bind(path) }
                guard let other = result.mounts.firstIndex(where: { $0.target == path }) else {
                    result.mounts.append(one)
                    continue
                }
                if other < named || result.mounts[other].says(the: one) { continue }
                let also = result.mounts[other].position.map { ", and at \($0) otherwise" } ?? ""
                faults.append(Diagnostic("the pattern matches \(path)\(also)", at: mount.position))
            }
        }
        return (result, faults)
    }
}

extension Premises {
    /// Those of a spec in which no pattern is left, and what is wrong with the patterns.
    static func expanding(_ spec: Spec, on host: Host) -> (premises: Premises, faults: [Diagnostic]) {
        guard spec.filesystem.hasPatterns else { return (Premises(spec, host), []) }
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
