import JailSpec
import SpecFile

/// What is said of the tree before there is one.
extension Planner {
    mutating func noteTree() {
        guard isNew(.mount) else { return }
        if !host.danglingLinks.isEmpty { noteLinks() }
        if let line = spec.filesystem.filesOfOthers {
            note(
                "the filter refuses set-user-ID and set-group-ID bits, and capabilities of files: what the command makes by an "
                    + "idmapped mount is another's on the host (\"suid\" among the mount's options lets it)",
                at: line.position)
        }
        if case .host = spec.filesystem.root.value, spec.filesystem.writable.value {
            warn(
                "the command can change the host's files, as far as its user may: what the host runs, too",
                at: spec.filesystem.writable.position)
        }
    }
}
