package import LinuxFacts
package import SpecFile

/// One entry of `[[mount]]`, or of its short forms `ro`, `rw` and `hide`.
package struct Mount: Equatable, Sendable {
    /// What is put at the target, with what belongs only to that type.
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
        /// A file with what a descriptor of the caller's holds.
        case passedFile(descriptor: Int32, mode: UInt32)
        case symlink(to: String)
        /// nil: 0755 where it is made, and whatever it has where it stands already.
        case directory(mode: UInt32?)
        /// A file that holds a file system, from that byte on; nil: from its beginning, or where its header says.
        case image(String, offset: UInt64?)
        /// The short form `hide`: whatever is there is made unreachable; what is not there needs no hiding.
        case hidden
    }

    /// How a source that is missing is made.
    package struct Creation: Equatable, Sendable {
        package let isDirectory: Bool
        package let mode: UInt32
    }

    /// Where it stands in the jail: absolute, normalised, without `..`.
    package var target: String
    package var source: Source
    package var options: MountOptions
    /// A missing source is skipped and reported.
    package var optional: Bool
    /// A missing source is made, and stays.
    package var create: Creation?
    /// Whether target and the source of a bind are a pattern: it stands for a mount of each path that it matches.
    package var isPattern = false
    /// A hard limit in bytes on what may be stored below the target.
    package var quota: Located<UInt64>?
    /// The same for the number of files, beside a quota.
    package var inodes: Located<UInt64>?
    package var idmap: Located<Bool>?
    /// A descriptor of the caller's that is the source of a bind; where it leads is put in its place before the launch.
    package var sourceDescriptor: Located<Int32>?
    /// The device node that the source of a bind must be; nil: whatever it is.
    package var device: DeviceClaim?
    /// overlay: whether it is written down what the changes are changes of.
    package var isRecorded = true
    /// The line of the entry (of the `target` key, or of the string in `ro`, `rw`, `hide`).
    package var position: Position?

    /// Whether whatever is there is made unreachable. By a pattern: `==` of an enumeration of another module is looked up at run time.
    package var isHidden: Bool { if case .hidden = source { true } else { false } }

    package init(
        target: String, source: Source, options: MountOptions = MountOptions(), optional: Bool = false,
        quota: Located<UInt64>? = nil, inodes: Located<UInt64>? = nil, idmap: Located<Bool>? = nil,
        position: Position? = nil
    ) {
        self.target = target
        self.source = source
        self.options = options
        self.optional = optional
        self.quota = quota
        self.inodes = inodes
        self.idmap = idmap
        self.position = position
    }
}

/// What the option words of mount(8) say of a mount: a closed set, so that no free-form text reaches the kernel.
package struct MountOptions: Hashable, Sendable {
    /// What the words ask to hold.
    package var asked: MountAttributes
    /// What the words open: `rw`, `suid`, `dev` and `exec` name the attribute that is not to hold.
    package var opened: MountAttributes
    /// False for `bind`: submounts of the source are left out.
    package var isRecursive = true

    package init(_ asked: MountAttributes = [], opening opened: MountAttributes = []) {
        (self.asked, self.opened) = (asked, opened)
    }

    /// What holds on the mount: what was asked for, and what closes every mount of a jail unless a word opens it.
    package var attributes: MountAttributes { asked | MountAttributes.closed.without(opened) }

    /// A word with what it says.
    package struct Word: Sendable {
        package let word: String
        package let asked: MountAttributes
        package let opened: MountAttributes
        package let isRecursive: Bool?

        fileprivate init(
            _ word: String, asks asked: MountAttributes = [], opens opened: MountAttributes = [],
            recursive isRecursive: Bool? = nil
        ) {
            self.word = word
            self.asked = asked
            self.opened = opened
            self.isRecursive = isRecursive
        }
    }

    /// Every word that a spec may use. `relatime` is what the kernel does where neither of its opposites is asked for.
    package static let words = [
        Word("ro", asks: .readOnly), Word("rw", opens: .readOnly), Word("nosuid", asks: .noSetuid),
        Word("suid", opens: .noSetuid), Word("nodev", asks: .noDevices), Word("dev", opens: .noDevices),
        Word("noexec", asks: .noExecute), Word("exec", opens: .noExecute), Word("noatime", asks: .noAccessTime),
        Word("nodiratime", asks: .noDirectoryAccessTime), Word("relatime"),
        Word("strictatime", asks: .strictAccessTime), Word("nosymfollow", asks: .noSymlinkFollow),
        Word("rbind", recursive: true), Word("bind", recursive: false),
    ]

    /// Adds what a word says.
    package mutating func add(_ word: Word) {
        asked = asked | word.asked
        opened = opened | word.opened
        if let recursive = word.isRecursive { isRecursive = recursive }
    }
}
