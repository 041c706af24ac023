package import JailSpec
import LinuxFacts
import SpecFile

extension Mount {
    /// Whether it is an overlay of which the changes are not kept.
    package var isThrownAway: Bool { if case .overlay(_, nil, _) = source { true } else { false } }

    /// Whether it is an overlay of which the changes are kept.
    package var isKept: Bool { if case .overlay(_, _?, _) = source { true } else { false } }
}

extension Filesystem {
    /// The overlays whose changes outlive the jail.
    package var keptOverlays: [Mount] {
        var result = mounts.filter { $0.isKept }
        if let root = rootOverlay, root.isKept { result.insert(root, at: 0) }
        return result
    }

    /// Whether anything of the tree is an overlay.
    var hasOverlay: Bool { rootOverlay != nil || mounts.contains { $0.isThrownAway || $0.isKept } }

    /// Whether the changes of an overlay outlive the jail: their directory is locked until then.
    var keepsChanges: Bool { rootOverlay?.isKept ?? false || mounts.contains { $0.isKept } }
}

extension TreeBuilder {
    /// What a thrown-away upper holds where nothing is said of it.
    private static let room: UInt64 = 512 << 20

    mutating func placeOverlay(_ mount: Mount, _ lower: [String], _ upper: String?, _ work: String?) {
        let source = overlay(mount, lower, upper, work)
        // A read-only one is sealed last, as a tmpfs is: mount points may have to be made in it.
        let attributes = mount.options.attributes
        place(
            .overlay(source), on: mount.target, attributes.without(.readOnly), isDirectory: true,
            sealed: attributes.hasAll(of: .readOnly), at: mount.position)
    }

    /// The root as an overlay; of the whole host, with what is mounted in it read-only in its place.
    mutating func openRootOverlay(_ slot: Int, _ mount: Mount) {
        guard case .overlay(let lower, let upper, let work) = mount.source else { return }
        let filling = Filling.overlay(overlay(mount, lower, upper, work))
        let attributes = mount.options.attributes
        let isSealed = attributes.hasAll(of: .readOnly)
        let promise = SlotPromise(target: "/", attributes: attributes.without(.readOnly), isSealed: isSealed)
        if isSealed { sealed.append(slot) }
        sources.append(Plan.Step(.tree(.fill(slot: slot, filling, promise)), mount.position))
        let replaced = spec.filesystem.mounts.filter { !$0.isHidden }.map(\.target)
        for path in host.submounts where !replaced.contains(where: { isWithin(path, $0) }) && !isOwn(path) {
            placeTree(path, on: path, .readOnly | .closed, optional: true, at: mount.position)
        }
    }

    /// Whether the jail has something of its own there in any case.
    private func isOwn(_ path: String) -> Bool {
        if ["/proc", "/dev", "/sys"].contains(where: { isWithin(path, $0) }) { return true }
        return !spec.filesystem.tmp.value.isNone && isWithin(path, "/tmp")
    }

    private mutating func overlay(
        _ mount: Mount, _ lower: [String], _ upper: String?, _ work: String?
    ) -> OverlaySource {
        let changes: OverlaySource.Changes
        if let upper, let work {
            if mount.isRecorded { refuseReachable(mount, lower, upper, work) }
            changes = .kept(upper: upper, work: work)
        } else {
            let files = mount.inodes?.value ?? mount.quota.map { Self.files(inRoomOf: $0.value) }
            changes = .thrownAway(bytes: room(of: mount), inodes: files)
        }
        let owner = servedOwner(of: mount)
        if owner == nil { refuseUnmapped(mount, lower) }
        return OverlaySource(
            lower: lower, changes: changes, optional: mount.optional, leavesOutSubmounts: !mount.options.isRecursive,
            usesUserAttributes: !host.ownsAttributes, fileIDs: owner == nil ? fileIDs(of: mount) : nil, owner: owner,
            limit: storageLimit(of: mount), isRecorded: mount.isRecorded)
    }

    /// How many bytes a thrown-away upper may hold: they are the jail's memory.
    private mutating func room(of mount: Mount) -> UInt64 {
        let limit = spec.limits?.value.memory
        guard let quota = mount.quota else { return min(Self.room, max(4096, limit?.value ?? .max)) }
        if let limit, quota.value > limit.value {
            faults.append(
                Diagnostic(
                    "mount.quota: more than limits.memory, to which what is changed counts", at: quota.position,
                    hint: "lower it to \(limit.value), raise limits.memory, or keep changes by upper and work"
                ))
        }
        return quota.value
    }

    /// As whose an ordinary user's overlay appears where that is asked for: the kernel has no such overlay for him.
    private mutating func servedOwner(of mount: Mount) -> ServedOwner? {
        guard mount.isThrownAway, !host.isPrivileged, let idmap = mount.idmap, idmap.value, identity.maps != nil else {
            return nil
        }
        func refuse(_ why: String, hint: String) {
            faults.append(Diagnostic("mount.idmap: \(why)", at: idmap.position, hint: hint))
        }
        if !host.images.hasFuseOverlayfs {
            refuse(
                "an ordinary user's needs fuse-overlayfs(1), and it is not installed", hint: Remedy.installFuseOverlayfs
            )
        }
        if !host.images.opensFuse {
            refuse("an ordinary user's needs /dev/fuse, which this user cannot open", hint: Remedy.openFuse)
        }
        return ServedOwner(user: identity.user, group: identity.group)
    }

    /// In a user namespace overlayfs cannot copy up what belongs to an id that has no name there; what is below the lower is
    /// not looked at.
    private mutating func refuseUnmapped(_ mount: Mount, _ lower: [String]) {
        guard let maps = identity.maps, let layer = host.layers.first(where: { $0.path == lower.first }) else { return }
        func has(_ id: UInt32, _ ranges: [Identity.Range]) -> Bool {
            ranges.contains { $0.outside <= id && id - $0.outside < $0.count }
        }
        if !has(layer.uid, maps.users) {
            faults.append(
                Diagnostic(
                    "mount.lower: \(layer.path) belongs to uid \(layer.uid), which is not in the jail: writing would fail "
                        + "with EOVERFLOW", at: mount.position,
                    hint: layer.uid == host.uid
                        ? "give uid_map a line with outside = \(layer.uid)" : foreignHint(mount)))
        } else if !has(layer.gid, maps.groups) {
            faults.append(
                Diagnostic(
                    "mount.lower: \(layer.path) belongs to gid \(layer.gid), which is not in the jail: writing would fail "
                        + "with EOVERFLOW", at: mount.position, hint: "chgrp \(host.gid) \(layer.path)"))
        }
    }

    /// fuse-overlayfs makes only what is thrown away, and no root.
    private func foreignHint(_ mount: Mount) -> String {
        if spec.filesystem.rootOverlay != nil, mount.target == "/" { return Remedy.launchAsRoot }
        return mount.isThrownAway
            ? "\(Remedy.launchAsRoot), or set idmap = true, for fuse-overlayfs to make it"
            : "\(Remedy.launchAsRoot); or leave upper and work out, and set idmap = true, for fuse-overlayfs to make it"
    }

    /// What the jail could write past the overlay, it could forge: its record, its whiteouts, what `apply` compares with.
    private mutating func refuseReachable(_ mount: Mount, _ lower: [String], _ upper: String, _ work: String) {
        for other in spec.filesystem.mounts {
            guard case .bind(let path) = other.source, !other.options.asked.hasAll(of: .readOnly) else { continue }
            // A part of the whole root that is opened as well covers that part.
            let lower = mount.target == "/" ? [] : lower
            for (key, layer) in [("upper", upper), ("work", work)] + lower.map({ ("lower", $0) })
            where isWithin(path, layer) || isWithin(layer, path) {
                faults.append(
                    Diagnostic(
                        "mount.\(key): \(layer) can be written to past the overlay, through \(other.target)",
                        at: mount.position, hint: "mount \(path) read-only, or keep the two apart"))
                return
            }
        }
        if case .directory(let root) = spec.filesystem.root.value, spec.filesystem.writable.value,
            isWithin(upper, root) || isWithin(work, root)
        {
            faults.append(
                Diagnostic(
                    "mount.upper: \(upper) can be written to past the overlay, as a part of the root",
                    at: mount.position, hint: "leave filesystem.writable out, or keep the changes elsewhere"))
        }
    }
}

extension Host {
    /// Whether the caller's overlays keep their notes in attributes of root's own.
    var ownsAttributes: Bool { isPrivileged && isRealRoot }
}
