/// Rights over files, by the bits of landlock(7) (`LANDLOCK_ACCESS_FS_…` of linux/landlock.h) and by its names in lower case.
package struct FileAccess: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The default goes through an existential collection, which the launch has no time for.
    package init(arrayLiteral elements: FileAccess...) { rawValue = elements.reduce(0) { $0 | $1.rawValue } }

    package static let execute = FileAccess(rawValue: 1 << 0)
    package static let writeFile = FileAccess(rawValue: 1 << 1)
    package static let readFile = FileAccess(rawValue: 1 << 2)
    package static let readDirectory = FileAccess(rawValue: 1 << 3)
    package static let removeDirectory = FileAccess(rawValue: 1 << 4)
    package static let removeFile = FileAccess(rawValue: 1 << 5)
    package static let makeCharacterDevice = FileAccess(rawValue: 1 << 6)
    package static let makeDirectory = FileAccess(rawValue: 1 << 7)
    package static let makeRegular = FileAccess(rawValue: 1 << 8)
    package static let makeSocket = FileAccess(rawValue: 1 << 9)
    package static let makeFIFO = FileAccess(rawValue: 1 << 10)
    package static let makeBlockDevice = FileAccess(rawValue: 1 << 11)
    package static let makeSymlink = FileAccess(rawValue: 1 << 12)
    package static let refer = FileAccess(rawValue: 1 << 13)
    package static let truncate = FileAccess(rawValue: 1 << 14)
    package static let controlDevice = FileAccess(rawValue: 1 << 15)

    /// What can be granted on a file that is not a directory; landlock_add_rule(2) answers EINVAL for the others.
    package static let ofFiles: FileAccess = [.execute, .writeFile, .readFile, .truncate, .controlDevice]

    // Concrete, as those of MountAttributes are.
    package static func & (one: Self, other: Self) -> Self { Self(rawValue: one.rawValue & other.rawValue) }
    package static func | (one: Self, other: Self) -> Self { Self(rawValue: one.rawValue | other.rawValue) }
    package var isNone: Bool { rawValue == 0 }

    /// In the order of the bits.
    package var names: [String] {
        var result: [String] = []
        for (name, right) in Self.named where rawValue & right.rawValue != 0 { result.append(name) }
        return result
    }

    private static let named: [(name: String, right: FileAccess)] = [
        ("execute", .execute), ("write_file", .writeFile), ("read_file", .readFile), ("read_dir", .readDirectory),
        ("remove_dir", .removeDirectory), ("remove_file", .removeFile), ("make_char", .makeCharacterDevice),
        ("make_dir", .makeDirectory), ("make_reg", .makeRegular), ("make_sock", .makeSocket), ("make_fifo", .makeFIFO),
        ("make_block", .makeBlockDevice), ("make_sym", .makeSymlink), ("refer", .refer), ("truncate", .truncate),
        ("ioctl_dev", .controlDevice),
    ]
}
