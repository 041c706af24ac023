import JailPlan
import JailSpec
import Kernel

/// What overlayfs would get wrong without a word, or refuse without a reason.
extension Applier {
    /// The kernel shows what lies beneath a mount that is below a layer, to root; to others it is EINVAL.
    func refuseSubmounts(below lower: [Int32], of source: OverlaySource) throws(Failure) {
        if source.leavesOutSubmounts && !source.usesUserAttributes { return }
        for (number, path) in zip(lower, source.lower) {
            guard let below = try firstPoint(below: number) else { continue }
            throw Self.isCovered(below, path, source)
        }
    }

    static func isCovered(_ below: String, _ path: String, _ source: OverlaySource) -> Failure {
        if source.usesUserAttributes {
            return Failure(
                telling: "\(below) is mounted below the lower \(path), and only root may look past it",
                hint: "name directories that hold no mounts")
        }
        return Failure(
            telling: "\(below) is mounted below the lower \(path) and would be missing",
            hint: "options = [\"bind\"] to go without it, and a [[mount]] of its own to show it")
    }

    /// Whether the kernel itself refuses a mount below a layer. In the jail's user namespace each that was there before is locked
    /// (fs/namespace.c, lock_mnt_tree), but for those that a server's file system makes by itself, and below a locked one no layer is
    /// looked into (clone_private_mount).
    func refusesSubmountsItself(_ lower: [Int32], _ source: OverlaySource, _ plan: Plan) throws(Failure) -> Bool {
        guard source.usesUserAttributes, source.isThrownAway, source.fileIDs == nil, plan.makes(.user),
            plan.creation.map({ step > $0 }) == true
        else { return false }
        for number in lower {
            let magic = try failing { () throws(KernelError) in try fileSystemMagic(of: number) }
            if !FileSystemMagic.local.contains(magic) { return false }
        }
        return true
    }

    /// The mount below an open directory that has the shortest name.
    func firstPoint(below directory: Int32) throws(Failure) -> String? {
        let path = try failing { () throws(KernelError) in
            try linkTarget(EntryName(procName(directory)), at: currentDirectory)
        }
        let prefix = Self.prefix(path)
        var found: [UInt8]?
        // Of the mount point itself the topmost mount is what is open. All the texts of mountinfo take the kernel half as long again.
        let isTold = visitMountPoints(onMountOf: directory) { point in
            guard point.count > prefix.count, point.starts(with: prefix) else { return }
            if found.map({ point.count < $0.count }) ?? true { found = point }
        }
        guard isTold else { return try firstPoint(below: path, by: proc().mountinfo) }
        return found.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The same of a path without links, in a mountinfo of this process.
    func firstPoint(below path: [UInt8], by mountinfo: () throws(KernelError) -> [UInt8]) throws(Failure) -> String? {
        let prefix = Self.prefix(path)
        var lines = MountLines(try failing(mountinfo))
        var found: [UInt8]?
        while let line = lines.next() {
            guard lines.goesOn(line, after: prefix) else { continue }
            let point = lines.point(of: line)
            if found.map({ point.count < $0.count }) ?? true { found = point }
        }
        return found.map { String(decoding: $0, as: UTF8.self) }
    }

    private static func prefix(_ path: [UInt8]) -> [UInt8] {
        path == [UInt8(ascii: "/")] ? path : path + [UInt8(ascii: "/")]
    }

    private func procName(_ descriptor: Int32) -> [UInt8] { Array("/proc/self/fd/\(descriptor)".utf8) }

    /// Without such attributes there is no opaque directory: a removed directory that is made again would be EIO.
    func requireAttributes(_ upper: Int32, _ source: OverlaySource) throws(Failure) {
        let name = source.attributePrefix + "immure"
        do throws(KernelError) {
            try setExtendedAttribute(name, [], of: upper)
            try removeExtendedAttribute(name, of: upper)
        } catch {
            guard error.errno == .notSupported else { throw Failure(error) }
            throw Failure(
                telling: source.isThrownAway
                    ? "this kernel's tmpfs keeps no user attributes: rm -r of a directory would fail with EIO"
                    : "the file system of upper keeps no attributes of that kind",
                hint: source.isThrownAway
                    ? Remedy.attributesOfTmpfs : "upper and work on ext4, xfs, btrfs or tmpfs")
        }
    }

    /// Why the kernel refuses an overlay, which it says to its log alone.
    func diagnosis(_ error: KernelError, _ layers: OverlayLayers, _ source: OverlaySource) throws(Failure) -> Failure {
        guard error.errno == .invalid || error.errno == .loop else { return Failure(error) }
        for (number, path) in zip(layers.lower, source.lower) {
            if error.errno == .invalid,
                try failing({ () throws(KernelError) in try fileSystemMagic(of: number) }) == FileSystemMagic.overlay
            {
                return Failure(
                    telling: "\(path) is on an overlay over another one already, and the kernel takes no third",
                    hint: "name the directories that those overlays are made of")
            }
        }
        if error.errno == .loop {
            return nested("two of the layers are the same directory, or one is inside another that it must not be in")
        }
        return Failure(error)
    }

    func nested(_ reason: String) -> Failure {
        Failure(telling: reason, hint: "keep lower, upper and work apart; only upper and work may be inside a lower")
    }
}
