import JailSpec
import SpecFile

extension Filesystem {
    /// The path of the host that a path of the jail shows, by the mount next above it; nil where that shows none of the host's.
    package func hostPath(behind path: String) -> String? {
        var best: (length: Int, path: String?) = (-1, nil)
        func consider(_ target: String, _ source: String?) {
            guard isWithin(path, target), target.utf8.count > best.length else { return }
            let stem = target == "/" ? "" : target
            best = (
                target.utf8.count,
                source.map { $0 + String(decoding: path.utf8.dropFirst(stem.utf8.count), as: UTF8.self) }
            )
        }
        switch root.value {
        case .host: consider("/", "")
        case .directory(let source): consider("/", source)
        case .system:
            for name in ["/usr", "/etc", "/bin", "/sbin", "/lib", "/lib32", "/lib64"] { consider(name, name) }
        case .empty, .image: break
        }
        for mount in mounts where !mount.isHidden {
            if case .bind(let source) = mount.source {
                consider(mount.target, source)
            } else {
                consider(mount.target, nil)
            }
        }
        return best.path
    }

    /// Whether a path of the jail, and each link on its way, is the host's own of that name: the root shows it, and no mount
    /// stands above it.
    package func isOfHost(_ path: String) -> Bool {
        guard root.value == .host || root.value == .system, hostPath(behind: path) == path else { return false }
        return !mounts.contains { mount in
            !mount.isHidden && isWithin(path, mount.target)
        }
    }
}

extension TreeBuilder {
    /// What is hidden under one name must not be seen under another that the spec gives it.
    mutating func refuseSecondViews() {
        let filesystem = spec.filesystem
        for view in host.secondViews {
            for mount in filesystem.mounts {
                guard case .bind(view.source) = mount.source else { continue }
                let place = mount.target + (view.below.isEmpty ? "" : "/" + view.below)
                guard place != view.hidden, place != view.covered, !isOutOfSight(place, behind: mount.target) else {
                    continue
                }
                let line = filesystem.mounts.first { $0.isHidden && $0.target == view.hidden }?.position
                faults.append(
                    Diagnostic(
                        "\(place) shows what \(view.hidden) hides" + (line.map { " at \($0)" } ?? ""),
                        at: mount.position,
                        hint: place == mount.target
                            ? "leave this line out" : "hide \(place) as well, or leave this line out"))
            }
        }
    }

    /// Whether a path is hidden as well, or another mount stands over it.
    private func isOutOfSight(_ path: String, behind target: String) -> Bool {
        spec.filesystem.mounts.contains { mount in
            guard isWithin(path, mount.target) else { return false }
            return mount.isHidden || mount.target.utf8.count > target.utf8.count
        }
    }
}
