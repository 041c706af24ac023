import CLinux
package import LinuxFacts

/// A mount as the kernel has it.
package struct MountRecord: Equatable, Sendable {
    package let identity: UInt64
    package let parent: UInt64
    package let attributes: MountAttributes
    /// Whether mounts come and go with those of another tree.
    package let propagates: Bool
}

/// The mounts that the caller can reach from its root.
///
/// Asked for by listmount(2) and statmount(2), one call for each mount; before Linux 6.8, and where those are refused, read
/// from mountinfo.
package struct MountTable: Sendable {
    /// Four words for each mount, in the order of their identities: identity, parent, attributes, whether it propagates. A
    /// list of records would be a type of its own, which the runtime makes anew in every launch.
    private var words: [UInt64] = []
    /// Whether the identities are those that are never used twice.
    package let hasUniqueIdentities: Bool

    package var count: Int { words.count / 4 }
    package var indices: Range<Int> { 0..<count }

    package subscript(index: Int) -> MountRecord {
        MountRecord(
            identity: words[4 * index], parent: words[4 * index + 1],
            attributes: MountAttributes(rawValue: words[4 * index + 2]), propagates: words[4 * index + 3] != 0)
    }

    private mutating func append(_ record: MountRecord) {
        words.append(record.identity)
        words.append(record.parent)
        words.append(record.attributes.rawValue)
        words.append(record.propagates ? 1 : 0)
    }

    /// `mountinfo` reads /proc/self/mountinfo where it is needed.
    package init(mountinfo: () throws(KernelError) -> [UInt8]) throws(KernelError) {
        if let table = MountTable.listed() { self = table } else { self.init(parsing: try mountinfo()) }
    }

    private init(hasUniqueIdentities: Bool) { self.hasUniqueIdentities = hasUniqueIdentities }

    /// The mount of that identity; nil where the caller cannot reach it.
    package func index(of identity: UInt64) -> Int? {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if words[4 * middle] < identity { low = middle + 1 } else { high = middle }
        }
        return low < count && words[4 * low] == identity ? low : nil
    }

    /// The identity of the mount that a path, or with none an open file, is on. The corresponding C function is `statx`.
    package func identity(of path: String = "", at directory: Int32 = currentDirectory) throws(KernelError) -> UInt64 {
        try mountIdentity(path, directory, isUnique: hasUniqueIdentities)
    }

    /// Whether every mount that can be reached is of a file system that is walked without asking a server; false where that
    /// cannot be told.
    static func hasNoServers() -> Bool {
        visit { mount in FileSystemMagic.walkedAlone.contains(Int(mount.magic)) }
    }

    private static func listed() -> MountTable? {
        var table = MountTable(hasUniqueIdentities: true)
        let isWhole = visit { mount in
            table.append(MountRecord(mount))
            return true
        }
        return isWhole ? table : nil
    }

    /// Shows each mount that can be reached, or each that is below another, in the order of their identities, as long as the answer
    /// is true; false where it was not, or the kernel does not tell.
    fileprivate static func visit(below top: UInt64 = .max, _ body: (linux_mount) -> Bool) -> Bool {
        let batch = 256
        var last: UInt64 = 0
        while true {
            var isAnswered = true
            let identities = unsafe [UInt64](unsafeUninitializedCapacity: batch) { buffer, count in
                let found = unsafe linux_listmount(top, last, buffer.baseAddress, batch)
                isAnswered = found >= 0
                count = min(batch, max(0, found))
            }
            guard isAnswered else { return false }
            for identity in identities {
                var mount = linux_mount()
                guard unsafe linux_statmount(identity, &mount) == 0, body(mount) else { return false }
            }
            guard identities.count == batch else { return true }
            last = identities[batch - 1]
        }
    }

    fileprivate static func record(of identity: UInt64) -> MountRecord? {
        var mount = linux_mount()
        return unsafe linux_statmount(identity, &mount) == 0 ? MountRecord(mount) : nil
    }
}

extension MountRecord {
    fileprivate init(_ mount: linux_mount) {
        self.init(
            identity: mount.identity, parent: mount.parent, attributes: MountAttributes(rawValue: mount.attributes),
            propagates: mount.propagation & UInt64(MS_SHARED | MS_SLAVE) != 0)
    }
}

/// The identity of the mount that a path, or with none an open file, is on: the one that is never used twice, or that of
/// mountinfo. The corresponding C function is `statx`.
func mountIdentity(_ path: String, _ directory: Int32, isUnique: Bool) throws(KernelError) -> UInt64 {
    var identity: UInt64 = 0
    try attempt(.fstat, path) {
        unsafe path.withKernelText { unsafe linux_mount_identity(directory, $0, isUnique ? 1 : 0, &identity) }
    }
    return identity
}

/// The number, as mountinfo has it, of the mount that an open file is on. The corresponding C function is `statx`.
package func mountIdentity(of descriptor: Int32) throws(KernelError) -> UInt64 {
    try mountIdentity("", descriptor, isUnique: false)
}

/// The number, as mountinfo has it, of the mount that an entry is on, which is not followed, or with no name an open file; nil where the
/// kernel does not say (before Linux 5.8). The corresponding C function is `statx`.
package func mountNumber(of name: EntryName = "", at directory: Int32) throws(KernelError) -> UInt64? {
    var identity: UInt64 = 0
    let isUnknown = try attempt(.fstat, name.text) {
        unsafe name.withCString { unsafe linux_mount_of_entry(directory, $0, &identity) }
    }
    return isUnknown == 0 ? identity : nil
}

/// The options of the file system of an open file, as mountinfo has them; nil where the kernel does not tell them by itself
/// (before Linux 6.11), or the mount is out of reach. The corresponding calls are `statx` and `statmount`.
package func mountOptions(of descriptor: Int32) -> [UInt8]? {
    do throws(KernelError) {
        let identity = try mountIdentity("", descriptor, isUnique: true)
        return text(of: identity, UInt64(linux_mount_options))
    } catch {
        return nil
    }
}

/// Shows where other mounts stand on the one that an open file is on, each by the name that it has from the caller's root; false
/// where the kernel does not tell (before Linux 6.8). The corresponding calls are `statx`, `listmount` and `statmount`.
package func visitMountPoints(onMountOf descriptor: Int32, _ body: ([UInt8]) -> Void) -> Bool {
    do throws(KernelError) {
        let own = try mountIdentity("", descriptor, isUnique: true)
        return MountTable.visit(below: own) { mount in
            guard mount.parent == own else { return true }
            guard let point = text(of: mount.identity, UInt64(linux_mount_point)) else { return false }
            body(point)
            return true
        }
    } catch {
        return false
    }
}

/// A text that the kernel has for a mount; nil where it gives none.
private func text(of identity: UInt64, _ wanted: UInt64) -> [UInt8]? {
    let room = 4096
    let text = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
        let length = unsafe buffer.withMemoryRebound(to: CChar.self) {
            unsafe linux_mount_text(identity, wanted, $0.baseAddress, room)
        }
        count = max(0, length)
    }
    return text.isEmpty ? nil : text
}

/// The magic number of the file system that a path, or with none an open file, is on, without a word to its server; nil where the
/// kernel has no statmount(2). The corresponding calls are `statx` and `statmount`.
func magicOfMount(of path: String = "", at directory: Int32 = currentDirectory) -> Int? {
    do throws(KernelError) {
        var mount = linux_mount()
        let identity = try mountIdentity(path, directory, isUnique: true)
        return unsafe linux_statmount(identity, &mount) == 0 ? Int(mount.magic) : nil
    } catch {
        return nil
    }
}

/// The mount that a path is on, asked for by itself; nil where the kernel has no statmount(2), or no identity that is never
/// used twice (Linux 6.8).
package func mountRecord(of path: String) -> MountRecord? {
    do throws(KernelError) {
        return MountTable.record(of: try mountIdentity(path, currentDirectory, isUnique: true))
    } catch {
        return nil
    }
}

extension MountTable {
    /// The lines of a mountinfo, proc_pid_mountinfo(5). A line that is none is no mount.
    package init(parsing mountinfo: [UInt8]) {
        self.init(hasUniqueIdentities: false)
        var records: [MountRecord] = []
        for line in mountinfo.split(separator: UInt8(ascii: "\n")) {
            if let record = MountRecord(mountinfoLine: line) { records.append(record) }
        }
        for record in records.sorted(by: { $0.identity < $1.identity }) { append(record) }
    }
}

extension MountRecord {
    /// A line of mountinfo: identity, parent, device, root, mount point, options, then tags up to a dash.
    fileprivate init?(mountinfoLine line: ArraySlice<UInt8>) {
        let words = line.split(separator: UInt8(ascii: " "))
        guard words.count > 6, let identity = decimal(String(decoding: words[0], as: UTF8.self)),
            let parent = decimal(String(decoding: words[1], as: UTF8.self))
        else { return nil }
        var attributes = UInt64(MOUNT_ATTR_STRICTATIME)
        for word in words[5].split(separator: UInt8(ascii: ",")) {
            switch String(decoding: word, as: UTF8.self) {
            case "ro": attributes |= UInt64(MOUNT_ATTR_RDONLY)
            case "nosuid": attributes |= UInt64(MOUNT_ATTR_NOSUID)
            case "nodev": attributes |= UInt64(MOUNT_ATTR_NODEV)
            case "noexec": attributes |= UInt64(MOUNT_ATTR_NOEXEC)
            case "noatime": attributes = attributes & ~UInt64(MOUNT_ATTR__ATIME) | UInt64(MOUNT_ATTR_NOATIME)
            case "relatime": attributes &= ~UInt64(MOUNT_ATTR__ATIME)
            case "nodiratime": attributes |= UInt64(MOUNT_ATTR_NODIRATIME)
            case "nosymfollow": attributes |= UInt64(MOUNT_ATTR_NOSYMFOLLOW)
            case "idmapped": attributes |= UInt64(MOUNT_ATTR_IDMAP)
            default: break
            }
        }
        var propagates = false
        for word in words[6...] {
            if word.elementsEqual("-".utf8) { break }
            if word.starts(with: "shared:".utf8) || word.starts(with: "master:".utf8) { propagates = true }
        }
        self.init(
            identity: UInt64(identity), parent: UInt64(parent), attributes: MountAttributes(rawValue: attributes),
            propagates: propagates)
    }
}
