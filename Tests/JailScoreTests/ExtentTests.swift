import JailScore
import JailSpec
import SpecFile
import TestSupport
import Testing

/// A line counts by how far it goes: its presence alone neither closes nor saves anything.
@Suite struct ExtentTests {
    /// What the second text adds to the first narrows nothing, so it takes nothing off.
    @Test(arguments: [
        ("namespaces.mount = \"host\"", "landlock.rwx = [\"/\"]"),
        ("namespaces.mount = \"host\"", "landlock.rwx = [\"/./\"]"),
        ("namespaces.mount = \"host\"", "landlock.rwx = [\"/proc/self/root\"]"),
        (
            "namespaces.mount = \"host\"\nnamespaces.pid = \"host\"\nnamespaces.user = \"host\"",
            "landlock.rwx = [\"/\"]"
        ),
        ("filesystem.rw = [\"/srv\"]", "landlock.rwx = [\"/usr\", \"/etc\", \"/proc\", \"/dev\", \"/tmp\", \"/srv\"]"),
        ("network.mode = \"host\"", "landlock.rwx = [\"/\"]"),
        ("network.mode = \"host\"", "limits.memory = \"8000G\""),
        ("network.mode = \"host\"", "limits.pids = 4000000"),
        ("network.mode = \"host\"", "limits.cpu = \"100000%\""),
        ("network.mode = \"host\"", "filesystem.hide = [\"/nonexistent\"]"),
        ("filesystem.root = \"host\"", "filesystem.hide = [\"/nonexistent\"]"),
        ("filesystem.root = \"host\"", "filesystem.proc = false"),
        ("filesystem.root = \"host\"", "filesystem.dev = \"none\""),
        ("filesystem.root = \"host\"", "filesystem.tmp = false"),
        ("filesystem.root = \"/srv/tree\"", "filesystem.proc = false"),
        ("filesystem.ro = [\"/proc\"]", "filesystem.proc = false"),
        ("filesystem.rw = [\"/usr\", \"/etc\"]", "filesystem.root = \"empty\""),
        ("network.mode = \"host\"", "seccomp = { default = \"EPERM\", allow = [\"@known\"] }"),
        ("network.mode = \"host\"", "seccomp = { profile = \"strict\", default = \"allow\" }"),
    ]) func takesNothingOff(base: String, more: String) throws {
        let tables = try [base, more].map(table)
        let both = decode(try tables[0].merging(tables[1], .appending))
        #expect(both.diagnostics == [])
        let score = Score(of: both.spec)
        #expect(try score.exact >= self.score(base).exact)
        #expect(!score.narrowings.contains { $0.isInForce })
    }

    private func score(_ text: String) throws -> Score { Score(of: try spec(text)) }

    /// One thing weighs the same, however it is written.
    @Test(arguments: [
        ("identity.group = \"disk\"", "identity.groups = [\"disk\"]"),
        ("identity.groups = [6]", "identity.groups = [\"disk\"]"), ("identity.group = 6", "identity.group = \"disk\""),
        ("identity.group = 42", "identity.group = \"shadow\""), ("identity.group = 15", "identity.groups = [\"kmem\"]"),
        ("identity.group = \"root\"", "identity.groups = [0]"), ("identity.user = \"ada\"", "identity.user = 1001"),
        ("filesystem.root = \"host\"", "filesystem.ro = [\"/:/host\"]"),
        ("filesystem.ro = [\"/proc/1/root:/m\"]", "filesystem.ro = [\"/:/m\"]"),
        ("namespaces.pid = \"/proc/1/ns/pid\"", "namespaces.pid = \"host\""),
        ("namespaces.mount = \"/proc/1/ns/mnt\"", "namespaces.mount = \"host\""),
    ]) func weighsTheSame(one: String, other: String) throws {
        #expect(try score(one).exact == score(other).exact)
    }

    /// A score that is to be at least so many tenths.
    @Test(arguments: [
        ("identity.group = \"disk\"", 50), ("identity.group = \"shadow\"", 25), ("identity.groups = [6]", 50),
        ("identity.group = \"docker\"", 60), ("identity.group = 998", 8), ("identity.user = \"immure-test\"", 10),
        ("identity.user = 1001", 10), ("identity.user = 1001\nnamespaces.pid = \"host\"", 32),
        ("namespaces.mount = \"host\"", 90), ("filesystem.root = \"host\"", 80),
        ("filesystem = { root = \"host\", proc = false }", 80), ("namespaces.net = \"/run/ns/net\"", 20),
        ("namespaces.pid = \"host\"\nnamespaces.user = \"host\"", 60),
        ("network.mode = \"host\"\nlandlock = { bind_tcp = [], connect_tcp = [\(ports)] }", 20),
        ("network.mode = \"host\"\nlandlock.rwx = [\"/\"]\nlimits = { memory = \"8000G\", pids = 4000000 }", 20),
    ]) func weighsAtLeast(text: String, tenths: Int) throws {
        #expect(try score(text).tenths >= tenths, "\(text)")
    }

    /// Of what Landlock leaves of a tree of the host, each rule counts; the devices that every jail has count next to nothing.
    @Test func rulesInATreeOfTheHost() throws {
        let score = try score(
            "namespaces.mount = \"host\"\nlandlock = { ro = [\"/usr\"], rw = [\"/etc\", \"/dev/null\"] }")
        #expect(score.exposures.map(\.weight) == [50, 40, 1, 1])
        #expect(score.exposures.map(\.id) == ["landlock", "namespaces.mount", "landlock", "landlock"])
    }

    private static let ports = (1...500).map { "\($0)" }.joined(separator: ", ")

    /// Nobody's ids, and ids that only a map of subordinates gives, are no user or group of the host.
    @Test(arguments: [
        "identity = { user = \"nobody\", group = \"nogroup\" }", "identity = { user = 65534, group = 65534 }",
    ]) func nobodyIsNobody(text: String) throws {
        #expect(try score(text).exposures == [])
    }

    @Test func aMapOfSubordinatesReachesNoUserOfTheHost() throws {
        let score = try score(
            "identity = { user = \"ada\", group = \"disk\", uid_map = \"auto\", gid_map = \"auto\" }")
        #expect(score.exposures.map(\.id) == ["identity.uid_map", "identity.gid_map"])
    }

    @Test func whatProcessesOfTheHostGiveAwayIsSaid() throws {
        let score = try score("namespaces.pid = \"host\"\nnamespaces.user = \"host\"")
        #expect(
            score.exposures[0].id == "namespaces.pid" && score.exposures[0].what.contains("/proc/PID/root, environ"))
    }
}
