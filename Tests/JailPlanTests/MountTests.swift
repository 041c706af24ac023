import JailPlan
import JailSpec
import LinuxFacts
import TestSupport
import Testing

@Suite struct MountTests {
    private static let entries = [
        "filesystem.ro = [\"/opt/sdk\"]", "filesystem.rw = [\"/srv/data:/work\"]",
        "filesystem.hide = [\"/usr/share/doc\"]",
        "[[mount]]\ntarget = \"/var/lib/a\"\ntype = \"tmpfs\"\noptions = [\"ro\"]",
        "[[mount]]\ntarget = \"/var\"\ntype = \"dir\"",
        "[[mount]]\ntarget = \"/var/link\"\ntype = \"symlink\"\nto = \"lib\"",
        "[[mount]]\ntarget = \"/work/out\"\ntype = \"tmpfs\"", "[[mount]]\ntarget = \"/work/f\"\ntype = \"file\"",
        "[[mount]]\ntarget = \"/dev/mqueue\"\ntype = \"mqueue\"", "[[mount]]\ntarget = \"/tmp\"\nsource = \"/srv/tmp\"",
        "[[mount]]\ntarget = \"/proc/sys/x\"\ntype = \"dir\"",
    ]

    /// The operations with the slots counted in the order of use: their numbers carry no meaning.
    private func normalised(_ plan: Plan) -> [String] {
        var order: [Int] = []
        func number(_ slot: Int) -> Int {
            if let known = order.firstIndex(of: slot) { return known }
            order.append(slot)
            return order.count - 1
        }
        return plan.operations.map { operation in
            switch operation {
            case .tree(.fill(let slot, let filling, let promise)): "\(number(slot)) \(filling) \(promise)"
            case .tree(.attach(let slot, let target, let isDirectory)):
                "\(number(slot)) \(target) \(String(describing: isDirectory))"
            case .tree(.beginRoot(let slot)): "begin \(number(slot))"
            case .tree(.seal(let slots)): "seal \(slots.map(number))"
            default: "\(operation)"
            }
        }
    }

    /// The order in the file means nothing.
    @Test(arguments: [Host.root, .user]) func theOrderOfTheFileMeansNothing(_ host: Host) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = Seeded(seed)
        let short = Self.entries.filter { $0.hasPrefix("filesystem") }
        let long = Self.entries.filter { $0.hasPrefix("[[") }
        let first = try normalised(plan((short + long).joined(separator: "\n"), on: host))
        for _ in 0..<50 {
            let text = (short.shuffled(using: &generator) + long.shuffled(using: &generator)).joined(separator: "\n")
            #expect(try normalised(plan(text, on: host)) == first, "seed \(seed): \(text)")
        }
    }

    @Test(arguments: Shape.all) func parentsStandBeforeChildren(_ shape: Shape) throws {
        let placements = try shape.plan().placements
        // What is covered or protected comes last of all, by whatever name it is reached.
        let covers = ["hide", "mask", "protect"]
        let isCover = placements.map { line in covers.contains { line.hasPrefix($0 + " ") } }
        #expect(isCover == isCover.sorted { !$0 && $1 })
        let depths = zip(placements, isCover).filter { !$1 }.map { line, _ in
            line.split(separator: " ")[1].utf8.count { $0 == UInt8(ascii: "/") }
        }
        #expect(depths == depths.sorted())
    }

    @Test(arguments: [
        ("/proc", "attach /proc"), ("/dev", "attach /dev"), ("/tmp", "attach /tmp"), ("/dev/null", "attach /dev/null"),
        ("/dev/pts", "attach /dev/pts"), ("/dev/shm", "attach /dev/shm"), ("/usr", "attach /usr"),
        ("/etc", "attach /etc"),
        ("/bin", "attach /bin"), ("/dev/stdin", "attach /dev/stdin"),
    ]) func whatIsWrittenReplacesTheDefault(target: String, placement: String) throws {
        let plan = try plan("[[mount]]\ntarget = \"\(target)\"\nsource = \"/srv/own\"")
        #expect(plan.placements.count { $0.hasSuffix(" \(target)") } == 1 && plan.placements.contains(placement))
        guard case .tree(.fill(_, .tree(let source), _))? = plan.source(on: target) else {
            Issue.record("\(target) is not the written one")
            return
        }
        #expect(source.path == "/srv/own")
    }

    @Test func aWrittenSysReplacesTheDefault() throws {
        let plan = try plan("filesystem.root = \"host\"\n[[mount]]\ntarget = \"/sys\"\nsource = \"/srv/own\"")
        #expect(plan.placements.count { $0 == "attach /sys" } == 1)
    }

    @Test func theDefaultsOfARoot() throws {
        let defaults = ["attach /dev", "attach /proc", "attach /tmp"]
        func top(_ text: String) throws -> [String] {
            try plan(text, on: .root).placements.filter { $0.utf8.count { $0 == UInt8(ascii: "/") } == 1 }
        }
        #expect(try top("filesystem.root = \"empty\"") == defaults)
        #expect(try top("filesystem.root = \"/srv\"") == defaults)
        #expect(try top("filesystem.root = \"host\"") == ["attach /dev", "attach /proc", "attach /sys", "attach /tmp"])
        let system = ["symlink /bin", "attach /dev", "attach /etc", "symlink /lib"]
        #expect(try top("") == system + ["attach /proc", "attach /tmp", "attach /usr"])
        #expect(try top("filesystem = { root = \"empty\", proc = false, dev = \"none\", tmp = false }") == [])
    }

    @Test(arguments: [
        ("", true), ("filesystem.home = \"1M\"", true), ("filesystem.home = false", false),
        ("filesystem.rw = [\"/home/ada/.cache\"]", true), ("filesystem.rw = [\"/home\"]", false),
        ("filesystem = { rw = [\"/home\"], home = \"1M\" }", true), ("filesystem.rw = [\"/srv:/home/ada\"]", false),
        ("[[mount]]\ntarget = \"/home\"\ntype = \"tmpfs\"", true), ("filesystem.hide = [\"/home\"]", false),
        ("filesystem.root = \"empty\"", false), ("filesystem.root = \"host\"", false),
        ("filesystem = { root = \"empty\", home = \"1M\" }", true),
        ("filesystem = { root = \"empty\", rw = [\"/home/ada/.cache\"] }", true),
        ("filesystem = { root = \"host\", home = \"1M\" }", true),
        ("filesystem = { root = \"/srv\", home = \"1M\" }", true),
        ("filesystem = { root = \"host\", home = \"1M\", hide = [\"/home/ada\"] }", false),
    ]) func aPrivateHome(text: String, isThere: Bool) throws {
        let placements = try plan(text, on: .user).placements
        let home: Operation? = try plan(text, on: .user).source(on: "/home/ada")
        var isPrivate = false
        if case .tree(.fill(_, .fileSystem(let made), _))? = home { isPrivate = made.type == "tmpfs" }
        #expect(isPrivate == isThere, "\(placements)")
    }

    @Test(arguments: [
        ("", true), ("filesystem.tmp = false", false), ("filesystem.root = \"host\"", false),
        ("filesystem.rw = [\"/var\"]", false), ("filesystem.rw = [\"/var/tmp\"]", false),
        ("filesystem.rw = [\"/var/tmp/x\"]", false), ("filesystem.hide = [\"/var/tmp\"]", false),
        ("filesystem.rw = [\"/var/lib\"]", true), ("filesystem.root = \"empty\"", false),
    ]) func varTmpLeadsToTmp(text: String, isThere: Bool) throws {
        #expect(try plan(text).operations.contains(.tree(.makeSymlink(target: "/var/tmp", to: "../tmp"))) == isThere)
    }

    /// The size of the root's own file system, and whether it is made read-only in the end.
    @Test(
        arguments: [
            ("", nil, true), ("filesystem.writable = true", "2G", false),
            ("filesystem = { root = \"empty\", writable = true, tmp = \"3M\" }", "3M", false),
            ("filesystem = { root = \"empty\", writable = true, tmp = false, home = false, shm = false }", "2G", false),
        ] as [(String, String?, Bool)]) func aPrivateRoot(text: String, size: String?, isSealed: Bool) throws
    {
        let plan = try plan(text)
        guard case .tree(.beginRoot(let slot))? = plan.operations.first(where: { $0.operationName == "begin_root" }),
            case .tree(.fill(_, .fileSystem(let made), let promise))? = plan.operations.first(where: {
                if case .tree(.fill(slot, _, _)) = $0 { true } else { false }
            })
        else { return #expect(Bool(false), "no root") }
        #expect(made.parameters.first { $0.key == "size" }?.value == size && promise.isSealed == isSealed)
        let sealed: [Int] =
            plan.operations.lazy.compactMap { if case .tree(.seal(let slots)) = $0 { slots } else { nil } }.first ?? []
        #expect(sealed.contains(slot) == isSealed)
    }

    @Test func theHostsTreeCanBeWrittenTo() throws {
        let plan = try plan("filesystem = { root = \"host\", writable = true }\nnetwork.mode = \"host\"")
        guard
            case .tree(.fill(_, .tree(let tree), let promise))? = plan.operations.first(where: {
                $0.operationName == "open_tree"
            })
        else { return #expect(Bool(false), "no root") }
        #expect(tree.path == "/" && promise.held == .closed)
        guard case .tree(.fill(_, .tree, let sys))? = plan.source(on: "/sys") else {
            return #expect(Bool(false), "no /sys")
        }
        #expect(sys.held.hasAll(of: .readOnly))
        #expect(plan.notes.contains { $0.isWarning && $0.message.contains("can change the host's files") })
    }

    /// The host's sysfs shows the host's network.
    @Test func sysfsIsTheJailsOwnWhereItsNetworkIs() throws {
        let host = "filesystem.root = \"host\"\n"
        #expect(try plan(host).placements.contains("attach /sys"))
        #expect(try !plan(host + "network.mode = \"host\"").placements.contains("attach /sys"))
        let joined = try plan(host + "namespaces.net = \"/run/ns\"").placements
        #expect(joined.contains("attach /sys"))
    }

    @Test func withoutAMountNamespaceNothingIsMounted() throws {
        let shared = "namespaces.mount = \"host\"\n"
        #expect(try plan(shared).placements == [])
        for line in [
            "filesystem.root = \"host\"", "filesystem.proc = false", "filesystem.dev = \"none\"",
            "filesystem.tmp = false", "filesystem.home = false",
            "filesystem.ro = [\"/a\"]", "[[mount]]\ntarget = \"/a\"\ntype = \"tmpfs\"",
        ] {
            let found = try faults(shared + line)
            #expect(found.count == 1 && found[0].contains("cannot be arranged without a mount namespace"), "\(line)")
            #expect(found[0].hasPrefix("2:") || found[0].hasPrefix("3:"))
        }
    }

    /// A hidden path is there to be hidden: the default that it stands on must stay.
    @Test(arguments: ["/etc", "/tmp", "/proc", "/dev/shm"]) func whatIsHiddenIsThere(_ target: String) throws {
        let placements = try plan("filesystem.hide = [\"\(target)\"]").placements
        #expect(placements.filter { $0.hasSuffix(" \(target)") } == ["attach \(target)", "hide \(target)"])
    }

    /// An option that has no effect must not be accepted.
    @Test(arguments: ["proc", "sysfs", "devpts", "mqueue", "cgroup"]) func optionsOfEveryTypeCount(_ type: String)
        throws
    {
        let mount = "[[mount]]\ntarget = \"/x\"\ntype = \"\(type)\"\n"
        let plain = try plan(mount).source(on: "/x")
        let asked = try plan(mount + "options = [\"noatime\", \"nosymfollow\"]").source(on: "/x")
        #expect(asked != plain)
    }
}

@Suite struct HostsTests {
    private func text(_ spec: String, _ hosts: Host.HostsFile?) throws -> String? {
        let plan = try plan(spec, on: .root.with { $0.hosts = hosts })
        guard case .tree(.fill(_, .file(let content, 0o644), let promise))? = plan.source(on: "/etc/hosts") else {
            return nil
        }
        #expect(promise.attributes.hasAll(of: .readOnly))
        return content
    }

    private static let localhost = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"

    @Test(
        arguments: [
            ("", "# nothing\n", "# nothing\n127.0.1.1\tbuild\n"), ("", "::1 x", "::1 x\n127.0.1.1\tbuild\n"),
            ("", "127.0.0.1 localhost BUILD\n", nil),
            ("", "127.0.0.1 localhost # build\n", "127.0.0.1 localhost # build\n127.0.1.1\tbuild\n"),
            ("", "build localhost\n", "build localhost\n127.0.1.1\tbuild\n"),
            ("filesystem.ro = [\"/srv/hosts:/etc/hosts\"]", "x", nil),
            ("filesystem.ro = [\"/srv/etc:/etc\"]", "x", nil),
            ("filesystem.hide = [\"/etc/hosts\"]", "x", nil),
        ] as [(String, String, String?)])
    func theTreesOwn(more: String, found: String, content: String?) throws {
        let written = try text("hostname = \"build\"\n\(more)", .text(found))
        #expect(written == content)
    }

    @Test func aTreeWithoutOne() throws {
        let added = Self.localhost + "127.0.1.1\tbuild.example.org build\n"
        let name = "hostname = \"build.example.org\"\n"
        for root in ["system", "host", "empty", "/srv/tree"] {
            #expect(try text(name + "filesystem.root = \"\(root)\"", .absent) == added)
            #expect(try text(name + "filesystem.root = \"\(root)\"", .text("")) == added)
        }
        #expect(try text(name + "filesystem = { root = \"/srv/tree\", writable = true }", .absent) == nil)
        #expect(try text(name, nil) == nil)
        #expect(try text("", .absent) == nil)
    }
}

@Suite struct DeviceSourceTests {
    private let host = Host.root.with { host in
        (host.deviceNodes, host.deviceDirectories) = (["/dev/fuse"], ["/dev/dri"])
    }

    @Test(arguments: [
        "filesystem.rw = [\"/dev/fuse\"]", "filesystem.ro = [\"/dev/fuse\"]", "filesystem.devices = [\"/dev/fuse\"]",
        "filesystem.devices = [\"/dev/dri:/dev/fuse\"]", "[[mount]]\ntarget = \"/dev/fuse\"\nsource = \"/dev/fuse\"",
        "[[mount]]\ntarget = \"/dev/fuse\"\nsource = \"/dev/fuse\"\noptions = [\"dev\", \"rw\"]",
    ]) func aNodeCanBeOpenedAndNotBeChanged(text: String) throws {
        guard case .tree(.fill(_, .tree, let promise))? = try plan(text, on: host).source(on: "/dev/fuse") else {
            return #expect(Bool(false), "no mount")
        }
        #expect(promise.held == .readOnly | .noSetuid | .noExecute)
    }

    @Test(arguments: [
        ("filesystem.rw = [\"/dev/dri\"]", "nodev keeps"), ("filesystem.ro = [\"/dev/dri:/x\"]", "nodev keeps"),
        ("[[mount]]\ntarget = \"/x\"\nsource = \"/dev/dri\"", "nodev keeps"),
    ]) func aFlagThatDefeatsItsSource(text: String, fault: String) throws {
        let found = try faults(text, on: host)
        #expect(found.count == 1 && found[0].contains(fault), "\(found)")
    }

    @Test(arguments: ["/dev/fuse", "/dev/dri"]) func whatIsWrittenNodevStaysClosed(path: String) throws {
        let mount = "[[mount]]\ntarget = \"/x\"\nsource = \"\(path)\"\noptions = [\"nodev\", \"ro\"]"
        guard case .tree(.fill(_, .tree, let promise))? = try plan(mount, on: host).source(on: "/x") else {
            return #expect(Bool(false), "no mount")
        }
        #expect(promise.held == .readOnly | .noSetuid | .noDevices)
    }

    @Test func theLongFormOpensADirectory() throws {
        let mount = "[[mount]]\ntarget = \"/dev/dri\"\nsource = \"/dev/dri\"\noptions = [\"dev\", \"ro\"]"
        guard case .tree(.fill(_, .tree, let promise))? = try plan(mount, on: host).source(on: "/dev/dri") else {
            return #expect(Bool(false), "no mount")
        }
        #expect(promise.held == .readOnly | .noSetuid)
    }
}

@Suite struct PrivateRoomTests {
    private func size(on target: String, _ text: String, memory: UInt64) throws -> String? {
        let plan = try plan("identity.user = 0\n" + text, on: .limited.with { $0.memory = memory })
        guard case .tree(.fill(_, .fileSystem(let fileSystem), _))? = plan.source(on: target) else { return nil }
        return fileSystem.parameters.first { $0.key == "size" }?.value
    }

    @Test(
        arguments: [
            ("", 8 << 30, "2G"), ("", 8_000_000_000, "1907M"), ("", 3 << 20, "1M"),
            ("limits.memory = \"512M\"", 8 << 30, "512M"), ("limits.memory = \"5000K\"", 8 << 30, "5000K"),
            ("limits.memory = \"4G\"", 8 << 30, "2G"), ("limits.memory = 4097", 8 << 30, "4097"),
        ] as [(String, UInt64, String)]) func byDefault(text: String, memory: UInt64, size: String) throws
    {
        for target in ["/tmp", "/dev/shm", "/root"] { #expect(try self.size(on: target, text, memory: memory) == size) }
    }

    @Test func asWritten() throws {
        for (key, target) in [("tmp", "/tmp"), ("shm", "/dev/shm"), ("home", "/root")] {
            #expect(try size(on: target, "filesystem.\(key) = \"3M\"\nlimits.memory = \"1M\"", memory: 1 << 30) == "3M")
            #expect(try size(on: target, "filesystem.\(key) = false", memory: 1 << 30) == nil)
        }
        #expect(try size(on: "/tmp", "filesystem.shm = false", memory: 1 << 30) == "256M")
    }
}
