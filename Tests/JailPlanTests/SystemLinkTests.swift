import JailPlan
import JailSpec
import LinuxFacts
import TestSupport
import Testing

@Suite struct SystemLinkTests {
    private static let resolver = SystemLink("/etc/resolv.conf", leadingTo: "/run/systemd/resolve/stub-resolv.conf")
    private let host = Host.loner.with { $0.neededLinks = [SystemLinkTests.resolver] }

    @Test(arguments: [
        ("", true), ("filesystem.root = \"host\"", false), ("filesystem.ro = [\"/run\"]", false),
        ("filesystem.ro = [\"/srv/r:/etc/resolv.conf\"]", false), ("filesystem.ro = [\"/srv/e:/etc\"]", false),
        ("filesystem.ro = [\"/run/systemd/resolve\"]", false), ("filesystem.hide = [\"/run\"]", false),
    ]) func whatALinkOfEtcLeadsTo(more: String, isShown: Bool) throws {
        let plan = try plan("network.mode = \"host\"\n\(more)", on: host)
        let shown = plan.placements.contains("attach /run/systemd/resolve/stub-resolv.conf")
        #expect(shown == isShown)
        guard isShown else { return }
        guard case .tree(.fill(_, .tree(let tree), let promise))? = plan.source(on: Self.resolver.place) else {
            return #expect(Bool(false))
        }
        #expect(!tree.recursive && tree.optional && promise.held == .readOnly | .closed | .noExecute)
    }

    @Test func othersAreTold() throws {
        let links = [
            SystemLink("/etc/a", leadingTo: "/opt/a"), SystemLink("/usr/bin/b", leadingTo: "/srv/b"), Self.resolver,
        ]
        let host = host.with { $0.danglingLinks = links }
        let notes = try plan("filesystem.ro = [\"/srv\"]\nnetwork.mode = \"host\"", on: host).notes.map(\.message)
        #expect(notes == ["/etc/a leads to /opt/a, which the jail does not show"])
        let many = host.with { $0.danglingLinks = (0..<25).map { SystemLink("/etc/\($0)", leadingTo: "/opt/\($0)") } }
        #expect(try plan("", on: many).notes.map(\.message).last == "5 more links of /etc and /usr lead out of them")
        #expect(try plan("", on: many).notes.allSatisfy { !$0.isWarning })
    }
}

@Suite struct AccountFileTests {
    private func content(_ target: String, _ text: String, _ files: Host.AccountFiles) throws -> String? {
        let plan = try plan(text, on: .loner.with { ($0.users, $0.accountFiles) = ([], files) })
        guard case .tree(.fill(_, .file(let content, 0o644), _))? = plan.source(on: target) else { return nil }
        return content
    }

    @Test func aLineForTheCaller() throws {
        let files = Host.AccountFiles(name: "ada", passwd: "root:x:0:0::/:/bin/sh", group: "root:x:0:\n")
        #expect(try content("/etc/passwd", "", files) == "root:x:0:0::/:/bin/sh\nada:x:1000:1000::/tmp:/bin/sh\n")
        #expect(try content("/etc/group", "", files) == "root:x:0:\nada:x:1000:\n")
        #expect(try content("/etc/passwd", "filesystem.root = \"empty\"", files) == nil)
        #expect(try content("/etc/passwd", "filesystem.ro = [\"/srv/p:/etc/passwd\"]", files) == nil)
        let named = Host.AccountFiles(name: "ada", passwd: "", group: "users:x:1000:\n")
        #expect(try content("/etc/group", "", named) == nil)
        let writable = "filesystem = { root = \"/srv/tree\", writable = true }"
        #expect(try content("/etc/passwd", writable, named) == nil && content("/etc/passwd", writable, files) != nil)
        let host = Host.loner.with { ($0.users, $0.accountFiles) = ([], files) }
        let plan = try plan("", on: host)
        #expect(plan.variable("USER") == "ada" && plan.variable("LOGNAME") == "ada" && plan.variable("HOME") == "/tmp")
    }
}

@Suite struct GroupInSightTests {
    @Test(arguments: [
        ("", Host.limited, false), ("limits.pids = 9", .limited, true), ("limits.pids = 9", .inSession, true),
        ("limits.pids = 9\nfilesystem.root = \"host\"", .limited, true),
        ("limits.pids = 9\nnamespaces.nested = true", .limited, false),
        ("limits.pids = 9\nnamespaces.cgroup = \"host\"", .limited, false),
        ("limits.pids = 9\ncapabilities.bounding = [\"sys_admin\"]", .limited, false),
        ("limits.pids = 9\nfilesystem = { root = \"/srv\", writable = true }", .limited, false),
        ("limits.pids = 9\n[[mount]]\ntarget = \"/sys\"\ntype = \"sysfs\"", .limited, false),
    ]) func theLimitsAreSeen(text: String, host: Host, isThere: Bool) throws {
        let plan = try plan(text, on: host)
        #expect(plan.placements.contains("attach /sys/fs/cgroup") == isThere)
        guard isThere, case .tree(.fill(_, .fileSystem(let made), let promise))? = plan.source(on: "/sys/fs/cgroup")
        else {
            return
        }
        #expect(made.type == "cgroup2" && promise.held.hasAll(of: .readOnly | .noExecute))
    }
}
