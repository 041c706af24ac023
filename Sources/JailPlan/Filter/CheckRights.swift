import JailSpec
import LinuxFacts
import SpecFile

extension Planner {
    /// The rights of files that no filter keeps from being stored: overlayfs copies a file of its lower up with all its bits
    /// (fs/overlayfs/copy_up.c), and the call that makes it do so is a plain open(2). So whoever could mount one has no idmapped mount
    /// to put its upper on.
    mutating func checkRights(_ capabilities: ResolvedCapabilities) {
        guard let line = spec.filesystem.filesOfOthers else { return }
        let kept = capabilities.sets.permitted | capabilities.bounding
        let way: String
        if spec.namespaces.nested.value {
            way = "namespaces.nested"
        } else if kept.contains(.sys_admin) {
            way = "the capability sys_admin"
        } else {
            return
        }
        fault(
            "mount.idmap: what is made there is another's on the host, and with \(way) the command could mount an overlay "
                + "over it, which copies set-user-ID bits past any filter",
            at: line.position,
            hint:
                "take \(way) out, or make the mount \"ro\"; \"suid\" among its options lets the command give such bits")
    }
}
