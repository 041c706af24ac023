import JailSpec
import SpecFile

/// `linux.readonlyPaths`: each is held against the mount that it lies in, which may come later in the file.
extension OCIImport {
    mutating func writeReadOnlyPaths() {
        // From the top down: one that lies in another finds its mount.
        for (path, directive) in readOnlyPaths.sorted(by: { $0.path.utf8.count < $1.path.utf8.count }) {
            protect(path, directive)
        }
    }

    private mutating func protect(_ path: String, _ directive: Directive) {
        let known = ["bus", "fs", "irq", "sys", "sysrq-trigger", "acpi", "scsi", "asound"].map { "/proc/" + $0 }
        let mount = mounts.entries.last { isWithin(path, $0.target) }
        let type = mount.map { $0.text("type") ?? "bind" }
        if known.contains(path), type == nil || type == "proc" {
            return draft.isInForce(.ownDirectory("/proc"), "read-only, or for the host's root only", directive)
        }
        if leadsElsewhere(path, mount) {
            return draft.lose("a symbolic link is on the way to it", restricts: true, directive)
        }
        guard let mount, let type else { return protectInRoot(path, directive) }
        if mount.isReadOnly(type) { return draft.isInForce(.readOnly(path), "what it lies in is read-only", directive) }
        let options = mount.options.filter { $0 != "rw" } + ["ro"]
        if mount.target == path, type != "cgroup" {
            mounts.change(path, "options", to: .strings(options))
            return draft.isPart(directive)
        }
        guard type == "bind", let source = mount.text("source"), mount.target != path else {
            return draft.lose("a single path of a \(type) that is read-only", restricts: true, directive)
        }
        guard !mounts.entries.contains(where: { isWithin($0.target, path) }) else {
            return draft.lose("something is mounted in it", restricts: true, directive)
        }
        let part = source + path.dropFirst(mount.target == "/" ? 0 : mount.target.count)
        mounts.bind(part, on: path, options, optional: true, directive, &draft)
        draft.isPart(directive)
    }

    /// Where no mount of the file's is.
    private mutating func protectInRoot(_ path: String, _ directive: Directive) {
        let written = ["/dev/shm", "/dev/pts"].filter { hasDevices && isWithin(path, $0) }
        if draft.value("filesystem.writable") != nil || path.hasPrefix("/proc/") || !written.isEmpty {
            draft.lose("a single path of the root that is read-only", restricts: true, directive)
        } else {
            draft.isInForce(.readOnly(path), "the root is read-only", directive)
        }
    }

    /// Whether a link, or a way up, may lead from the mount that a path lies in to another.
    private func leadsElsewhere(_ path: String, _ mount: MountList.Entry?) -> Bool {
        let parts = path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
        if parts.contains("..") { return true }
        var walked = rootPath
        var inner = parts[...]
        if let mount {
            guard let source = mount.text("source") else { return false }
            walked = source.hasPrefix("/") ? source : bundle + source
            inner = inner.dropFirst(mount.target.utf8.split(separator: UInt8(ascii: "/")).count)
        }
        // What is escaped for the spec is no name that could be looked at.
        if (walked + path).utf8.contains(UInt8(ascii: "$")) { return true }
        for part in inner {
            walked += "/" + part
            if context.isLink(walked) { return true }
        }
        return false
    }
}

extension MountList.Entry {
    fileprivate func text(_ key: String) -> String? {
        for case (key, .string(let text)) in pairs { return text }
        return nil
    }

    fileprivate var options: [String] {
        for case ("options", .array(let list)) in pairs { return list.compactMap(\.text) }
        return []
    }

    fileprivate func isReadOnly(_ type: String) -> Bool {
        switch type {
        case "sysfs": true
        case "cgroup": !options.contains("rw")
        default: options.contains("ro")
        }
    }
}
