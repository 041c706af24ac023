package import SpecFile

/// One entry of `[[mount]]`, or of its short forms `ro`, `rw` and `hide`.
package struct Mount: Equatable, Sendable {
    /// What is put at the target, with what belongs to that type alone.
    package enum Source: Equatable, Sendable {
        /// A recursive bind of a host path (absolute, expanded).
        case bind(String)
        /// A private tmpfs; `size` in bytes and `inodes` are the kernel's defaults where nil.
        case tmpfs(size: UInt64?, inodes: UInt64?, mode: UInt32)
        /// `upper` and `work` are both nil or both set; the lowest layer comes last, as overlayfs has it.
        case overlay(lower: [String], upper: String?, work: String?)
        case proc
        case sysfs
        case devpts
        case mqueue
        case cgroup
        case file(content: String, mode: UInt32)
        case symlink(to: String)
        /// nil: 0755 where it is made, and whatever it has where it stands already.
        case directory(mode: UInt32?)
        case image(String)
        /// The short form `hide`: whatever is there is made unreachable; what is not there needs no hiding.
        case hidden
    }

    /// Where it stands in the jail: absolute, normalised, without `..`.
    package var target: String
    package var source: Source
    package var options: MountOptions
    /// A missing source is skipped and reported.
    package var optional: Bool
    /// A hard limit in bytes on what may be stored below the target.
    package var quota: Located<UInt64>?
    package var idmap: Located<Bool>?
    /// The line of the entry (of the `target` key, or of the string in `ro`, `rw`, `hide`).
    package var position: Position?

    package init(
        target: String, source: Source, options: MountOptions = [], optional: Bool = false,
        quota: Located<UInt64>? = nil, idmap: Located<Bool>? = nil, position: Position? = nil
    ) {
        self.target = target
        self.source = source
        self.options = options
        self.optional = optional
        self.quota = quota
        self.idmap = idmap
        self.position = position
    }
}

/// The mount option words of mount(8) that a spec may use: a closed set, so that no free-form text reaches the kernel.
package struct MountOptions: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    /// The default goes through an existential collection, which the launch has no time for.
    package init(arrayLiteral elements: MountOptions...) { rawValue = elements.reduce(0) { $0 | $1.rawValue } }

    package static let readOnly = MountOptions(rawValue: 1 << 0)
    package static let noSetuid = MountOptions(rawValue: 1 << 1)
    package static let noDevices = MountOptions(rawValue: 1 << 2)
    package static let noExecute = MountOptions(rawValue: 1 << 3)
    package static let noAccessTime = MountOptions(rawValue: 1 << 4)
    package static let noDirectoryAccessTime = MountOptions(rawValue: 1 << 5)
    package static let relativeAccessTime = MountOptions(rawValue: 1 << 6)
    package static let strictAccessTime = MountOptions(rawValue: 1 << 7)
    package static let noSymlinkFollow = MountOptions(rawValue: 1 << 8)
    /// `suid`: on a bind, keeps what the source allows; immure adds `nosuid` unless this is written.
    package static let setuid = MountOptions(rawValue: 1 << 9)
    /// `dev`: as `suid`, for device nodes.
    package static let devices = MountOptions(rawValue: 1 << 10)
    /// `bind` instead of `rbind`: submounts of the source are left out.
    package static let notRecursive = MountOptions(rawValue: 1 << 11)

    /// `rw`: the default of every type but cgroup.
    package static let writable = MountOptions(rawValue: 1 << 12)

    /// Every word with what it sets; words that state a default (`exec`, `rbind`) set nothing.
    package static let words: [(word: String, option: MountOptions)] = [
        ("ro", .readOnly), ("rw", .writable), ("nosuid", .noSetuid), ("suid", .setuid), ("nodev", .noDevices),
        ("dev", .devices), ("noexec", .noExecute), ("exec", []), ("noatime", .noAccessTime),
        ("nodiratime", .noDirectoryAccessTime), ("relatime", .relativeAccessTime),
        ("strictatime", .strictAccessTime), ("nosymfollow", .noSymlinkFollow), ("rbind", []), ("bind", .notRecursive),
    ]
}
