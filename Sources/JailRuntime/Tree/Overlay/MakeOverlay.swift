import JailPlan
import Kernel
import LinuxFacts

/// Overlays: the layers opened, looked at, and put together.
///
/// overlayfs takes much in silence, or says why not to the kernel's log alone: what it would get wrong is found here first,
/// and what it made is looked at afterwards.
extension Applier {
    /// −1 where an optional lower is missing.
    mutating func makeOverlay(
        _ slot: Int, _ source: OverlaySource, _ promise: SlotPromise, of plan: Plan
    ) throws(Failure) -> Int32 {
        let attributes = promise.attributes
        if source.owner != nil { return try mountForServer(slot, attributes, of: plan) }
        var layers = OverlayLayers()
        defer { layers.close() }
        let isThere = try layers.openLower(of: source, isRoot: promise.isRoot) { (path) throws(Failure) in
            try reach(path, of: plan)
        }
        guard isThere else { return -1 }
        let isKernels = try refusesSubmountsItself(layers.lower, source, plan)
        if !isKernels, try !leaveLook(below: layers.lower, of: source, in: plan) {
            try refuseSubmounts(below: layers.lower, of: source)
        }
        // The check goes by what is below, not by what its name leads to by then.
        let first = layers.lower[0]
        lowerRoot = try failing { () throws(KernelError) in try status(of: first) }
        if let fileIDs = source.fileIDs { try mapLower(of: source, fileIDs, in: &layers) }
        switch source.changes {
        case .thrownAway(let bytes, let inodes): try layers.makeUpper(bytes: bytes, inodes: inodes)
        case .kept(let upper, let work): try openKept(upper, work, source, &layers, of: plan)
        }
        try requireAttributes(layers.upper, source)
        if plan.showsChanges { try hold(layers.upper, isShown: true, of: plan) }
        do throws(KernelError) {
            let overlay = try mountByDescriptor(layers, source, attributes).release()
            leaveToTree(&layers)
            return overlay
        } catch {
            if isKernels { try refuseSubmounts(below: layers.lower, of: source) }
            guard error.call == .fsconfig, error.path != "overlay" else { throw try diagnosis(error, layers, source) }
        }
        return try mountAttached(layers, source, attributes, of: plan)
    }

    /// Keeps the mounts that the overlay has clones of until they can go with the host's tree: the end of one that is attached to
    /// nothing is a wait for all processors by itself (fs/namespace.c, dissolve_on_fput and namespace_unlock).
    private mutating func leaveToTree(_ layers: inout OverlayLayers) {
        tree.loose += layers.loose
        if !layers.mapped.isEmpty { layers.lower.removeAll { [mapped = layers.mapped] in mapped.contains($0) } }
        (layers.scratch, layers.mapped) = ([], [])
    }

    /// Linux 6.13: a path in an option is cut where it is long, and parted where it has a comma or a colon.
    private func mountByDescriptor(
        _ layers: OverlayLayers, _ source: OverlaySource, _ attributes: MountAttributes
    ) throws(KernelError) -> Descriptor {
        let context = try FileSystemContext("overlay")
        for layer in layers.below { try context.set("lowerdir+", descriptor: layer) }
        try context.set("upperdir", descriptor: layers.upper)
        try context.set("workdir", descriptor: layers.work)
        return try finish(context, source, attributes)
    }

    /// Said, though they are the kernel's defaults: a module option may have changed them, and each makes the upper another thing
    /// than a plain list of changes.
    static var overlayOptions: [(key: String, value: String)] {
        [("index", "off"), ("xino", "off"), ("metacopy", "off"), ("redirect_dir", "nofollow")]
    }

    func finish(
        _ context: consuming FileSystemContext, _ source: OverlaySource, _ attributes: MountAttributes
    ) throws(KernelError) -> Descriptor {
        for option in Self.overlayOptions { try context.set(option.key, option.value) }
        if source.usesUserAttributes { try context.set("userxattr", nil) }
        return try context.mount(attributes)
    }

    /// Reads back what there is: an overlay that takes changes, looks like its first lower, and has them go to the upper.
    mutating func checkOverlay(_ slot: Int, _ source: OverlaySource) throws(Failure) {
        let view = slots[slot]
        let (magic, isShut) = try failing { () throws(KernelError) in try fileSystemKind(of: view) }
        let wanted = source.owner == nil ? FileSystemMagic.overlay : FileSystemMagic.fuse
        try hold(
            magic == wanted, "file system", "magic \(String(wanted, radix: 16))",
            "magic \(String(magic, radix: 16))")
        // Where work cannot be prepared the kernel mounts it read-only, and calls that a success.
        if isShut {
            throw Failure(
                telling: "the kernel has made the overlay read-only: its work directory could not be prepared",
                hint: "`dmesg | grep overlayfs` has the kernel's reason")
        }
        if let owner = source.owner { try checkServed(view, source, owner) } else { try checkRoot(of: view, source) }
    }

    /// That its server shows all as the jail's, and has as much room as was planned.
    private mutating func checkServed(
        _ view: Int32, _ source: OverlaySource, _ owner: ServedOwner
    ) throws(Failure) {
        let (found, room) = try failing { () throws(KernelError) in (try status(of: view), try capacity(of: view)) }
        let (promised, shown) = ("\(owner.user):\(owner.group)", "\(found.owner):\(found.group)")
        try hold(promised == shown, "owner of the overlay", promised, shown)
        guard case .thrownAway(let bytes, _) = source.changes else { return }
        // In whole pages, of up to 64 KiB.
        let isInForce = room.bytes >= bytes && room.bytes - bytes < 65536
        try hold(isInForce, "size of the overlay", "\(bytes)", "\(room.bytes)")
    }

    private mutating func checkRoot(of view: Int32, _ source: OverlaySource) throws(Failure) {
        guard source.isThrownAway, let wanted = lowerRoot else { return }
        let found = try failing { () throws(KernelError) in try status(of: view) }
        let owner = source.fileIDs?.appearance(of: (wanted.owner, wanted.group)) ?? (wanted.owner, wanted.group)
        let holds = found.permissions == wanted.permissions && (found.owner, found.group) == owner
        try hold(
            holds, "root of the overlay", rootWords(owner, wanted.permissions),
            rootWords((found.owner, found.group), found.permissions))
    }
}

private func rootWords(_ owner: (user: UInt32, group: UInt32), _ permissions: UInt32) -> String {
    "\(owner.user):\(owner.group) 0\(String(permissions, radix: 8))"
}
