import JailPlan
import JailSpec
import SpecFile
import TestSupport
import Testing

@Suite struct IdentityTests {
    /// A spec, a caller, and who the command is: ids to change to (nil: the caller's own, mapped), and the maps.
    struct Row: Sendable, CustomTestStringConvertible {
        let text: String
        let host: Host
        let identity: String?
        let maps: String?

        init(_ text: String, _ host: Host, _ identity: String?, _ maps: String?) {
            (self.text, self.host, self.identity, self.maps) = (text, host, identity, maps)
        }

        var testDescription: String { "uid \(host.uid): \(text.isEmpty ? "nothing written" : text)" }
    }

    static let rows = [
        // Root is nobody unless the spec says so, and the host's id of that number.
        Row("", .root, "65534:65534", "65534→65534×1 | 65534→65534×1 | launcher"),
        Row("identity.user = 0", .root, nil, "0→0×1 | 0→0×1 | launcher"),
        Row("identity.user = \"root\"", .root, nil, "0→0×1 | 0→0×1 | launcher"),
        Row("identity.user = \"www-data\"", .root, "33:33", "33→33×1 | 33→33×1 | launcher"),
        Row("identity.user = 33", .root, "33:33", "33→33×1 | 33→33×1 | launcher"),
        Row("identity.user = 4242", .root, "4242:65534", "4242→4242×1 | 65534→65534×1 | launcher"),
        Row("identity.group = \"audio\"", .root, "65534:29", "65534→65534×1 | 29→29×1 | launcher"),
        Row("identity.group = \"nogroup\"", .root, "65534:65534", "65534→65534×1 | 65534→65534×1 | launcher"),
        Row(
            "identity.user = \"nobody\"", .root.with { $0.users = [] }, "65534:65534",
            "65534→65534×1 | 65534→65534×1 | launcher"),
        Row("identity.user = \"root\"", .root.with { $0.users = [] }, nil, "0→0×1 | 0→0×1 | launcher"),
        Row("namespaces.user = \"host\"", .root, "65534:65534", nil),
        Row("namespaces.user = \"host\"\nidentity.user = 0", .root, "0:0", nil),
        Row("namespaces.user = \"/run/ns\"", .root, "65534:65534", nil),
        Row(Shape.auto, .root, "1:1", "0→200000×65536 | 0→200000×65536 | launcher"),
        // An ordinary user stays the caller, under whatever number.
        Row("", .user, nil, "1000→1000×1 | 1000→1000×1 | itself"),
        Row("identity.user = 0", .user, nil, "0→1000×1 | 0→1000×1 | itself"),
        Row("identity.user = \"www-data\"", .user, nil, "33→1000×1 | 33→1000×1 | itself"),
        Row("identity.user = 4242", .user, nil, "4242→1000×1 | 1000→1000×1 | itself"),
        Row("identity.group = 7", .user, nil, "1000→1000×1 | 7→1000×1 | itself"),
        Row(
            Shape.auto, .user, "1:1",
            "0→100000×1000 1000→1000×1 1001→101001×64535 | 0→100000×1000 1000→1000×1 1001→101001×64535 | helpers"),
        Row(
            Shape.auto, .user.with { $0.subordinateUsers = [.init(inside: 0, outside: 100_000, count: 10)] }, "1:1",
            "0→100000×10 1000→1000×1 | 0→100000×1000 1000→1000×1 1001→101001×64535 | helpers"),
        Row(
            "identity = { user = 3, uid_map = \"auto\" }", .user, "3:1000",
            "0→100000×1000 1000→1000×1 1001→101001×64535 | 1000→1000×1 | helpers"),
        Row(Shape.maps, .user, "5:6", "0→1000×1 1→100000×10 | 0→1000×1 1→100000×10 | helpers"),
        Row(
            "identity.uid_map = [{ inside = 1000, outside = 1000, count = 1 }]", .user, nil,
            "1000→1000×1 | 1000→1000×1 | itself"),
        Row("namespaces.user = \"host\"", .user, nil, nil),
        Row("namespaces.user = \"host\"\nidentity.user = 1000", .user, nil, nil),
        Row("namespaces.user = \"/run/ns\"", .user, nil, nil),
        Row("namespaces.user = \"/run/ns\"\nidentity = { user = 0, group = 0 }", .user, "0:0", nil),
    ]

    @Test(arguments: rows) func isWhoTheSpecSays(_ row: Row) throws {
        let plan = try plan(row.text, on: row.host)
        #expect(plan.identity == row.identity)
        #expect(plan.maps?.text == row.maps)
        if let maps = plan.maps { #expect(maps.denySetgroups == (maps.writer == .itself)) }
    }

    @Test(arguments: rows) func uidZeroOfTheHostIsUsedOnlyWhereItIsWritten(_ row: Row) throws {
        let plan = try plan(row.text, on: row.host)
        let becomesZero = plan.identity?.hasPrefix("0:") ?? false
        let usesZero = plan.maps.map { $0.users.contains { $0.outside == 0 } } ?? becomesZero
        let isWritten = row.text.contains("user = 0") || row.text.contains("user = \"root\"")
        if row.host.uid == 0 { #expect(usesZero == isWritten) }
    }

    private enum Unexpected: Error { case plan }

    /// A tree of another's with its own idea of who "ada" (1000:1000) and "audio" (29) are.
    private static let treeOwner = Host.root.with { $0.accountsRoot = "/srv/tree" }
    private static let shift = "[{ inside = 0, outside = 100000, count = 65536 }]"
    private static let same = "[{ inside = 0, outside = 0, count = 65536 }]"

    /// Whoever writes the tree would choose an id of the host: only a number does, or a map that leads to another.
    @Test(arguments: [
        ("identity.user = \"ada\"", 2), ("identity = { user = \"ada\", group = 5 }", 1),
        ("identity.group = \"audio\"", 1),
        ("identity.groups = [\"audio\", \"ada\"]", 2), ("identity.user = 1000", 1),
        ("identity.user = \"ada\"\nnamespaces.user = \"host\"", 2),
        ("identity.user = \"ada\"\nnamespaces.user = \"/run/ns\"", 2),
        ("identity = { user = \"ada\", group = 5, uid_map = \(same) }", 1),
        ("identity = { user = \"ada\", uid_map = \(shift) }", 1),
        ("identity = { user = \"ada\", uid_map = \(shift), gid_map = \(shift) }", 0),
        ("identity = { user = \"ada\", uid_map = \"auto\", gid_map = \"auto\" }", 0),
        ("identity = { user = \"ada\", group = 5, uid_map = [{ inside = 1000, outside = 1000, count = 1 }] }", 0),
        ("identity = { user = 1000, group = 1000, groups = [29] }", 0), ("identity = { user = 0 }", 0),
        ("identity.user = \"root\"", 0), ("identity = { user = \"nobody\", group = \"nogroup\" }", 0), ("", 0),
    ])
    func `a name of another's tree gives no id of the host`(text: String, count: Int) throws {
        let found = Planner.plan(try spec(text), on: Self.treeOwner)
        if count == 0 {
            _ = try found.get()
        } else {
            guard case .failure(let faults) = found else { throw Unexpected.plan }
            let wanted = faults.diagnostics.filter { $0.message.contains("/srv/tree/etc/") }
            #expect(wanted.count == count, "\(faults)")
            #expect(
                wanted.allSatisfy { $0.position != nil && $0.hint?.contains("write the number, identity.") == true })
        }
        // The host's own names, and those that stand for the caller, are what they were.
        for host in [Host.root, .user.with { $0.accountsRoot = "/srv/tree" }] {
            guard case .failure(let faults) = Planner.plan(try spec(text), on: host) else { continue }
            #expect(!faults.diagnostics.contains { $0.message.contains("not the host's") })
        }
    }

    @Test func `a tree that calls somebody else root does not make him that`() throws {
        let host = Self.treeOwner.with {
            $0.users = [.init(name: "root", uid: 33, gid: 33, home: "/", shell: "/bin/sh")]
        }
        #expect(try faults("identity.user = \"root\"", on: host).contains { $0.contains("uid 33 of the host") })
    }

    @Test(arguments: [
        ("identity.user = \"www-data\"", Host.root, "t.toml:1:17: user \"www-data\": uid 33, uid 33 of the host"),
        ("identity.user = \"www-data\"", .user, "t.toml:1:17: user \"www-data\": uid 33, uid 1000 of the host"),
        (
            "identity = { user = \"www-data\", uid_map = \"auto\" }", .root,
            "t.toml:1:21: user \"www-data\": uid 33, uid 200033 of the host"
        ),
        ("identity.group = \"audio\"", .root, "t.toml:1:18: group \"audio\": gid 29, gid 29 of the host"),
    ])
    func `the plan says which id of the host a name came to`(text: String, host: Host, line: String) throws {
        #expect(try plan(text, on: host).listing.contains("note: " + line))
    }

    /// Two ranges of a user follow each other inside.
    @Test func rangesOfAutoAreLaidEndToEnd() throws {
        let host = Host.user.with { $0.subordinateUsers += [.init(inside: 0, outside: 900_000, count: 10)] }
        let maps = try #require(try plan(Shape.auto, on: host).maps)
        #expect(
            maps.users.map(\.inside) == [0, 1000, 1001, 65_536]
                && maps.users.map(\.outside) == [100_000, 1000, 101_001, 900_000])
    }

    @Test(arguments: [
        ("identity.user = \"nemo\"", Host.root, "1:17: user \"nemo\": not in the jail's /etc/passwd"),
        ("identity.group = \"nemo\"", .user, "1:18: group \"nemo\": not in the jail's /etc/group"),
        ("identity.groups = [\"nemo\"]", .root, "1:19: group \"nemo\": not in the jail's /etc/group"),
        (
            "identity = { user = 7, uid_map = [{ inside = 0, outside = 5, count = 7 }] }", .root,
            "1:21: user 7 is not mapped by uid_map"
        ),
        (
            "identity = { group = 7, gid_map = [{ inside = 8, outside = 5, count = 7 }] }", .root,
            "1:22: group 7 is not mapped by gid_map"
        ),
        (
            "identity.uid_map = [{ inside = 0, outside = 5, count = 1 }]", .root,
            "1:20: user 65534 is not mapped by uid_map"
        ),
        (
            "identity = { user = 65536, group = 1, uid_map = \"auto\" }", .user,
            "1:21: user 65536 is not mapped by uid_map"
        ),
        (
            "identity.uid_map = \"auto\"", .user.with { $0.subordinateUsers = [] },
            "1:20: \"auto\": no range for ada in /etc/subuid"
        ),
        (
            "identity.gid_map = \"auto\"", .user.with { ($0.subordinateGroups, $0.callerName) = ([], "") },
            "1:20: \"auto\": no range for uid 1000 in /etc/subgid"
        ),
        (
            "namespaces.user = \"host\"\nidentity.uid_map = \"auto\"", .root,
            "2:20: an id map needs a user namespace of the jail's own"
        ),
        (
            "namespaces.user = \"host\"\nidentity.user = 0", .user,
            "2:17: only root can become uid 0, gid 0 in the host's user namespace"
        ),
        (
            "namespaces.user = \"host\"\nidentity.group = 29", .user,
            "2:18: only root can become uid 1000, gid 29 in the host's user namespace"
        ),
    ]) func isRefused(text: String, host: Host, fault: String) throws {
        #expect(try faults(text, on: host).first == fault)
    }
}

@Suite struct SupplementaryGroupTests {
    @Test func rootDropsThem() throws {
        #expect(try plan("").groups == [])
        #expect(try plan("namespaces.user = \"host\"").groups == [])
        #expect(try plan("namespaces.user = \"host\"\nidentity.groups = [\"audio\", 5]").groups == [29, 5])
    }

    /// Setgroups(2) answers EINVAL to an id that the user namespace does not map.
    @Test func theyMustBeMapped() throws {
        let asRoot = try plan("identity.groups = [\"audio\"]", on: .root)
        let byHelpers = try faults(Shape.auto + "groups = [70000]", on: .user)
        #expect(asRoot.groups == [29])
        #expect(asRoot.maps?.groups.map(\.inside) == [65534, 29])
        #expect(byHelpers.count == 1)
    }

    @Test func anOrdinaryUserIsToldThatTheyStay() throws {
        let plan = try plan("", on: .user)
        #expect(plan.groups == nil)
        #expect(plan.notes.map(\.message) == ["the caller's 1 supplementary groups stay: only root can drop them"])
        #expect(try JailPlanTests.plan("", on: .loner).notes == [])
    }

    @Test func anOrdinaryUserCannotChangeThem() throws {
        let refused = "1:19: groups: an ordinary user cannot change supplementary groups"
        #expect(try faults("identity.groups = []", on: .user).first == refused + " (1 held)")
        #expect(try faults("identity.groups = [27]", on: .loner).first == refused + " (0 held)")
        #expect(try faults("identity.groups = []", on: .loner) == [])
    }

    @Test func helpersLetAnOrdinaryUserDropThem() throws {
        #expect(try plan(Shape.auto, on: .user).groups == [])
        #expect(try plan(Shape.auto + "groups = [29]", on: .user).groups == [29])
    }
}
