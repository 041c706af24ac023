/// Attributes of a mount, by the kernel's bits (`MOUNT_ATTR_…` of linux/mount.h, mount_setattr(2)) and by mount(8)'s words:
/// the one vocabulary of the spec, the plan, what is done and what is read back.
package struct MountAttributes: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The default goes through an existential collection, which the launch has no time for.
    package init(arrayLiteral elements: MountAttributes...) { rawValue = elements.reduce(0) { $0 | $1.rawValue } }

    package static let readOnly = MountAttributes(rawValue: 0x1)
    package static let noSetuid = MountAttributes(rawValue: 0x2)
    package static let noDevices = MountAttributes(rawValue: 0x4)
    package static let noExecute = MountAttributes(rawValue: 0x8)
    package static let noAccessTime = MountAttributes(rawValue: 0x10)
    package static let strictAccessTime = MountAttributes(rawValue: 0x20)
    package static let noDirectoryAccessTime = MountAttributes(rawValue: 0x80)
    /// Ids of the files appear as others; set on a mount once, with the user namespace that says which.
    package static let idMapped = MountAttributes(rawValue: 0x10_0000)
    package static let noSymlinkFollow = MountAttributes(rawValue: 0x20_0000)

    /// What every mount of a jail has unless the spec opens it.
    package static let closed: MountAttributes = .noSetuid | .noDevices
    /// What a mount has of which nothing is to be used.
    package static let shut: MountAttributes = .readOnly | .noSetuid | .noDevices | .noExecute

    // Concrete: those of SetAlgebra are looked up at run time by another module, and a list is an array, whose type the
    // runtime would have to make.
    package static func | (one: Self, other: Self) -> Self { Self(rawValue: one.rawValue | other.rawValue) }
    package static func & (one: Self, other: Self) -> Self { Self(rawValue: one.rawValue & other.rawValue) }
    package func without(_ other: Self) -> Self { Self(rawValue: rawValue & ~other.rawValue) }
    /// Whether it has every one of the others.
    package func hasAll(of other: Self) -> Bool { rawValue & other.rawValue == other.rawValue }

    /// Whether it says anything of access times: that policy is a field of its own, which the kernel takes only as a whole
    /// (mount_setattr(2), `MOUNT_ATTR__ATIME`).
    package var touchesAccessTime: Bool { rawValue & (Self.noAccessTime | .strictAccessTime).rawValue != 0 }

    /// The words of mount(8), in their usual order. strictatime stands for the whole field where noatime does not.
    package var words: [String] {
        var result: [String] = []
        for (word, attribute) in Self.named where hasAll(of: attribute) { result.append(word) }
        return result
    }

    private static let named: [(word: String, attribute: MountAttributes)] = [
        ("ro", .readOnly), ("nosuid", .noSetuid), ("nodev", .noDevices), ("noexec", .noExecute),
        ("noatime", .noAccessTime), ("nodiratime", .noDirectoryAccessTime), ("strictatime", .strictAccessTime),
        ("nosymfollow", .noSymlinkFollow), ("idmapped", .idMapped),
    ]
}
