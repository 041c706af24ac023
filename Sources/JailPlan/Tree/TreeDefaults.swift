import JailSpec
import LinuxFacts
import SpecFile

/// What a jail has without being asked for: its root, /proc, /dev and /tmp.
extension TreeBuilder {
    /// Returns the root's slot, and adds what the "system" root repeats of the host.
    mutating func placeRoot() -> Int {
        let filesystem = spec.filesystem
        let slot = newSlot()
        let origin = filesystem.root.position
        faults += filesystem.contradictions
        if let overlay = filesystem.rootOverlay {
            openRootOverlay(slot, overlay)
            return slot
        }
        switch filesystem.root.value {
        case .system, .empty:
            let isWritable = filesystem.writable.value
            var parameters = [FileSystemOption("mode", "0755")]
            if isWritable { parameters += limits(ofRoot: filesystem.tmp.value) }
            let tmpfs = FileSystem(type: "tmpfs", parameters: parameters)
            let promise = SlotPromise(target: "/", attributes: .closed, isSealed: !isWritable)
            fileSystems.append(Plan.Step(.tree(.fill(slot: slot, .fileSystem(tmpfs), promise)), origin))
            if case .system = filesystem.root.value { placeSystem(origin) }
        case .host:
            openRoot(slot, "/", filesystem.writable.value ? .closed : .readOnly | .closed, origin)
        case .image: openRootImage(slot)
        case .directory(let path):
            openRoot(slot, path, filesystem.writable.value ? .closed : .readOnly | .closed, origin)
        }
        return slot
    }

    private mutating func openRoot(_ slot: Int, _ path: String, _ attributes: MountAttributes, _ origin: Position?) {
        let source = TreeSource(
            path: path, recursive: true, optional: false, isWritten: path != "/",
            demands: attributes.hasAll(of: .readOnly) ? MountAttributes() : .readOnly)
        let promise = SlotPromise(target: "/", attributes: attributes)
        sources.append(Plan.Step(.tree(.fill(slot: slot, .tree(source), promise)), origin))
    }

    /// /usr, /etc and the links or directories beside them, as on the host: a merged /usr stays merged.
    private mutating func placeSystem(_ origin: Position?) {
        let attributes: MountAttributes = .readOnly | .closed
        let replaced = spec.filesystem.mounts.filter { !$0.isHidden }.map(\.target)
        for entry in host.rootEntries {
            let target = "/" + entry.name
            if replaced.contains(target) { continue }
            if let link = entry.link {
                place(Placement(target: target, origin: origin, placing: .tree(.makeSymlink(target: target, to: link))))
            } else {
                placeTree(target, on: target, attributes, at: origin)
            }
        }
    }

    mutating func placeProc(unless written: [String]) {
        guard !written.contains("/proc") else { return }
        guard spec.filesystem.proc.value else { return coverOfHost("/proc", at: spec.filesystem.proc.position) }
        mountProc(on: "/proc", at: spec.filesystem.proc.position)
        hasOwnProc =
            !sharesProcesses
            && !spec.filesystem.mounts.contains { $0.isHidden && $0.target.utf8.starts(with: "/proc".utf8) }
    }

    /// None means none: what a tree of the host's brings there, a procfs of the host's processes say, is covered.
    private mutating func coverOfHost(_ target: String, at origin: Position?) {
        switch spec.filesystem.root.value {
        case .system, .empty: return
        case .host, .directory, .image:
            guard spec.filesystem.mounts.contains(where: { $0.target.utf8.starts(with: "\(target)/".utf8) }) else {
                return place(Placement(target: target, origin: origin, placing: .tree(.mask(target: target))))
            }
            // What the spec mounts below it stands on an empty directory.
            placeFileSystem(
                "tmpfs", [.init("mode", "0555"), .init("size", "1M")], on: target, .closed,
                sealed: true, at: origin)
        }
    }

    mutating func mountProc(on target: String, _ more: MountAttributes = [], at origin: Position?) {
        var parameters: [FileSystemOption] = []
        if sharesProcesses {
            // proc(5): other users' processes are not even listed.
            parameters.append(.init("hidepid", "invisible"))
            if !host.isPrivileged {
                faults.append(
                    Diagnostic(
                        "only root can mount the proc of a shared pid namespace",
                        at: origin ?? spec.namespaces[.pid].position,
                        hint: "\(Remedy.noProc), or \(Remedy.own(.pid))"))
            }
        }
        let attributes = more | .closed | .noExecute
        placeFileSystem("proc", parameters, on: target, attributes, at: origin)
        let holdsHostRoot = identity.reachesHostRoot || !hasOwnUsers
        if holdsHostRoot || !spec.namespaces.nested.value {
            cover(["acpi", "asound", "interrupts", "scsi"], of: target, at: origin)
        }
        guard holdsHostRoot else { return }
        // Files of procfs that change or show the whole host belong to the host's uid 0: where the jail can be that
        // user, permissions do not keep it out.
        for name in ["bus", "fs", "irq", "sys", "sysrq-trigger"] {
            place(
                Placement(
                    target: "\(target)/\(name)", origin: origin, placing: .tree(.protect(target: "\(target)/\(name)"))))
        }
        cover(["kcore", "keys", "kmsg", "timer_list", "sched_debug", "latency_stats"], of: target, at: origin)
    }

    /// Covers what everybody may read of the host's hardware and of what its users do, as container engines do, and what only
    /// root may; not where the spec puts something there itself.
    ///
    /// A proc or sysfs that is covered in part is no ground for another one in a user namespace (mount_too_revealing of
    /// fs/namespace.c): a jail in which jails are to nest goes without.
    private mutating func cover(_ names: [String], of directory: String, at origin: Position?) {
        for name in names {
            let target = "\(directory)/\(name)"
            if spec.filesystem.mounts.contains(where: { $0.target == target }) { continue }
            place(Placement(target: target, origin: origin, placing: .tree(.mask(target: target))))
        }
    }

    /// A /dev of the jail's own: the nodes that every program may expect, a devpts instance and shared memory.
    mutating func placeDevices(unless written: [String]) {
        let origin = spec.filesystem.devices.position
        switch spec.filesystem.devices.value {
        case .none: if !written.contains("/dev") { coverOfHost("/dev", at: origin) }
        case .host:
            guard !written.contains("/dev") else { return }
            // A node of a read-only mount can be written to, and not changed: chmod(2) as the host's root would be the host's.
            placeTree("/dev", on: "/dev", .readOnly | .noSetuid | .noExecute, at: origin)
            for path in host.deviceStores where !written.contains(path) {
                placeTree(path, on: path, .closed | .noExecute, at: origin)
            }
        case .minimal:
            guard !written.contains("/dev") else { return }
            placeFileSystem(
                "tmpfs", [.init("mode", "0755"), .init("size", "1M")], on: "/dev",
                .noSetuid | .noExecute, sealed: !spec.process.boot.value, at: origin)
            let (nodes, links) = (DeviceNode.each, DeviceLink.each)
            for index in nodes.indices {
                let node = nodes[index]
                let target = node.path
                if written.contains(target) { continue }
                let (major, minor) = node.numbers
                place(
                    .device(name: node.name, major: major, minor: minor), on: target,
                    .readOnly | .noSetuid | .noExecute,
                    isDirectory: false, at: origin)
            }
            for index in links.indices {
                let link = links[index]
                let target = link.path
                if written.contains(target) { continue }
                place(
                    Placement(
                        target: target, origin: origin, placing: .tree(.makeSymlink(target: target, to: link.content))))
            }
            if !written.contains("/dev/pts") { mountDevpts(on: "/dev/pts", at: origin) }
            placePrivate(spec.filesystem.shm, on: "/dev/shm", unless: written)
        }
    }

    mutating func mountDevpts(on target: String, _ more: MountAttributes = [], at origin: Position?) {
        // Every mount of devpts is an instance of its own (Documentation/filesystems/devpts.rst).
        placeFileSystem(
            "devpts", [.init("ptmxmode", "0666"), .init("mode", "0620")], on: target,
            more | .noSetuid | .noExecute, at: origin)
    }

    mutating func placeTmp(unless written: [String]) {
        placePrivate(spec.filesystem.tmp, on: "/tmp", unless: written)
        // What outlives a boot elsewhere is as private, and gone as soon: one place to fill is enough.
        guard !spec.filesystem.tmp.value.isNone, case .system = spec.filesystem.root.value else { return }
        let isTaken = spec.filesystem.mounts.contains {
            isWithin("/var/tmp", $0.target) || isWithin($0.target, "/var/tmp")
        }
        if isTaken { return }
        place(
            Placement(
                target: "/var/tmp", origin: spec.filesystem.tmp.position,
                placing: .tree(.makeSymlink(target: "/var/tmp", to: "../tmp"))))
    }

    /// A tmpfs that belongs to the command's user, as the home that passwd(5) gives it.
    mutating func placeHome() {
        let room = spec.filesystem.home
        if let fault = spec.filesystem.unused(room, "home", on: home.path) { faults.append(fault) }
        guard home.isPrivate, let limits = limits(of: room.value) else { return }
        placeFileSystem(
            "tmpfs", [.init("mode", "0755")] + limits, on: home.path, .closed,
            at: room.position)
    }

    /// Of a root that can be written to: as much as /tmp, or as that would have by default.
    private func limits(ofRoot tmp: Filesystem.Room) -> [FileSystemOption] {
        limits(of: tmp) ?? [FileSystemOption("size", quarter)]
    }

    /// A tmpfs for everybody in the jail.
    private mutating func placePrivate(
        _ room: Located<Filesystem.Room>, on target: String, unless written: [String]
    ) {
        guard let limits = limits(of: room.value), !written.contains(target) else { return }
        placeFileSystem(
            "tmpfs", [.init("mode", "1777")] + limits, on: target,
            .closed, at: room.position)
    }

    /// What limits it, as tmpfs(5) takes it; nil where there is none. The kernel's own limit of files fits a quarter of the memory.
    private func limits(of room: Filesystem.Room) -> [FileSystemOption]? {
        switch room {
        case .none: return nil
        case .bytes(let bytes):
            return [
                FileSystemOption("size", sizeText(bytes)),
                FileSystemOption("nr_inodes", String(decimal: Self.files(inRoomOf: bytes))),
            ]
        case .quarter: return [FileSystemOption("size", quarter)]
        }
    }

    /// How many files a tmpfs of a written size may hold where nothing is said of them: one for each page, as in the kernel's own
    /// defaults, and some where there are few. Extended attributes are no part of the size, tmpfs(5), and since 6.6 anybody may set those of
    /// `user.`; but each KiB of them counts as a file.
    static func files(inRoomOf bytes: UInt64) -> UInt64 { max(1024, bytes / 4096) }

    private var quarter: String {
        let quarter = max(1 << 20, (host.memory / 4) & ~0xF_FFFF)
        // What the tmpfs holds counts to that limit: it would be the command that is killed.
        guard let limit = spec.limits?.value.memory else { return sizeText(quarter) }
        return sizeText(min(quarter, max(4096, limit.value)))
    }

    /// In the largest unit that leaves a whole number.
    private func sizeText(_ bytes: UInt64) -> String {
        let zeros = bytes.trailingZeroBitCount
        if bytes == 0 { return "0" }
        if zeros >= 30 { return String(decimal: bytes >> 30) + "G" }
        if zeros >= 20 { return String(decimal: bytes >> 20) + "M" }
        if zeros >= 10 { return String(decimal: bytes >> 10) + "K" }
        return String(decimal: bytes)
    }

    /// Runtimes take the memory and processors of the machine for theirs where they do not see their limits: the group is
    /// where they look.
    mutating func placeGroup() {
        guard showsLimits, let origin = spec.limits.map(\.position) else { return }
        let place = "/sys/fs/cgroup"
        let isTaken = spec.filesystem.mounts.contains { isWithin(place, $0.target) || isWithin($0.target, place) }
        // No directory is to stay in a tree of the host's.
        if isTaken || (!rootIsPrivate && spec.filesystem.writable.value && spec.filesystem.root.value != .host) {
            return
        }
        placeFileSystem("cgroup2", on: place, .readOnly | .closed | .noExecute, at: origin)
    }

    /// The host's sysfs shows the host's network: a jail with a network of its own gets an instance that shows that.
    mutating func placeSysfs(unless written: [String]) {
        guard case .host = spec.filesystem.root.value, !written.contains("/sys") else { return }
        if hasOwnNetwork { return mountSysfs(on: "/sys", at: spec.filesystem.root.position) }
        // Settings of the host and groups of processes are no files to be written to, nor a place to keep files in.
        let overlay = spec.filesystem.rootOverlay
        if spec.filesystem.writable.value || overlay != nil {
            placeTree(
                "/sys", on: "/sys", .readOnly | .closed | .noExecute, optional: overlay != nil,
                at: overlay?.position ?? spec.filesystem.writable.position)
        }
    }

    mutating func mountSysfs(on target: String, _ more: MountAttributes = [], at origin: Position?) {
        let attributes = more | .readOnly | .closed | .noExecute
        placeFileSystem("sysfs", on: target, attributes, at: origin)
        guard identity.reachesHostRoot || !hasOwnUsers || !spec.namespaces.nested.value else { return }
        cover(["firmware", "devices/virtual/powercap"], of: target, at: origin)
    }
}
