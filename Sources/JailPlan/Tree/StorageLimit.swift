import JailSpec
import LinuxFacts
import SpecFile

/// How much directories of the host may hold together: the limit of a project (quota) of their file system, which stays after the
/// jail, as they do.
package struct StorageLimit: Equatable, Sendable {
    /// nil for no limit, as in `inodes`.
    package let bytes: UInt64?
    package let inodes: UInt64?

    package init(bytes: UInt64?, inodes: UInt64?) { (self.bytes, self.inodes) = (bytes, inodes) }

    /// As the kernel counts bytes, in units of 1024; 0 for no limit.
    package var kibibytes: UInt64 { bytes.map { ($0 - 1) / 1024 + 1 } ?? 0 }

    var arguments: [(String, JSON)] {
        [("quota", JSON(bytes.map { Int(clamping: $0) })), ("quota_inodes", JSON(inodes.map { Int(clamping: $0) }))]
    }

    var words: String {
        "at most "
            + [bytes.map { "\($0) bytes" }, inodes.map { "\($0) files" }].compactMap { $0 }.joined(separator: " and ")
    }
}

extension Mount {
    /// Whether it limits what directories of the host hold.
    var limitsStorage: Bool { !isThrownAway && (quota != nil || inodes != nil) }
}

extension Planner {
    /// Whether the launcher stays to keep the limit of a directory from being changed.
    var holdsStorageLimits: Bool {
        isNew(.mount)
            && (spec.filesystem.rootMount?.limitsStorage == true
                || spec.filesystem.mounts.contains { $0.limitsStorage })
    }
}

extension TreeBuilder {
    /// The limit of what is there already and stays: one that only root can set. nil too where that is refused.
    mutating func storageLimit(of mount: Mount) -> StorageLimit? {
        guard mount.limitsStorage else { return nil }
        let key = mount.quota == nil ? "mount.inodes" : "mount.quota"
        func refuse(_ why: String, hint: String) {
            faults.append(
                Diagnostic("\(key): \(why)", at: mount.quota?.position ?? mount.inodes?.position, hint: hint))
        }
        guard host.isPrivileged, host.isRealRoot else {
            refuse(
                host.isPrivileged
                    ? "only root of the machine may set a limit on what may be stored there, not root of a container"
                    : "only root may set a limit on what may be stored there",
                hint: host.isPrivileged ? Remedy.boundElsewhere : Remedy.limitedRoom)
            return nil
        }
        // ioctl_xfs_fsgetxattr(2): in the initial user namespace the owner of a file takes it out of its project.
        guard identity.maps != nil else {
            refuse(
                "without a user namespace of the jail's own, the owner of a file could take it out of the limit",
                hint: Remedy.own(.user))
            return nil
        }
        if mount.options.asked.hasAll(of: .readOnly) {
            refuse("nothing can be stored there: it is read-only", hint: "leave out the limit, or \"ro\"")
            return nil
        }
        return StorageLimit(bytes: mount.quota?.value, inodes: mount.inodes?.value)
    }
}
