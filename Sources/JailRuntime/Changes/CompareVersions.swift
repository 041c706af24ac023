import Kernel

// What tells the version of the upper from that of a lower.

extension ChangeWalk {
    /// Whether both have the same bytes, and whether both could be read at all.
    func isSameContent(
        _ name: EntryName, _ status: EntryStatus, _ upper: Int32, _ original: (layer: Int, status: EntryStatus),
        _ lowers: Merged
    ) throws(KernelError) -> (isSame: Bool, wasRead: Bool) {
        let lower = directory(of: original.layer, lowers)
        switch status.kind {
        case .symlink: return (try linkTarget(name, at: upper) == linkTarget(name, at: lower), true)
        case .characterDevice, .blockDevice: return (status.node == original.status.node, true)
        case .directory, .fifo, .socket: return (true, true)
        case .regular:
            if status.size != original.status.size { return (false, true) }
            do throws(KernelError) {
                let (one, other) = (
                    try openEntry(name, at: upper, .read).release(), try openEntry(name, at: lower, .read).release()
                )
                defer {
                    closeDescriptor(one)
                    closeDescriptor(other)
                }
                return (try haveSameContent(one, other), true)
            } catch {
                guard error.errno == .accessDenied || error.errno == .notPermitted else { throw error }
                return (false, false)
            }
        }
    }

    /// What of both is another, in words.
    func attributesThatDiffer(
        _ name: EntryName, _ upper: Int32, _ original: (layer: Int, status: EntryStatus), _ lowers: Merged
    ) throws(KernelError) -> [String] {
        switch original.status.kind {
        case .regular, .directory: break
        default: return []
        }
        return differences(
            try personalAttributes(of: name, at: upper),
            try personalAttributes(of: name, at: directory(of: original.layer, lowers)))
    }
}
