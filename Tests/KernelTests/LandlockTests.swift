import CLinux
import LinuxFacts
import Testing

@testable import Kernel

/// What can be asked of the running kernel without restricting the process that runs the tests.
@Suite struct LandlockTests {
    /// A ruleset takes every right that its version has, and refuses the next.
    @Test(.enabled(if: landlockABI() != nil)) func theKernelKnowsTheseRights() throws {
        let version = try #require(landlockABI())
        let rights = FileAccess.known(toABI: version)
        _ = try makeRuleset(
            files: rights.rawValue, network: LandlockABI.ports.isIn(version) ? 3 : 0,
            scopes: LandlockABI.scopes.isIn(version) ? 3 : 0)
        #expect(throws: KernelError.self) { _ = try makeRuleset(files: 1 << 40, network: 0, scopes: 0) }
        #expect(throws: KernelError.self) { _ = try makeRuleset(files: 0, network: 0, scopes: 0) }
        for later in LandlockABI.allCases where !later.isIn(version) && !later.facts.files.isNone {
            #expect(throws: KernelError.self) {
                _ = try makeRuleset(files: later.facts.files.rawValue, network: 0, scopes: 0)
            }
        }
    }

    @Test(.enabled(if: landlockABI() != nil)) func aFileTakesNoRightOfDirectories() throws {
        let version = try #require(landlockABI())
        let ruleset = try makeRuleset(files: FileAccess.known(toABI: version).rawValue, network: 0, scopes: 0)
        let file = try open("/etc/passwd", [.path])
        let directory = try open("/etc", [.path])
        for bit in UInt64(0)..<16 {
            let right = FileAccess(rawValue: 1 << bit) & .known(toABI: version)
            if right.isNone { continue }
            try allow(right.rawValue, beneath: directory.number, in: ruleset.number)
            if FileAccess.ofFiles.contains(right) {
                try allow(right.rawValue, beneath: file.number, in: ruleset.number)
            } else {
                #expect(throws: KernelError.self) {
                    try allow(right.rawValue, beneath: file.number, in: ruleset.number)
                }
            }
        }
    }

    /// The bits are those of the header, as far as Debian 12's goes, and each has one name: that of landlock(7).
    @Test func bits() {
        let header: [(FileAccess, UInt64, String)] = [
            (.execute, LANDLOCK_ACCESS_FS_EXECUTE, "execute"),
            (.writeFile, LANDLOCK_ACCESS_FS_WRITE_FILE, "write_file"),
            (.readFile, LANDLOCK_ACCESS_FS_READ_FILE, "read_file"),
            (.readDirectory, LANDLOCK_ACCESS_FS_READ_DIR, "read_dir"),
            (.removeDirectory, LANDLOCK_ACCESS_FS_REMOVE_DIR, "remove_dir"),
            (.removeFile, LANDLOCK_ACCESS_FS_REMOVE_FILE, "remove_file"),
            (.makeCharacterDevice, LANDLOCK_ACCESS_FS_MAKE_CHAR, "make_char"),
            (.makeDirectory, LANDLOCK_ACCESS_FS_MAKE_DIR, "make_dir"),
            (.makeRegular, LANDLOCK_ACCESS_FS_MAKE_REG, "make_reg"),
            (.makeSocket, LANDLOCK_ACCESS_FS_MAKE_SOCK, "make_sock"),
            (.makeFIFO, LANDLOCK_ACCESS_FS_MAKE_FIFO, "make_fifo"),
            (.makeBlockDevice, LANDLOCK_ACCESS_FS_MAKE_BLOCK, "make_block"),
            (.makeSymlink, LANDLOCK_ACCESS_FS_MAKE_SYM, "make_sym"), (.refer, LANDLOCK_ACCESS_FS_REFER, "refer"),
            (.truncate, 1 << 14, "truncate"), (.controlDevice, 1 << 15, "ioctl_dev"),
        ]
        for (right, bit, name) in header {
            #expect(right.rawValue == bit && right.names == [name])
        }
        #expect(header.count == FileAccess.all.names.count)
        #expect(header.reduce(0) { $0 | $1.0.rawValue } == FileAccess.all.rawValue)
    }

    /// As landlock(7) has it under VERSIONS, and Documentation/userspace-api/landlock.rst.
    @Test func versions() {
        let manual = [
            (1, "5.13", 13), (2, "5.19", 14), (3, "6.2", 15), (4, "6.7", 15), (5, "6.10", 16), (6, "6.12", 16),
            (7, "6.15", 16),
        ]
        #expect(manual.count == LandlockABI.allCases.count)
        for (abi, (number, kernel, rights)) in zip(LandlockABI.allCases, manual) {
            #expect(abi.rawValue == number && abi.facts.kernel == kernel)
            #expect(FileAccess.known(toABI: number).rawValue == (1 << UInt64(rights)) - 1)
        }
        #expect(FileAccess.known(toABI: 0).isNone && FileAccess.known(toABI: 99) == .all)
    }
}
