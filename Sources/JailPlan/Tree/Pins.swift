import JailSpec
import LinuxFacts
import SpecFile

/// What stands below a mount that the jail may write in: `mv .git g` would take a cover along, and leave the name to whatever
/// the jail puts there.
///
/// rename(2) and rmdir(2) answer EBUSY for a directory that something is mounted on: each one between the mount and what stands
/// below it is mounted on itself.
extension TreeBuilder {
    mutating func placePins() {
        let writable = writableTargets
        guard !writable.isEmpty else { return }
        // Names are bytes: two spellings of a letter are equal as text.
        var standing = Set<[UInt8]>()
        for placement in placements where placement.isMounted { standing.insert(Array(placement.target.utf8)) }
        var pins: [[UInt8]: Int] = [:]
        var pinned: [Placement] = []
        for placement in placements where placement.isCover && writable[Array(placement.target.utf8)] == nil {
            var between: [String] = []
            var above = parent(of: placement.target)
            while above != "/", !standing.contains(Array(above.utf8)) {
                between.append(above)
                above = parent(of: above)
            }
            guard let attributes = writable[Array(above.utf8)] else { continue }
            guarded.append(placement.target)
            let isMade = placement.makesItsPlace
            for target in between {
                let key = Array(target.utf8)
                if let index = pins[key] {
                    if isMade { pinned[index].placing = .tree(.pin(target: target, attributes, isMade: true)) }
                    continue
                }
                pins[key] = pinned.count
                pinned.append(
                    Placement(
                        target: target, origin: placement.origin,
                        placing: .tree(.pin(target: target, attributes, isMade: isMade))))
                guarded.append(target)
            }
        }
        for pin in pinned { place(pin) }
        guarded.sort()
    }

    /// The targets of what the jail may write in, each with what holds on its mount.
    private var writableTargets: [[UInt8]: MountAttributes] {
        var result: [[UInt8]: MountAttributes] = [:]
        if case .directory = spec.filesystem.root.value, spec.filesystem.writable.value {
            result[[UInt8(ascii: "/")]] = .closed
        }
        let written = spec.filesystem.writableTargets
        guard !written.isEmpty else { return result }
        for placement in placements {
            guard let promise = placement.fill?.promise, written.contains(placement.target) else { continue }
            if !promise.held.hasAll(of: .readOnly) { result[Array(placement.target.utf8)] = promise.attributes }
        }
        return result
    }

    /// Mounts read-only, each on itself, the files that the spec is read from and the jail could write: it would write what the
    /// next launch goes by.
    mutating func guardSpec() {
        for file in host.exposed {
            for (target, position) in targets(of: file.source) {
                let path = (target == "/" ? "" : target) + (file.below.isEmpty ? "" : "/" + file.below)
                guard !path.isEmpty, !isCovered(path, within: target) else { continue }
                if host.isRealRoot, identity.reachesHostRoot {
                    faults.append(
                        Diagnostic(
                            "\(file.path) lies in \(file.source), where the command may write it as the host's root: the next "
                                + "launch would go by what it wrote", at: position,
                            hint: "keep it elsewhere, or run the command as another user: identity.user = \"nobody\""))
                    continue
                }
                guardedFiles.append((file.path, path, position))
                // The file is the mount itself where the mount is of a file.
                guard !file.below.isEmpty else {
                    faults.append(
                        Diagnostic(
                            "\(file.path) is opened for writing, and the spec is read from it", at: position,
                            hint: "show it with filesystem.ro"))
                    continue
                }
                place(
                    Placement(
                        target: path, origin: position,
                        placing: .tree(
                            .protectFile(
                                target: path, GuardedFile(path: file.path, device: file.device, inode: file.inode)))))
            }
        }
    }

    /// Where the jail may write in a source, with the line.
    private func targets(of source: String) -> [(target: String, position: Position?)] {
        var result: [(target: String, position: Position?)] = []
        if case .directory(source) = spec.filesystem.root.value, spec.filesystem.writable.value {
            result.append(("/", spec.filesystem.root.position))
        }
        for mount in spec.filesystem.mounts {
            if case .bind(source) = mount.source, !mount.options.asked.hasAll(of: .readOnly) {
                result.append((mount.target, mount.position))
            }
        }
        return result
    }

    /// Whether something else stands between a mount and a path in it, or hides that.
    private func isCovered(_ path: String, within target: String) -> Bool {
        spec.filesystem.mounts.contains { mount in
            guard mount.target.utf8.count > target.utf8.count || mount.isHidden else { return false }
            return isWithin(path, mount.target)
        }
    }
}

extension TreeBuilder.Placement {
    /// Whether a mount is put on the target, and not only something made there.
    fileprivate var isMounted: Bool { if case .tree(.attach) = placing { true } else { false } }

    /// Whether it keeps something from what is there.
    fileprivate var isCover: Bool {
        switch placing {
        case .tree(.attach), .tree(.hide), .tree(.protectFile): true
        default: false
        }
    }

    /// Whether the directories on the way are made where they are missing.
    fileprivate var makesItsPlace: Bool { isMounted }
}

extension Filesystem {
    /// The targets of binds and kept overlays that are open for writing.
    var writableTargets: Set<String> {
        var result = Set<String>()
        for mount in mounts where !mount.options.asked.hasAll(of: .readOnly) {
            switch mount.source {
            case .bind, .overlay(_, .some, _): result.insert(mount.target)
            default: break
            }
        }
        return result
    }

    /// Whether anything that keeps the jail from something stands below what it may write in: somebody has to see that it stays.
    var hasCoversToWatch: Bool {
        var writable = writableTargets
        if case .directory = root.value, self.writable.value { writable.insert("/") }
        guard !writable.isEmpty else { return false }
        return mounts.contains { mount in
            switch mount.source {
            case .symlink, .directory: return false
            default: break
            }
            guard !writable.contains(mount.target) else { return false }
            if writable.contains("/") { return true }
            var rest = mount.target.utf8[...]
            while let slash = rest.lastIndex(of: UInt8(ascii: "/")), slash != rest.startIndex {
                rest = rest[..<slash]
                if writable.contains(String(Substring(rest))) { return true }
            }
            return false
        }
    }
}
