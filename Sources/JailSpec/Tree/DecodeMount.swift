package import SpecFile

extension Section {
    /// One entry of `[[mount]]`; nil where what is wrong leaves no mount to speak of.
    mutating func mount() -> Mount? {
        let type = mountType()
        let isPattern =
            type.map { $0.keys.contains("pattern") } == true && value("pattern", Form.boolean)?.value == true
        if isPattern { return pattern(type) }
        let target = required("target", type == .image || type == .overlay ? Form.expandedPath : Form.expandedTarget)
        reportForeignKeys(type)
        let source = type.flatMap { mountSource($0) }
        let options = list("options", Form.mountOption)?.value ?? []
        let optional = value("optional", Form.boolean)
        let create = creation(type, optional)
        let quota = value("quota", Form.positiveSize)
        // Of a tmpfs they are part of the source.
        let inodes = type == .overlay || type == .bind ? value("inodes", Form.integer(1...UInt64(Int64.max))) : nil
        let idmap = value("idmap", Form.boolean)
        let record = type == .overlay ? value("record", Form.boolean) : nil
        if let record, case .overlay(_, nil, _)? = source {
            report("mount.record: there is no upper of which anything could be recorded", at: record.position)
        }
        let descriptor = type == .bind ? value("source_fd", Form.openDescriptor) : nil
        let device = type == .bind ? value("device", Form.deviceClaim) : nil
        if let device, create != nil {
            report("mount.device: what `create` makes is none", at: device.position)
        }
        for key in MountType.allKeys { _ = entry(key) }
        guard let target, let source, let type else { return nil }
        var mount = Mount(
            target: target.value, source: source, options: mountOptions(options, type),
            optional: optional?.value ?? false, quota: quota, inodes: inodes, idmap: idmap,
            position: table["target"]?.keyPosition ?? position)
        mount.create = create
        mount.sourceDescriptor = descriptor
        mount.device = device?.value
        mount.isRecorded = record?.value ?? true
        return mount
    }

    private static let foreignToPatterns = ["create", "mode", "quota", "inodes", "idmap", "source_fd", "device"]

    /// Mounts of what a pattern matches, which may be nothing: the source of a bind is its target.
    private mutating func pattern(_ type: MountType?) -> Mount? {
        reportForeignKeys(type)
        let target = required("target", Form.hidden)
        let source = type == .bind ? required("source", Form.hidden) : nil
        let options = list("options", Form.mountOption)?.value ?? []
        let optional = value("optional", Form.boolean)
        for key in MountType.allKeys {
            guard let other = entry(key), Self.foreignToPatterns.contains(key) else { continue }
            report("mount.\(key): means nothing for a pattern", at: other.keyPosition)
        }
        guard let target, let type else { return nil }
        if !target.value.isPattern {
            report("mount.pattern: \(quoted(target.value.path)) is none", at: target.position)
        }
        if let source, !source.value.path.utf8.elementsEqual(target.value.path.utf8) {
            report(
                "mount.source: what a pattern matches stands where it is: it must be the target", at: source.position)
        }
        var mount = Mount(
            target: target.value.path, source: type == .hide ? .hidden : .bind(target.value.path),
            options: mountOptions(options, type), optional: optional?.value ?? false, quota: nil, inodes: nil,
            idmap: nil, position: table["target"]?.keyPosition ?? position)
        mount.isPattern = true
        return mount
    }

    /// What becomes of a missing source of a bind.
    private mutating func creation(_ type: MountType?, _ optional: Located<Bool>?) -> Mount.Creation? {
        guard type == .bind else { return nil }
        let kind = value("create", Form.creation)
        let isDirectory = kind?.value != .file
        let mode = value("mode", Form.mode(upTo: isDirectory ? 0o3777 : 0o777))
        guard let kind, kind.value != .nothing else {
            if let mode { report("mount.mode: of a bind it is that of what `create` makes", at: mode.position) }
            return nil
        }
        if let optional, optional.value {
            report(
                "mount.optional: a source that is made is never missing\(also(at: kind.position))",
                at: optional.position)
        }
        return Mount.Creation(isDirectory: isDirectory, mode: mode?.value ?? (isDirectory ? 0o755 : 0o644))
    }

    /// The value of a key that must be there.
    mutating func required<Value>(_ key: String, _ read: Reader<Value>) -> Located<Value>? {
        let value = value(key, read)
        if table[key] == nil { report("\(name.isEmpty ? "" : name + ": ")has no \(key)", at: position) }
        return value
    }

    private mutating func mountType() -> MountType? {
        guard table["type"] == nil else { return value("type", Form.word(MountType.self))?.value }
        if table["source"] != nil || table["source_fd"] != nil { return .bind }
        report("mount: has no type", at: position, hint: "only a bind, which has a source, needs none")
        return nil
    }

    private func reportForeignKeys(_ type: MountType?) {
        guard let type else { return }
        for entry in table.entries where MountType.allKeys.contains(entry.key) {
            guard !type.keys.contains(entry.key), entry.key != "target", entry.key != "type" else { continue }
            let owners = MountType.allCases.filter { $0.keys.contains(entry.key) }.map(\.rawValue)
            report(
                "mount.\(entry.key): means nothing for the type \"\(type.rawValue)\"", at: entry.keyPosition,
                hint: "it belongs to \(owners.joined(separator: ", "))")
        }
    }

    private mutating func mountSource(_ type: MountType) -> Mount.Source? {
        switch type {
        case .bind: return bound()
        case .image:
            let offset = value("offset", Form.integer(0...UInt64(Int64.max)))?.value
            return required("source", Form.hostPath).map { .image($0.value, offset: offset) }
        case .overlay: return overlay()
        case .tmpfs: return tmpfs()
        case .proc: return .proc
        case .sysfs: return .sysfs
        case .devpts: return .devpts
        case .mqueue: return .mqueue
        case .cgroup: return .cgroup
        case .file:
            return file()
        case .hide: return .hidden
        case .dir: return .directory(mode: mode(upTo: 0o3777))
        case .symlink: return required("to", Form.linkText).map { .symlink(to: $0.value) }
        }
    }

    /// By a path, or by a descriptor, whose link stands for the path until it is read.
    private mutating func bound() -> Mount.Source? {
        guard let descriptor = value("source_fd", Form.openDescriptor) else {
            return required("source", Form.hostPath).map { .bind($0.value) }
        }
        if let path = value("source", Form.hostPath) {
            report("mount.source: source_fd is the source\(also(at: descriptor.position))", at: path.position)
        }
        return .bind("/proc/self/fd/\(descriptor.value)")
    }

    private mutating func file() -> Mount.Source {
        let mode = mode(upTo: 0o777) ?? 0o644
        let content = value("content", Form.text)
        guard let descriptor = value("content_fd", Form.openDescriptor) else {
            return .file(content: content?.value ?? "", mode: mode)
        }
        if let content {
            report("mount.content: content_fd has it\(also(at: descriptor.position))", at: content.position)
        }
        return .passedFile(descriptor: descriptor.value, mode: mode)
    }

    /// Nothing more than has an effect: set-user-id has none on a directory; and what file content is made in is nosuid,
    /// where the sticky bit, of a file, says nothing either.
    private mutating func mode(upTo limit: UInt32) -> UInt32? { value("mode", Form.mode(upTo: limit))?.value }

    private mutating func tmpfs() -> Mount.Source {
        // The kernel takes 0 for "no limit" in both.
        let size = value("size", Form.positiveSize)?.value
        let inodes = value("inodes", Form.integer(1...UInt64(Int64.max)))?.value
        return .tmpfs(size: size, inodes: inodes, mode: mode(upTo: 0o3777) ?? 0o1777)
    }

    private mutating func overlay() -> Mount.Source? {
        let lower = distinct("lower", Form.hostPath)
        let upper = value("upper", Form.hostPath)
        let work = value("work", Form.hostPath)
        guard let lower else {
            if table["lower"] == nil { report("mount: an overlay has no lower", at: position) }
            return nil
        }
        if lower.value.isEmpty { report("mount.lower: names no directory", at: lower.position) }
        // OVL_MAX_STACK
        if lower.value.count > 500 { report("mount.lower: more than 500 layers", at: lower.position) }
        if (table["upper"] == nil) != (table["work"] == nil) {
            let present = table["upper"] == nil ? "work" : "upper"
            report(
                "mount.\(present): `upper` and `work` go together", at: table[present]?.keyPosition,
                hint: "without both, changes go to a tmpfs and are thrown away")
        }
        if let upper, let work { refuseNested(lower.value, upper, work) }
        let both = upper != nil && work != nil
        return .overlay(
            lower: lower.value.map(\.value), upper: both ? upper?.value : nil, work: both ? work?.value : nil)
    }

    /// Layers of which one is another, or in it: overlayfs would show its own work, or change what it shows. upper and work alone
    /// may be in a lower, where they are hidden.
    private func refuseNested(_ lowers: [Located<String>], _ upper: Located<String>, _ work: Located<String>) {
        if upper.value == work.value {
            report("mount.work: the same directory as upper", at: work.position)
        } else if isWithin(work.value, upper.value) {
            report("mount.work: is inside upper, which holds the changes and nothing else", at: work.position)
        } else if isWithin(upper.value, work.value) {
            report("mount.upper: is inside work, which overlayfs empties", at: upper.position)
        }
        for layer in lowers {
            if layer.value == upper.value || layer.value == work.value {
                report("mount.lower: \(quoted(layer.value)) is also the upper or work directory", at: layer.position)
            } else if isWithin(layer.value, upper.value) || isWithin(layer.value, work.value) {
                let key = isWithin(layer.value, upper.value) ? "upper" : "work"
                report("mount.lower: \(quoted(layer.value)) is inside \(key)", at: layer.position)
            }
        }
    }
}

extension Filesystem {
    /// The descriptors of the caller's that mounts are made of, each with its key.
    package var givenDescriptors: [(key: String, number: Int32, position: Position?)] {
        mounts.compactMap { mount in
            if let number = mount.sourceDescriptor { return ("mount.source_fd", number.value, number.position) }
            guard case .passedFile(let number, _) = mount.source else { return nil }
            return ("mount.content_fd", number, mount.position)
        }
    }

    /// Puts the paths that descriptors lead to in the place of their links; a fault where `path` finds none.
    package mutating func resolveDescriptors(_ path: (Int32) throws(Diagnostic) -> String) -> [Diagnostic] {
        var faults: [Diagnostic] = []
        for index in mounts.indices {
            guard let number = mounts[index].sourceDescriptor else { continue }
            do throws(Diagnostic) {
                mounts[index].source = .bind(try path(number.value))
            } catch {
                faults.append(Diagnostic(error.message, at: number.position, hint: error.hint))
            }
        }
        return faults
    }
}

/// What `create` makes.
private enum Created { case nothing, directory, file }

extension Form {
    /// A descriptor of the caller's, 0 to 2 among them.
    fileprivate static func openDescriptor(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> Int32 {
        try integer(0...Int32.max)(node, decoding)
    }

    fileprivate static func creation(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> Created {
        if case .boolean(let wanted) = node.value { return wanted ? .directory : .nothing }
        guard case .string("file") = node.value else { throw fault("must be true, false or \"file\"", node) }
        return .file
    }

    /// What symlink(2) stores: any text, but not none and not more than a path.
    fileprivate static func linkText(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> String {
        let link = try nonEmpty(node, decoding)
        try checkLength(of: link, at: node.position)
        return link
    }
}
