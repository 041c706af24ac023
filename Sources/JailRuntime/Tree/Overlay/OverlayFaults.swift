import JailPlan
import JailSpec
import Kernel

/// What overlayfs would get wrong without a word, or refuse without a reason.
extension Applier {
    /// The kernel shows what lies beneath a mount that is below a layer, to root; to others it is EINVAL.
    func refuseSubmounts(below lower: [Int32], of source: OverlaySource) throws(Failure) {
        if source.leavesOutSubmounts && !source.usesUserAttributes { return }
        let mountinfo = try failing(proc().mountinfo)
        for (number, path) in zip(lower, source.lower) {
            guard let below = try firstPoint(below: number, in: mountinfo) else { continue }
            if source.usesUserAttributes {
                throw Failure(
                    telling: "\(below) is mounted below the lower \(path), and only root may look past it",
                    hint: "name directories that hold no mounts")
            }
            throw Failure(
                telling: "\(below) is mounted below the lower \(path) and would be missing",
                hint: "options = [\"bind\"] to go without it, and a [[mount]] of its own to show it")
        }
    }

    /// The mount below an open directory that has the shortest name, in a mountinfo of this process.
    func firstPoint(below directory: Int32, in mountinfo: [UInt8]) throws(Failure) -> String? {
        let path = try failing { () throws(KernelError) in
            try linkTarget(EntryName(procName(directory)), at: currentDirectory)
        }
        let prefix = path == [UInt8(ascii: "/")] ? path : path + [UInt8(ascii: "/")]
        var lines = MountLines(mountinfo)
        var found: [UInt8]?
        // Of the mount point itself the topmost mount is what is open.
        while let line = lines.next() {
            guard lines.goesOn(line, after: prefix) else { continue }
            let point = lines.point(of: line)
            if found.map({ point.count < $0.count }) ?? true { found = point }
        }
        return found.map { String(decoding: $0, as: UTF8.self) }
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
