import JailSpec
import LinuxFacts
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
        /// What is put there, before the root exists: a slot, and what holds on its mount.
        var fill: (slot: Int, filling: Filling, promise: SlotPromise)?
        /// What puts it into the tree.
        var placing: Operation
        /// What is protected, masked or hidden comes after all that is mounted, and what is hidden last: its target may lead,
        /// by a link in the tree, into a mount whose own target is deeper, or later by name.
        var rank: Int {
            switch placing {
            case .tree(.hide): 2
            case .tree(.mask), .tree(.protect), .tree(.protectFile): 1
            default: 0
            }
        }
    }

    let premises: Premises
    let identity: ResolvedIdentity
    let home: HomeDirectory
    let needsMounts: Bool
    let sharesProcesses: Bool
    /// Whether the network is another than the host's.
    let hasOwnNetwork: Bool
    let joinsNetwork: Bool
    let hasOwnUsers: Bool
    let service: ResolvedService
    let jobserver: Jobserver?
    let resolvers: [IPAddress]?
    /// Whether the group that the limits are of is the one that the jail would see as its own.
    var showsLimits = false

    var faults: [Diagnostic] = []
    var slotCount = 0
    /// Whether a procfs of the jail's own processes stands on /proc, with nothing over it.
    var hasOwnProc = false
    private(set) var placements: [Placement] = []
    /// What stands below a mount that the jail may write in, sorted.
    var guarded: [String] = []
    /// The files of the spec that are mounted read-only: each as it was named, and where.
    var guardedFiles: [(path: String, target: String, origin: Position?)] = []
    /// Clones of host trees: opened by whoever may reach the host's files.
    var sources: [Plan.Step] = []
    /// File systems of namespaces that others own: proc of the host's processes, sysfs of a network that is joined.
    var foreignFileSystems: [Plan.Step] = []
    /// New file systems, made while the host's proc and sysfs are in sight.
    var fileSystems: [Plan.Step] = []
    /// The tree itself, parents first.
    var construction: [Plan.Step] = []
    /// The slots that are made read-only when the tree is complete.
    var sealed: [Int] = []

    init(planner: Planner, identity: ResolvedIdentity) {
        premises = planner.premises
        self.identity = identity
        home = planner.home
        needsMounts = planner.isNew(.mount)
        sharesProcesses = !planner.spec.namespaces[.pid].value.isNew
        if case .path = planner.spec.namespaces[.net].value { joinsNetwork = true } else { joinsNetwork = false }
        hasOwnNetwork = planner.isNew(.net) || joinsNetwork
        hasOwnUsers = planner.isNew(.user)
        service = planner.service
        jobserver = planner.jobserver
        resolvers = planner.network?.resolvers
    }

    var spec: Spec { premises.spec }
    var host: Host { premises.host }

    mutating func build() {
        guard needsMounts else { return refuseMounts() }
        placements.reserveCapacity(32 + spec.filesystem.mounts.count)
        refuseBelowHidden()
        let rootSlot = placeRoot()
        for mount in spec.filesystem.mounts where mount.target != "/" { place(mount) }
        placeService()
        placeJobserver()
        // What the spec mounts itself replaces the default on the same target.
        let written = spec.filesystem.mounts.filter { !$0.isHidden }.map(\.target)
        placeProc(unless: written)
        placeDevices(unless: written)
        placeTmp(unless: written)
        placeHome()
        placeSysfs(unless: written)
        placeHosts()
        placeResolvers()
        placeAccounts()
        placeLinks()
        placeGroup()
        refuseSecondViews()
        guardSpec()
        placePins()
        assemble(rootSlot)
    }

    /// Without a mount namespace of the jail's own, mounts would be made for everybody.
    private mutating func refuseMounts() {
        let filesystem = spec.filesystem
        let written = [
            filesystem.root.position, filesystem.writable.position, filesystem.proc.position,
            filesystem.devices.position, filesystem.tmp.position, filesystem.home.position,
            filesystem.shm.position, filesystem.mounts.first?.position,
        ]
        guard let position = written.lazy.compactMap({ $0 }).first else { return }
        faults.append(
            Diagnostic(
                "the file system cannot be arranged without a mount namespace of the jail's own", at: position,
                hint: "remove the line, or \(Remedy.own(.mount))"))
    }

    mutating func newSlot() -> Int {
        defer { slotCount += 1 }
        return slotCount
    }

    mutating func place(_ placement: Placement) { placements.append(placement) }

    /// Puts a mount on a target; `sealed` makes it read-only once everything below it stands.
    mutating func place(
        _ filling: Filling, on target: String, _ attributes: MountAttributes, isDirectory: Bool?, sealed: Bool = false,
        at origin: Position?
    ) {
        let slot = newSlot()
        let promise = SlotPromise(target: target, attributes: attributes, isSealed: sealed)
        place(
            Placement(
                target: target, origin: origin, fill: (slot, filling, promise),
                placing: .tree(.attach(slot: slot, target: target, isDirectory: isDirectory))))
    }

    /// Opens a tree of the host on a target.
    mutating func placeTree(
        _ path: String, on target: String, _ attributes: MountAttributes, recursive: Bool = true,
        optional: Bool = false, isWritten: Bool = false, demanding demands: MountAttributes = MountAttributes(),
        appearingAs fileIDs: FileIDs? = nil, holding limit: StorageLimit? = nil, through descriptor: Int32? = nil,
        as device: DeviceClaim? = nil, at origin: Position?
    ) {
        var source = TreeSource(
            path: path, recursive: recursive, optional: optional, isWritten: isWritten, demands: demands,
            fileIDs: fileIDs, limit: limit, descriptor: descriptor)
        source.device = device
        let held = fileIDs == nil ? attributes : attributes | .idMapped
        place(.tree(source), on: target, held, isDirectory: nil, at: origin)
    }

    /// Mounts a new file system on a target.
    mutating func placeFileSystem(
        _ type: String, _ parameters: [FileSystemOption] = [], on target: String, _ attributes: MountAttributes,
        sealed: Bool = false, at origin: Position?
    ) {
        let fileSystem = FileSystem(type: type, parameters: parameters)
        place(.fileSystem(fileSystem), on: target, attributes, isDirectory: true, sealed: sealed, at: origin)
    }

    private mutating func assemble(_ rootSlot: Int) {
        construction.reserveCapacity(placements.count + 1)
        construction.append(Plan.Step(.tree(.beginRoot(slot: rootSlot)), spec.filesystem.root.position))
        for index in order() {
            let origin = placements[index].origin
            if let (slot, filling, promise) = placements[index].fill {
                if promise.isSealed { sealed.append(slot) }
                let step = Operation.tree(.fill(slot: slot, filling, promise))
                if filling.isClone {
                    sources.append(Plan.Step(step, origin))
                } else if case .fileSystem(let fileSystem) = filling, isForeign(fileSystem.type) {
                    foreignFileSystems.append(Plan.Step(step, origin))
                } else {
                    fileSystems.append(Plan.Step(step, origin))
                }
            }
            construction.append(Plan.Step(placements[index].placing, origin))
        }
        if rootIsPrivate && !spec.filesystem.writable.value { sealed.append(rootSlot) }
    }

    /// By rank, by depth, then by name; of two on one target the first placed first. Numbers are sorted rather than the
    /// placements themselves, each of which is some hundred bytes to move.
    private func order() -> [Int] {
        let links = rootLinks()
        let targets = placements.map { resolved($0.target, links) }
        let depths = targets.map(Self.depth)
        let ranks = placements.map(\.rank)
        return placements.indices.sorted { i, j in
            if ranks[i] != ranks[j] { return ranks[i] < ranks[j] }
            if depths[i] != depths[j] { return depths[i] < depths[j] }
            return targets[i] == targets[j] ? i < j : targets[i] < targets[j]
        }
    }

    /// Where a target leads by the links that are known beforehand, those of the "system" root: /lib/x to /usr/lib/x. Links of
    /// a tree of the host's are found as it is mounted; where one leads past the order, the launch is refused (`checkPlaces`).
    private func resolved(_ target: String, _ links: [Host.RootEntry]) -> String {
        for entry in links {
            // For a launch with one mount of its own: 148,000 instructions where a text is made of each name for each target.
            let (bytes, name) = (target.utf8.span, entry.name.utf8.span)
            guard bytes.count > name.count + 1, bytes[name.count + 1] == UInt8(ascii: "/") else { continue }
            guard name.indices.allSatisfy({ bytes[$0 + 1] == name[$0] }), let link = entry.link else { continue }
            let rest = target.utf8.dropFirst(entry.name.utf8.count + 1)
            return (link.utf8.first == UInt8(ascii: "/") ? link : "/" + link) + String(decoding: rest, as: UTF8.self)
        }
        return target
    }

    /// The links of the root that a target may lead through.
    private func rootLinks() -> [Host.RootEntry] {
        guard case .system = spec.filesystem.root.value, !spec.filesystem.mounts.isEmpty else { return [] }
        return host.rootEntries.filter { $0.link != nil }
    }

    /// Whether a target of the spec's may lead elsewhere than it says: by a link on its way, which nothing has that the jail makes for
    /// itself, but for the links that are placed.
    var mayLeadAstray: Bool {
        guard rootIsPrivate else { return true }
        if spec.filesystem.mounts.isEmpty { return false }
        var others: Set<PathKey> = []
        for index in placements.indices {
            if case .fileSystem(let above)? = placements[index].fill?.filling, above.type == "tmpfs" { continue }
            if case .tree(.makeDirectory) = placements[index].placing { continue }
            others.insert(PathKey(placements[index].target))
        }
        for mount in spec.filesystem.mounts {
            var path = mount.target
            while path != "/" {
                path = parent(of: path)
                if others.contains(PathKey(path)) { return true }
            }
        }
        return false
    }

    /// Whether only root outside may mount such a file system here. The proc of a joined pid namespace is another matter:
    /// setns(2) puts the children into it, not the caller.
    private func isForeign(_ type: String) -> Bool {
        guard host.isPrivileged else { return false }
        return type == "sysfs" ? joinsNetwork : type == "proc" && spec.namespaces[.pid].value.isHost
    }

    private static func depth(_ path: String) -> Int {
        let bytes = path.utf8.span
        var depth = 0
        for index in bytes.indices where bytes[index] == UInt8(ascii: "/") { depth += 1 }
        return depth
    }

    /// Whether the root is a file system of the jail's own.
    var rootIsPrivate: Bool {
        switch spec.filesystem.root.value {
        case .system, .empty: true
        case .host, .directory, .image: false
        }
    }
}
