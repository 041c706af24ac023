import JailPlan
import Kernel

extension Change {
    /// The changes without the mount points that a launch has made for the other mounts of its plan. The jail has seen what was mounted
    /// there, and nothing of that is in the upper: a directory or a file that is empty, and the directories on the way that hold nothing
    /// else. `targets` are those of the mounts, `overlay` that of the overlay.
    static func withoutMountPoints(_ changes: [Change], at targets: [String], in overlay: String) -> [Change] {
        let above = EntryPath(names(overlay))
        let points = Set(
            targets.map { EntryPath(names($0)) }.filter { $0.count > above.count && $0.starts(with: above) }
                .map { EntryPath($0.names(from: above.count)) })
        guard !points.isEmpty, changes.contains(where: { points.contains($0.path) }) else { return changes }
        var ways: Set<EntryPath> = []
        for point in points {
            var way = point.parent
            while !way.isRoot, ways.insert(way).inserted { way = way.parent }
        }
        var (result, kept): ([Change], EntryPath?) = ([], nil)
        // The last first: a directory comes before what is in it.
        for change in changes.reversed() {
            if change.kind == .added, let upper = change.upper, kept.map({ !$0.starts(with: change.path) }) ?? true {
                let isPoint = points.contains(change.path)
                if upper.kind == .directory, isPoint || ways.contains(change.path) { continue }
                if upper.kind == .regular, upper.size == 0, isPoint { continue }
            }
            kept = change.path
            result.append(change)
        }
        return result.reversed()
    }

    private static func names(_ path: String) -> [EntryName] {
        path.unescaped.split(separator: UInt8(ascii: "/")).map { EntryName(Array($0)) }.filter { $0 != "." }
    }
}

extension Plan {
    /// Where its mounts stand: those of the spec, and what a jail has without being asked for.
    var mountTargets: [String] {
        steps.compactMap { (step) -> String? in
            if case .tree(.fill(_, _, let promise)) = step.operation { promise.target } else { nil }
        }
    }

    /// Those below one of its overlays.
    func mountTargets(below overlay: OverlaySource) -> [String] {
        var above: String?
        for step in steps {
            guard case .tree(.fill(_, .overlay(overlay), let promise)) = step.operation else { continue }
            above = promise.target == "/" ? "/" : promise.target + "/"
        }
        guard let above else { return [] }
        return mountTargets.filter { $0.utf8.count > above.utf8.count && $0.utf8.starts(with: above.utf8) }
    }
}
