import JailSpec
import LinuxFacts
import SpecFile

/// What the spec mounts: `ro`, `rw`, `hide` and every `[[mount]]`.
extension TreeBuilder {
    mutating func place(_ mount: Mount) {
        let attributes = mount.options.attributes
        if isPerProcess(mount) {
            faults.append(
                Diagnostic(
                    "\(mount.target) is another file for each process: what is put there is there for only one",
                    at: mount.position, hint: "filesystem.proc = false leaves the whole of /proc out"))
        }
        switch mount.source {
        case .bind(let path):
            let device = deviceAttributes(of: mount, from: path)
            // A device is written to whatever the mount says, and opened only where the mount lets it.
            let demands =
                device.map { _ in MountAttributes.noDevices }
                ?? mount.options.opened | (attributes.hasAll(of: .readOnly) ? MountAttributes() : .readOnly)
            placeTree(
                path, on: mount.target, device ?? attributes,
                recursive: mount.options.isRecursive && mount.device == nil,
                optional: mount.optional, isWritten: true, demanding: demands, appearingAs: fileIDs(of: mount),
                holding: storageLimit(of: mount), through: mount.sourceDescriptor?.value, as: mount.device,
                at: mount.position)
        case .tmpfs(let size, let inodes, let mode): placeMemory(mount, size, inodes, mode)
        case .proc: mountProc(on: mount.target, attributes, at: mount.position)
        case .sysfs: mountSysfs(on: mount.target, attributes, at: mount.position)
        case .devpts:
            // nodev is what closes a mount by default; here it would close the terminals.
            let asked = mount.options.asked.hasAll(of: .noDevices) ? attributes : attributes.without(.noDevices)
            mountDevpts(on: mount.target, asked, at: mount.position)
        case .mqueue:
            placeFileSystem(
                "mqueue", on: mount.target, attributes | .closed | .noExecute, at: mount.position)
        case .cgroup:
            // Read-only unless asked for: a group that can be written to can be divided.
            let access: MountAttributes = mount.options.opened.hasAll(of: .readOnly) ? [] : .readOnly
            placeFileSystem(
                "cgroup2", on: mount.target, attributes | access | .closed | .noExecute,
                at: mount.position)
        case .file(let content, let mode): placeFile(.file(content: content, mode: mode), mount)
        case .passedFile(let number, let mode): placeFile(.passedFile(descriptor: number, mode: mode), mount)
        case .symlink(let target):
            place(
                Placement(
                    target: mount.target, origin: mount.position,
                    placing: .tree(.makeSymlink(target: mount.target, to: target))))
        case .directory(let mode):
            place(
                Placement(
                    target: mount.target, origin: mount.position,
                    placing: .tree(.makeDirectory(target: mount.target, mode: mode, keepsMode: mount.optional))))
        case .hidden:
            place(
                Placement(
                    target: mount.target, origin: mount.position,
                    placing: .tree(.hide(target: mount.target))))
        case .overlay(let lower, let upper, let work): placeOverlay(mount, lower, upper, work)
        case .image(let path, let offset): placeImage(mount, path, offset)
        }
    }

    private mutating func placeMemory(_ mount: Mount, _ size: UInt64?, _ inodes: UInt64?, _ mode: UInt32) {
        var parameters = [FileSystemOption("mode", octal(mode))]
        if let size { parameters.append(.init("size", "\(size)")) }
        if let inodes = inodes ?? size.map(Self.files(inRoomOf:)) { parameters.append(.init("nr_inodes", "\(inodes)")) }
        let attributes = mount.options.attributes
        // A read-only tmpfs is sealed last: mount points may have to be made in it.
        placeFileSystem(
            "tmpfs", parameters, on: mount.target, attributes.without(.readOnly),
            sealed: attributes.hasAll(of: .readOnly), at: mount.position)
    }

    /// A file that nobody on the host has: read-only unless the spec says otherwise.
    private mutating func placeFile(_ filling: Filling, _ mount: Mount) {
        let access: MountAttributes = mount.options.opened.hasAll(of: .readOnly) ? [] : .readOnly
        place(
            filling, on: mount.target, mount.options.attributes | access | .closed, isDirectory: false,
            at: mount.position)
    }

    /// The attributes of a device node, which is named to be opened; nil for all else, and where nodev is written.
    ///
    /// Its mount is read-only: that keeps the command from changing the node, which is the host's, and not from writing to the
    /// device (open(2), mount(2)).
    private mutating func deviceAttributes(of mount: Mount, from path: String) -> MountAttributes? {
        let options = mount.options
        if options.asked.hasAll(of: .noDevices) { return nil }
        if mount.device != nil || host.deviceNodes.contains(path) {
            return (options.attributes | .readOnly | .noExecute).without(.noDevices)
        }
        if host.deviceDirectories.contains(path), !options.opened.hasAll(of: .noDevices) {
            faults.append(
                Diagnostic(
                    "\(path) has device nodes in it, which nodev keeps from being opened", at: mount.position,
                    hint:
                        "write it in filesystem.devices, or, for what else is in it, as a [[mount]] with options = [\"dev\"]"
                ))
        }
        return nil
    }

    /// What stands below a hidden directory nobody can reach: one of the two lines would be without effect.
    mutating func refuseBelowHidden() {
        let hidden = spec.filesystem.mounts.filter { $0.isHidden }
        guard !hidden.isEmpty else { return }
        for mount in spec.filesystem.mounts where !mount.isHidden {
            guard let above = hidden.first(where: { mount.target.utf8.starts(with: "\($0.target)/".utf8) }) else {
                continue
            }
            faults.append(
                Diagnostic(
                    "\(mount.target) is below \(above.target), which is hidden"
                        + (above.position.map { " at \($0)" } ?? ""), at: mount.position,
                    hint: "to show only this of it, mount a tmpfs on \(above.target) in place of hiding it"))
        }
    }

    /// Whether a target lies in what procfs shows of one process, proc(5), or is a link of the jail's /dev that leads there.
    private func isPerProcess(_ mount: Mount) -> Bool {
        let names = mount.target.split(separator: "/", maxSplits: 2)
        guard names.count > 1 else { return false }
        if names[0] == "dev", case .minimal = spec.filesystem.devices.value {
            return mount.isHidden && ["fd", "stdin", "stdout", "stderr"].contains(names[1])
        }
        guard names[0] == "proc", spec.filesystem.proc.value else { return false }
        if names[1].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) { return true }
        return ["self", "thread-self", "mounts", "net"].contains(names[1])
    }
}
