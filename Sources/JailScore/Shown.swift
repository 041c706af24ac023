import JailSpec
import SpecFile

/// What the jail shows, as far as the spec tells: no look at the host.
extension Spec {
    /// Whether the root is one that immure makes: nothing is in it but the defaults and what the spec names.
    var hasPrivateRoot: Bool {
        guard namespaces[.mount].value.isNew else { return false }
        switch filesystem.root.value {
        case .system, .empty: return true
        case .host, .directory, .image: return false
        }
    }

    /// The tops of all that can be reached, inside the jail; nothing but "/" where that is a tree of the host.
    var shown: [[String]] {
        guard hasPrivateRoot else { return [[]] }
        var places = filesystem.mounts.filter { !$0.isHidden }.map { Place.parts(of: $0.target) }
        if filesystem.root.value == .system { places += [["usr"], ["etc"]] }
        return places + ownPlaces
    }

    /// Where a file system of the jail's own stands by default.
    private var ownPlaces: [[String]] {
        var places: [[String]] = []
        if filesystem.proc.value { places.append(["proc"]) }
        if filesystem.devices.value == .minimal { places.append(["dev"]) }
        if filesystem.tmp.value != .none { places.append(["tmp"]) }
        return places
    }

    /// What stands in front of a tree of the host that is the root: what is hidden, and what is the jail's own.
    var covers: [[String]] {
        let hidden = filesystem.mounts.filter { $0.isHidden }.map { Place.parts(of: $0.target) }
        // Without a procfs of the jail's own an empty directory stands there, never the host's.
        return hidden + ownPlaces + (filesystem.proc.value ? [] : [["proc"]])
    }

    /// The first path that is hidden and that the root would show. What a line of the spec shows and another hides narrows
    /// nothing else: with it the first line would seem to close something. In a tree of the host only the usual directories
    /// are known to be there.
    var hidden: Mount? {
        guard namespaces[.mount].value.isNew else { return nil }
        var places = hasPrivateRoot ? ownPlaces : []
        if filesystem.root.value == .system { places += [["usr"], ["etc"]] }
        if filesystem.root.value != .empty {
            places += ["bin", "sbin", "lib", "lib32", "lib64", "libx32"].map { [$0] }
        }
        if !hasPrivateRoot {
            let usual = [
                "usr", "etc", "home", "root", "var", "run", "boot", "srv", "opt", "mnt", "media", "sys", "proc", "dev",
                "tmp",
            ]
            places += usual.map { [$0] }
        }
        return filesystem.mounts.first { mount in
            guard mount.isHidden else { return false }
            let path = Place.parts(of: mount.target)
            return places.contains { path.starts(with: $0) || $0.starts(with: path) }
        }
    }

    /// Whether a mount of the spec's own stands at or below a place.
    func mounts(on place: String) -> Bool {
        filesystem.mounts.contains { !$0.isHidden && Place.parts(of: $0.target).first == place }
    }

    /// Whether a directory of the host is mounted whole, be it by what is around it.
    func mountsWhole(_ path: String) -> Bool {
        filesystem.mounts.contains { mount in
            let sources: [String] =
                switch mount.source {
                case .bind(let source): [source]
                case .overlay(let lower, let upper, _): lower + [upper].compactMap { $0 }
                default: []
                }
            return sources.contains { Place.parts(of: path).starts(with: Place.parts(of: $0)) }
        }
    }
}
