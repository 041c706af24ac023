import JailSpec
import SpecFile

/// Plans the tree of the jail: which sources are opened, which file systems are made, and where each is attached.
///
/// Every mount, written or default, becomes one `Placement`; they are sorted by the depth of the target, so that the order
/// in the file means nothing and a parent always stands before what is mounted in it.
struct TreeBuilder {
    /// A mount on its way into the plan.
    struct Placement {
        var target: String
        var origin: Position?
        /// What makes the content, before the root exists.
        var source: Operation?
        /// What puts it into the tree.
        var placing: Operation
        /// The slot, where what is mounted stays writable until the tree is complete.
        var sealedSlot: Int?
    }

    let spec: Spec
    let host: Host
    let identity: ResolvedIdentity
    let needsMounts: Bool
    let sharesProcesses: Bool
    let hasOwnNetwork: Bool
    let hasOwnUsers: Bool

    var faults: [Diagnostic] = []
    var slotCount = 0
    private var placements: [Placement] = []
    /// Clones of host trees: opened by whoever may reach the host's files.
    var sources: [Plan.Step] = []
    /// New file systems, made while the host's proc and sysfs are in sight.
    var fileSystems: [Plan.Step] = []
    /// The tree itself, parents first, then sealed.
    var construction: [Plan.Step] = []

    init(planner: Planner, identity: ResolvedIdentity) {
        spec = planner.spec
        host = planner.host
        self.identity = identity
        needsMounts = planner.isNew(.mount)
        sharesProcesses = planner.spec.namespaces[.pid].value != .new
        hasOwnNetwork = planner.isNew(.net)
        hasOwnUsers = planner.isNew(.user)
    }

    mutating func build() {
        guard needsMounts else { return refuseMounts() }
        let rootSlot = placeRoot()
        for mount in spec.filesystem.mounts { place(mount) }
        // What the spec mounts itself replaces the default on the same target.
        let written = spec.filesystem.mounts.map(\.target)
        placeProc(unless: written)
        placeDevices(unless: written)
        placeTmp(unless: written)
        placeSysfs(unless: written)
        assemble(rootSlot)
    }

    /// Without a mount namespace of the jail's own, mounts would be made for everybody.
    private mutating func refuseMounts() {
        let filesystem = spec.filesystem
        let written = [
            filesystem.root.position, filesystem.writable.position, filesystem.proc.position,
            filesystem.devices.position, filesystem.tmp.position, filesystem.mounts.first?.position,
        ]
        guard let position = written.lazy.compactMap({ $0 }).first else { return }
        faults.append(
            Diagnostic(
                "the file system cannot be arranged without a mount namespace of the jail's own", at: position,
                hint: "remove the line, or set namespaces.mount = \"new\""))
    }

    mutating func newSlot() -> Int {
        defer { slotCount += 1 }
        return slotCount
    }

    mutating func place(_ placement: Placement) { placements.append(placement) }

    /// Opens a tree of the host on a target.
    mutating func placeTree(
        _ path: String, on target: String, _ attributes: Attributes, recursive: Bool = true, optional: Bool = false,
        at origin: Position?
    ) {
        let slot = newSlot()
        let source = TreeSource(path: path, recursive: recursive, attributes: attributes, optional: optional)
        place(
            Placement(
                target: target, origin: origin, source: .openTree(slot: slot, source),
                placing: .attach(slot: slot, target: target, isDirectory: nil)))
    }

    /// Mounts a new file system on a target; `sealed` makes it read-only once everything below it stands.
    mutating func placeFileSystem(
        _ type: String, _ parameters: [FileSystem.Parameter] = [], on target: String, _ attributes: Attributes,
        sealed: Bool = false, at origin: Position?
    ) {
        let slot = newSlot()
        let fileSystem = FileSystem(type: type, parameters: parameters, attributes: attributes)
        place(
            Placement(
                target: target, origin: origin, source: .makeFileSystem(slot: slot, fileSystem),
                placing: .attach(slot: slot, target: target, isDirectory: true), sealedSlot: sealed ? slot : nil))
    }

    private mutating func assemble(_ rootSlot: Int) {
        let ordered = placements.enumerated().sorted { a, b in
            let (x, y) = (depth(a.element.target), depth(b.element.target))
            return x != y ? x < y : a.element.target != b.element.target
                ? a.element.target < b.element.target : a.offset < b.offset
        }.map(\.element)
        construction.append(Plan.Step(operation: .beginRoot(slot: rootSlot), origin: spec.filesystem.root.position))
        for placement in ordered {
            if let source = placement.source {
                let step = Plan.Step(operation: source, origin: placement.origin)
                if needsHostRights(source) { sources.append(step) } else { fileSystems.append(step) }
            }
            construction.append(Plan.Step(operation: placement.placing, origin: placement.origin))
        }
        var sealed = ordered.compactMap(\.sealedSlot)
        if rootIsPrivate { sealed.append(rootSlot) }
        // Last: mount points are made until here.
        construction.append(Plan.Step(operation: .seal(slots: sealed), origin: nil))
    }

    /// Whether the operation touches files of the host, which the caller's rights decide on.
    private func needsHostRights(_ operation: Operation) -> Bool {
        switch operation {
        case .openTree, .openDevice: true
        case .makeFileSystem(_, let fileSystem):
            // proc of the host's pid namespace: only root outside may mount it.
            fileSystem.type == "proc" && sharesProcesses
        default: false
        }
    }

    private func depth(_ path: String) -> Int { path.utf8.count { $0 == UInt8(ascii: "/") } }

    private var rootIsPrivate: Bool {
        switch spec.filesystem.root.value {
        case .system, .empty: true
        case .host, .directory: false
        }
    }
}
