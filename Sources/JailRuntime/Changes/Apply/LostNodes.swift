import Kernel

/// Device nodes that the upper has under new names. None is put into an original: of one that the jail has moved there would be nothing
/// left.
struct LostNodes {
    private struct Node: Hashable {
        let isBlock: Bool
        let number: UInt64

        init?(_ status: EntryStatus) {
            guard status.kind == .characterDevice || status.kind == .blockDevice else { return nil }
            (isBlock, number) = (status.kind == .blockDevice, status.node)
        }
    }

    private var paths: [Node: EntryPath] = [:]

    init(_ changes: [Change]) {
        for change in changes {
            if let node = change.upper.flatMap({ Node($0) }) { paths[node] = change.path }
        }
    }

    /// Why something of the original is not to go, or what holds it: the device node that there would be nothing left of.
    func reason(againstLosing status: EntryStatus) -> String? {
        guard !paths.isEmpty, let path = Node(status).flatMap({ paths[$0] }) else { return nil }
        return "the device node is \(path.text) now, where none is put: it would be lost"
    }
}
