import JailSpec
import SpecFile
import TestSupport
import Testing

@testable import JailPlan

/// Where a range of subordinate ids may go, and the command that puts it there.
@Suite struct SubordinateTests {
    private static func start(_ ranges: [(UInt32, UInt32)], ids: [UInt32] = []) -> UInt32? {
        SubordinateRoom.start(
            besides: ranges.map { Identity.Range(inside: 0, outside: $0.0, count: $0.1) }, ids: ids)
    }

    @Test("The first gap that is wide enough")
    func gaps() {
        #expect(Self.start([]) == 100_000)
        #expect(Self.start([(100_000, 65_536)]) == 165_536)
        // One id too narrow, then just wide enough.
        #expect(Self.start([(100_000, 1), (165_536, 10)]) == 165_546)
        #expect(Self.start([(100_000, 1), (165_537, 10)]) == 100_001)
        // What lies below the lowest one does not matter, but for what reaches into it.
        #expect(Self.start([(1_000, 65_536)]) == 100_000)
        #expect(Self.start([(50_000, 60_000)]) == 110_000)
    }

    @Test("Ranges in any order, within and across one another")
    func overlaps() {
        #expect(Self.start([(165_536, 65_536), (100_000, 65_536)]) == 231_072)
        #expect(Self.start([(100_000, 200_000), (150_000, 10)]) == 300_000)
        #expect(Self.start([(150_000, 10), (100_000, 200_000), (299_999, 2)]) == 300_001)
        #expect(Self.start([(100_000, 0)]) == 100_000)
    }

    @Test("No user's own id is in it")
    func ids() {
        #expect(Self.start([], ids: [0, 1000, 65_534]) == 100_000)
        #expect(Self.start([], ids: [120_000, 100_000]) == 120_001)
        #expect(Self.start([(100_000, 65_536)], ids: [231_072]) == 165_536)
        #expect(Self.start([(100_000, 65_536)], ids: [231_071]) == 231_072)
    }

    @Test("None where all is taken, and none that reaches the last number")
    func full() {
        #expect(Self.start([(0, .max)]) == nil)
        #expect(Self.start([(100_000, .max)]) == nil)
        // 4294967294 is the last id.
        #expect(Self.start([(100_000, 4_294_801_759)]) == UInt32.max - 65_536)
        #expect(Self.start([(100_000, 4_294_801_760)]) == nil)
    }

    private static func remedy(
        _ name: String, _ room: SubordinateRoom, in file: SubordinateFile = .subuid, needsName: Bool = true
    ) -> String {
        let owner = SubordinateOwner(name: name, uid: 1234, gid: 99, needsName: needsName)
        return Remedy.range(room, in: file, for: owner)
    }

    @Test("The command for a user, for a uid without a name, and for a file that usermod refuses")
    func commands() {
        let room = SubordinateRoom(start: 165_536)
        #expect(Self.remedy("ada", room) == "as root: usermod --add-subuids 165536-231071 ada")
        #expect(Self.remedy("ada", room, in: .subgid) == "as root: usermod --add-subgids 165536-231071 ada")
        #expect(Self.remedy("o'x $y", room).hasSuffix(" 'o'\\''x $y'"))
        let line = "echo '1234:165536:65536' >>/etc/subuid"
        #expect(
            Self.remedy("", room) == "newuidmap(1) asks for a name; as root: \(line); "
                + "echo 'u1234:x:1234:99::/:/usr/sbin/nologin' >>/etc/passwd")
        #expect(Self.remedy("", room, needsName: false) == "as root: \(line)")
        #expect(Self.remedy("", room, in: .subgid) == "as root: echo '1234:165536:65536' >>/etc/subgid")
        let missing = SubordinateRoom(start: 100_000, isFileThere: false)
        #expect(Self.remedy("ada", missing) == "as root: echo 'ada:100000:65536' >>/etc/subuid")
        let open = SubordinateRoom(start: 100_000, endsAmidLine: true)
        #expect(
            Self.remedy("", open, in: .subgid) == "as root: printf '\\n%s\\n' '1234:100000:65536' >>/etc/subgid")
        #expect(Self.remedy("ada", SubordinateRoom(start: nil)).hasPrefix("no 65536 ids in a row are free"))
    }

    @Test("Each map that finds no range says where one could go")
    func hints() throws {
        let host = Host.user.with {
            ($0.subordinateUsers, $0.subordinateGroups, $0.callerName) = ([], [], "ada")
            ($0.roomForUsers, $0.roomForGroups) = (.init(start: 200_000), .init(start: 300_000))
        }
        let spec = try spec("identity.uid_map = \"auto\"\nidentity.gid_map = \"auto\"")
        guard case .failure(let faults) = Planner.plan(spec, on: host) else {
            Issue.record("planned without a range")
            return
        }
        #expect(
            faults.diagnostics.compactMap(\.hint).filter { $0.contains("usermod") } == [
                "as root: usermod --add-subuids 200000-265535 ada", "as root: usermod --add-subgids 300000-365535 ada",
            ])
    }
}
