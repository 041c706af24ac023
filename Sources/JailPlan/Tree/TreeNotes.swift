import JailSpec
import SpecFile

/// What is said of the tree before there is one.
extension Planner {
    mutating func noteTree() {
        guard isNew(.mount) else { return }
        if !host.danglingLinks.isEmpty { noteLinks() }
        if case .host = spec.filesystem.root.value, spec.filesystem.writable.value {
            warn(
                "the command can change the host's files, as far as its user may: what the host runs, too",
                at: spec.filesystem.writable.position)
        }
    }
}
