package import JailSpec
import LinuxFacts
import SpecFile

/// The tree of a jail as far as a spec says what is where.
package struct SeenTree {
    struct Seen {
        let isOfHost: Bool
        let isWritable: Bool

        init(ofHost isOfHost: Bool = false, writable isWritable: Bool = false) {
            (self.isOfHost, self.isWritable) = (isOfHost, isWritable)
        }
    }

    let spec: Spec
    private var tree: Filesystem { spec.filesystem }
    /// The mounts by their targets: a profile with its includes has more than a thousand.
    private var mounts: [String: Mount] = [:]
    private var ofHost: [Mount] = []

    package init(_ spec: Spec) {
        self.spec = spec
        for mount in spec.filesystem.mounts {
            mounts[mount.target] = mount
            if Self.seen(mount).isOfHost { ofHost.append(mount) }
        }
    }

    /// The mount that is closest above a path, or on it.
    private func mount(around path: String) -> Mount? {
        var place = path
        while true {
            if let mount = mounts[place] { return mount }
            guard place != "/", let slash = place.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
            place = slash == place.startIndex ? "/" : String(place[..<slash])
        }
    }

    /// What is at a path: that of the mount which is closest above it, or of the root.
    func seen(at path: String) -> Seen {
        if let closest = mount(around: path) { return Self.seen(closest) }
        if tree.tmp.value != .none, isWithin(path, "/tmp") { return Seen(writable: true) }
        if isWithin(path, "/dev") { return Seen(ofHost: tree.devices.value == .host) }
        if tree.proc.value, isWithin(path, "/proc") { return Seen() }
        let isWritable = tree.writable.value || tree.changes != nil
        switch tree.root.value {
        case .empty: return Seen(writable: isWritable)
        case .image: return Seen(ofHost: true, writable: isWritable)
        case .system:
            let shown = ["/usr", "/etc", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"]
            return Seen(ofHost: shown.contains { isWithin(path, $0) }, writable: isWritable)
        case .host, .directory:
            let isClosed = ["/sys", "/proc"].contains { isWithin(path, $0) }
            return Seen(ofHost: true, writable: isWritable && !isClosed)
        }
    }

    /// Whether nothing of the host is at a path, or at any that a pattern matches, nor below it.
    func isAbsent(_ path: String) -> Bool {
        let isPattern = FirejailPaths.isPattern(path)
        let literal = isPattern ? FirejailPaths.literalDirectory(of: path) : path
        if seen(at: literal).isOfHost { return false }
        // The jail's own /proc tells of the host's kernel and hardware, too.
        if tree.proc.value, isWithin(literal, "/proc"), mount(around: literal) == nil { return false }
        return !ofHost.contains { mount in
            if mount.isPattern { return mount.target == path }
            guard isPattern else { return isWithin(mount.target, path) }
            return !isWithin(literal, mount.target) && FirejailPaths.overlap(path, mount.target)
        }
    }

    private static func seen(_ mount: Mount) -> Seen {
        let isWritable = !mount.options.attributes.hasAll(of: .readOnly)
        switch mount.source {
        case .bind, .overlay, .image, .cgroup: return Seen(ofHost: true, writable: isWritable)
        case .sysfs: return Seen(ofHost: true)
        case .tmpfs: return Seen(writable: isWritable)
        case .proc, .devpts, .mqueue, .file, .passedFile, .symlink, .directory, .hidden: return Seen()
        }
    }
}
