import JailPlan
import JailSpec
import Kernel

/// What overlayfs would get wrong without a word, or refuse without a reason.
extension Applier {
    /// The kernel shows what lies beneath a mount that is below a layer, to root; to others it is EINVAL.
    func refuseSubmounts(below lower: [Int32], of source: OverlaySource) throws(Failure) {
        if source.leavesOutSubmounts && !source.usesUserAttributes { return }
        let points = try mountPoints()
        for (number, path) in zip(lower, source.lower) {
            guard let below = try firstPoint(below: number, in: points) else { continue }
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

    /// Where mounts stand, as this process sees them, in the bytes of their names.
    func mountPoints() throws(Failure) -> [[UInt8]] {
        JailRuntime.mountPoints(in: try failing(proc().mountinfo))
    }

    func firstPoint(below directory: Int32, in points: [[UInt8]]) throws(Failure) -> String? {
        let path = try failing { () throws(KernelError) in
            try linkTarget(EntryName(procName(directory)), at: currentDirectory)
        }
        let prefix = path == [UInt8(ascii: "/")] ? path : path + [UInt8(ascii: "/")]
        // Of the mount point itself the topmost mount is what is open.
        let found = points.filter { $0.count > prefix.count && $0.starts(with: prefix) }.min { $0.count < $1.count }
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
            return Failure(
                telling: "two of the layers are the same directory, or one is inside another that it must not be in",
                hint: "keep lower, upper and work apart; only upper and work may be inside a lower")
        }
        return Failure(error)
    }
}

/// Where the mounts of a mountinfo stand, in the bytes of their names.
func mountPoints(in text: [UInt8]) -> [[UInt8]] {
    var points: [[UInt8]] = []
    for line in text.split(separator: UInt8(ascii: "\n")) {
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
        if words.count > 5 { points.append(plain(words[4])) }
    }
    return points
}

/// proc_pid_mountinfo(5): space, tab, line break and backslash stand there as three octal digits.
private func plain(_ word: ArraySlice<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    var rest = word
    while let byte = rest.popFirst() {
        let digits = rest.prefix(3)
        let isEscape =
            byte == UInt8(ascii: "\\") && digits.count == 3
            && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
        guard isEscape else {
            result.append(byte)
            continue
        }
        result.append(digits.reduce(0) { $0 &* 8 &+ ($1 &- UInt8(ascii: "0")) })
        rest = rest.dropFirst(3)
    }
    return result
}
