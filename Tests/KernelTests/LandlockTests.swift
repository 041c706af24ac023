import CLinux
import Testing

@testable import Kernel

/// What can be asked of the running kernel without restricting the process that runs the tests.
@Suite struct LandlockTests {
    /// A ruleset takes every right that its version has, and refuses the next.
    @Test(.enabled(if: landlockABI() != nil)) func theKernelKnowsTheseRights() throws {
        let abi = try #require(landlockABI())
        let bits = abi >= 5 ? 16 : abi >= 3 ? 15 : abi == 2 ? 14 : 13
        _ = try makeRuleset(
            files: (1 << bits) - 1, network: abi >= 4 ? 3 : 0, scopes: abi >= 6 ? 3 : 0)
        #expect(throws: KernelError.self) { _ = try makeRuleset(files: 1 << 40, network: 0, scopes: 0) }
        #expect(throws: KernelError.self) { _ = try makeRuleset(files: 0, network: 0, scopes: 0) }
    }

    @Test(.enabled(if: landlockABI() != nil)) func aFileTakesNoRightOfDirectories() throws {
        let ruleset = try makeRuleset(files: 0x1FFF, network: 0, scopes: 0)
        let file = try open("/etc/passwd", [.path])
        try allow(0x7, beneath: file.number, in: ruleset.number)
        #expect(throws: KernelError.self) { try allow(0xF, beneath: file.number, in: ruleset.number) }
        let directory = try open("/etc", [.path])
        try allow(0xF, beneath: directory.number, in: ruleset.number)
    }

    /// The bits of JailPlan are those of the header, as far as Debian 12's goes.
    @Test func bits() {
        #expect(LANDLOCK_ACCESS_FS_EXECUTE == 1 && LANDLOCK_ACCESS_FS_MAKE_SYM == 1 << 12)
        #expect(LANDLOCK_ACCESS_FS_REFER == 1 << 13)
    }
}
