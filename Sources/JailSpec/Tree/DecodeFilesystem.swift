import LinuxFacts
import SpecFile

extension Section {
    /// `[filesystem]` and `[[mount]]`.
    mutating func filesystem() -> Filesystem {
        var result = Filesystem()
        if var section = section("filesystem") {
            section.filesystem(into: &result)
            section.finish()
        }
        for var entry in sections("mount") {
            if let mount = entry.mount() { result.mounts.append(mount) }
            entry.finish()
        }
        reportSharedTargets(result.mounts)
        reportSharedLayers(result)
        switch result.mounts.first(where: { $0.target == "/" })?.source {
        case .overlay?: takeRoot(of: &result)
        default: if let image = result.rootImage { takeRoot(image, into: &result) }
        }
        return result
    }

    /// An image on "/" stands in place of `filesystem.root`, and nothing of it can be another way.
    private mutating func takeRoot(_ image: Mount, into result: inout Filesystem) {
        if let position = result.root.position {
            report("filesystem.root: an image is the root already\(also(at: image.position))", at: position)
        }
        if result.writable.value {
            report("filesystem.writable: an image is read-only", at: result.writable.position)
        }
        if let changes = result.changes {
            report("filesystem.changes: an image is read-only", at: changes.position)
        }
        if image.optional { report("mount.optional: there is no jail without a root", at: image.position) }
        if image.options.opened.hasAll(of: .readOnly) {
            report(
                "mount.options: an image that is the root is read-only", at: image.position,
                hint: "leave out \"rw\"; a [[mount]] below can take changes")
        }
        result.root = Located(.image, at: image.position)
    }

    /// An overlay on "/" is the root: a tree of the host's, as its uppermost lower is, copied on write.
    private mutating func takeRoot(of result: inout Filesystem) {
        guard let index = result.mounts.firstIndex(where: { $0.target == "/" }) else { return }
        var mount = result.mounts.remove(at: index)
        let written = [
            ("root", result.root.position), ("writable", result.writable.position),
            ("changes", result.changes?.position),
        ]
        for (key, position) in written where position != nil {
            report(
                "filesystem.\(key): the root is what is mounted on \"/\"\(also(at: mount.position))", at: position,
                hint: "leave one of the two out")
        }
        if mount.optional {
            report("mount.optional: without it there is no root", at: mount.position)
        }
        guard case .overlay(let lower, _, _) = mount.source, let first = lower.first else { return }
        // What is mounted in the host's tree is shown by mounts of their own.
        if first == "/" { mount.options.isRecursive = false }
        result.root = Located(first == "/" ? .host : .directory(first), at: mount.position)
        result.rootMount = mount
    }

    private mutating func filesystem(into result: inout Filesystem) {
        result.root = value("root", Form.root) ?? result.root
        result.writable = value("writable", Form.boolean) ?? result.writable
        result.changes = value("changes", Form.changes)
        result.proc = value("proc", Form.boolean) ?? result.proc
        result.devices = value("dev", Form.word(Filesystem.Devices.self)) ?? result.devices
        result.tmp = value("tmp", Form.room) ?? result.tmp
        result.home = value("home", Form.room) ?? result.home
        result.shm = value("shm", Form.room) ?? result.shm
        if let position = result.shm.position, result.devices.value != .minimal, table["shm"] != nil {
            report(
                "filesystem.shm: is part of the minimal /dev, which this jail has not", at: position,
                hint: "leave it out, or mount a tmpfs on /dev/shm")
        }
        result.mounts += binds("ro", MountOptions(.readOnly)) + binds("rw", MountOptions())
        // A read-only mount keeps a node as it is, and lets the device be written to.
        result.mounts += binds("devices", MountOptions(.readOnly | .noExecute, opening: .noDevices)) + hidden("hide")
    }

    private mutating func binds(_ key: String, _ options: MountOptions) -> [Mount] {
        (list(key, Form.bind)?.value ?? []).map { bind in
            var mount = Mount(
                target: bind.value.target, source: .bind(bind.value.source), options: options, position: bind.position)
            mount.isPattern = bind.value.isPattern
            return mount
        }
    }

    /// What is hidden twice, as by two files that extend one another, is hidden.
    private mutating func hidden(_ key: String) -> [Mount] {
        guard let paths = list(key, Form.hidden)?.value else { return [] }
        let names = paths.map { Located([$0.value.isPattern ? 1 : 0] + Array($0.value.path.utf8), at: $0.position) }
        var again = repeats(names).map(\.index)[...]
        var result: [Mount] = []
        for (index, path) in paths.enumerated() {
            if again.first == index {
                again.removeFirst()
                continue
            }
            var mount = Mount(target: path.value.path, source: .hidden, position: path.position)
            mount.isPattern = path.value.isPattern
            result.append(mount)
        }
        return result
    }

    /// overlayfs takes upper and work for itself: a second overlay would find them in use.
    private func reportSharedLayers(_ filesystem: Filesystem) {
        guard filesystem.mounts.contains(where: { $0.hasUpper }) else { return }
        var kept = filesystem.mounts.filter { $0.hasUpper }
        if let root = filesystem.rootOverlay, root.hasUpper { kept.insert(root, at: 0) }
        for (index, mount) in kept.enumerated() {
            for other in kept[..<index] {
                guard let (key, path, what, otherKey) = mount.layer(sharedWith: other) else { continue }
                let place = other.position.map { " at \($0)" } ?? ""
                report(
                    "mount.\(key): \(quoted(path)) \(what) the \(otherKey) of the overlay\(place)", at: mount.position)
                break
            }
        }
    }

    /// One mount covers another on the same target: a line that does nothing. Names are compared as bytes: two spellings of a
    /// letter are equal as text.
    private func reportSharedTargets(_ mounts: [Mount]) {
        guard mounts.count > 1 else { return }
        let targets = mounts.filter { !$0.isPattern }.map { Located(Array($0.target.utf8), at: $0.position) }
        for (_, again, first) in repeats(targets) {
            let target = String(decoding: again.value, as: UTF8.self)
            report("mount: the target \(quoted(target)) is given twice\(also(at: first))", at: again.position)
        }
    }
}

extension Mount {
    fileprivate var hasUpper: Bool { if case .overlay(_, _?, _?) = source { true } else { false } }

    /// A layer of this overlay that is one of another's, or in one or around one, and what it is to that.
    fileprivate func layer(sharedWith other: Mount) -> (key: String, path: String, what: String, otherKey: String)? {
        guard case .overlay(_, let upper?, let work?) = source,
            case .overlay(_, let otherUpper?, let otherWork?) = other.source
        else { return nil }
        for (key, path) in [("upper", upper), ("work", work)] {
            for (otherKey, otherPath) in [("upper", otherUpper), ("work", otherWork)] {
                if path == otherPath { return (key, path, "is also", otherKey) }
                if isWithin(path, otherPath) { return (key, path, "is inside", otherKey) }
                if isWithin(otherPath, path) { return (key, path, "is around", otherKey) }
            }
        }
        return nil
    }
}

extension Form {
    fileprivate static func root(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> Filesystem.Root {
        let written = try nonEmpty(node, decoding)
        switch written {
        case "system": return .system
        case "host": return .host
        case "empty": return .empty
        default: break
        }
        guard looksLikePath(written) else {
            let unknown = unknown(written, of: ["system", "host", "empty"], node)
            throw fault(unknown.message, node, hint: "\(unknown.hint ?? ""), or a directory such as \"./\(written)\"")
        }
        let path = try hostPath(node, decoding)
        if path == "/" { throw fault("\"/\" as a directory", node, hint: "write \"host\" for the host's whole tree") }
        return .directory(path)
    }

    /// `discard`, or a directory, written as one.
    fileprivate static func changes(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> Filesystem.Changes {
        let written = try nonEmpty(node, decoding)
        if written == "discard" { return .discarded }
        guard looksLikePath(written) else {
            let unknown = unknown(written, of: ["discard"], node)
            throw fault(unknown.message, node, hint: "\(unknown.hint ?? ""), or a directory such as \"./\(written)\"")
        }
        return .kept(try hostPath(node, decoding))
    }

    /// The size of a private tmpfs, or false for none.
    fileprivate static func room(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> Filesystem.Room {
        guard case .boolean(let wanted) = node.value else { return .bytes(try positiveSize(node, decoding)) }
        if wanted {
            throw fault("must be a size or false", node, hint: "leave it out for a quarter of the machine's memory")
        }
        return .none
    }
}
