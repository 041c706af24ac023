import JailPlan
import JailSpec
import TestSupport
import Testing

/// `[limits]` on hosts of every kind: which files are written where, and what is refused with its line.
@Suite struct LimitTests {
    static let all = """
        [limits]
        memory = "64M"
        memory_high = "48M"
        swap = 0
        cpu = "150%"
        cpu_weight = 50
        cpus = "0-1,3"
        pids = 20
        """

    private func settings(_ text: String, on host: Host) throws -> [String] {
        try plan(text, on: host).operations.compactMap { operation in
            if case .limits(.setLimit(let setting)) = operation { "\(setting.file)=\(setting.value)" } else { nil }
        }
    }

    private func base(_ host: Host) throws -> ControlGroups.Base? {
        try plan("limits.pids = 9", on: host).operations.lazy.compactMap { operation in
            if case .limits(.enableControllers(let base, _)) = operation { base } else { nil }
        }.first
    }

    @Test func files() throws {
        #expect(
            try settings(Self.all, on: .limited) == [
                "memory.max=67108864", "memory.high=50331648", "memory.swap.max=0", "memory.oom.group=1",
                "cpu.max=150000 100000", "cpu.weight=50", "cpuset.cpus=0,1,3", "pids.max=20",
            ])
    }

    @Test func devices() throws {
        let text = """
            [[limits.io]]
            device = "/var"
            rbps = "10M"
            wiops = 100
            [[limits.io]]
            device = "/dev/sdb"
            weight = 50
            """
        let host = Host.limited.with { host in
            host.controlGroups?.devices = [
                .disk(major: 8, minor: 0, sharing: .none), .disk(major: 8, minor: 16, sharing: .bfq),
            ]
        }
        #expect(
            try settings(text, on: host) == [
                "io.max=8:0 rbps=10485760", "io.max=8:0 wiops=100", "io.bfq.weight=8:16 50",
            ])
    }

    @Test func devicesThatCannotBeLimited() throws {
        let text = "[[limits.io]]\ndevice = \"/a\"\nweight = 5000\n"
        func found(_ device: ControlGroups.Device) throws -> [String] {
            try faults(text, on: .limited.with { $0.controlGroups?.devices = [device] })
        }
        #expect(
            try found(.anonymous("overlay")) == [
                "2:10: limits.io: /a is on overlay, which has no block device of its own"
            ])
        #expect(try found(.missing("openat: ENOENT")) == ["2:10: limits.io: /a: openat: ENOENT"])
        #expect(
            try found(.disk(major: 8, minor: 0, sharing: .none)) == [
                "3:10: limits.io: weight: nothing shares the time of 8:0 by weight"
            ])
        #expect(
            try found(.disk(major: 8, minor: 0, sharing: .bfq)) == [
                "3:10: limits.io: weight: the scheduler bfq knows 1 to 1000"
            ])
        #expect(try found(.disk(major: 8, minor: 0, sharing: .cost)) == [])
    }

    /// The share of every disk is written where a disk heeds it: a file of each kind that there is.
    @Test(
        arguments: [
            ([.cost], 5000, ["io.weight=default 5000"]), ([.bfq], 5000, ["io.bfq.weight=default 545"]),
            ([.bfq], 50, ["io.bfq.weight=default 50"]), ([.bfq], 10_000, ["io.bfq.weight=default 1000"]),
            ([.none, .bfq, .cost], 101, ["io.weight=default 101", "io.bfq.weight=default 100"]),
            ([.none], 50, ["io.weight=default 50"]), ([], 50, ["io.weight=default 50"]),
        ] as [([ControlGroups.Device.Sharing], Int, [String])])
    func aWeightOnEveryDisk(ways: [ControlGroups.Device.Sharing], weight: Int, files: [String]) throws {
        let host = Host.limited.with { host in
            host.controlGroups?.disks = ways.map { .disk(major: 8, minor: 16, sharing: $0) }
        }
        let plan = try plan("[limits]\nio_weight = \(weight)", on: host)
        let settings = plan.operations.compactMap { operation in
            if case .limits(.setLimit(let setting)) = operation { "\(setting.file)=\(setting.value)" } else { nil }
        }
        #expect(settings == files)
        let warnings = plan.notes.filter { $0.isWarning && $0.message.contains("nothing heeds it") }
        #expect(warnings.isEmpty == (ways.contains(.cost) || ways.contains(.bfq)))
        #expect(warnings.allSatisfy { ($0.hint == nil) == ways.isEmpty && $0.hint?.contains("8:16") != false })
    }

    @Test func aWeightWithoutItsController() throws {
        let host = Host.limited.with { host in
            host.controlGroups?.available.removeAll { $0 == "io" }
            host.controlGroups?.disks = [
                .disk(major: 8, minor: 0, sharing: .bfq), .disk(major: 8, minor: 16, sharing: .cost),
            ]
        }
        #expect(
            try faults("[limits]\nio_weight = 50\npids = 9", on: host) == [
                "2:13: limits.io_weight: the io controller is not available: this kernel was built or booted without it"
            ])
    }

    @Test func whereTheGroupGoes() throws {
        #expect(try base(.limited) == .directory("/sys/fs/cgroup"))
        #expect(try base(.inUnit) == .directory("/sys/fs/cgroup/system.slice/a.service"))
        #expect(try base(.inSession) == .scope(.user))
        // The launcher of before has moved the shell that starts this one.
        let moved = Host.inUnit.with { host in
            let unit = host.controlGroups?.own
            host.controlGroups?.parent = unit
            host.controlGroups?.own = .init(path: "/system.slice/a.service/immure.supervisor").with { _ in }
        }
        #expect(try base(moved) == .directory("/sys/fs/cgroup/system.slice/a.service"))
        let own = try plan("[limits]\npids = 9\nscope = \"own\"", on: .inUnit.with { $0.controlGroups?.scope = .own })
        #expect(own.names.contains("request_scope"))
        let container = Host.limited.with { $0.controlGroups?.own?.type = "domain" }
        #expect(try base(container) == .directory("/sys/fs/cgroup"))
    }

    /// What a unit limits does not reach beyond it: it is left only where nothing is lost, or the spec says so.
    @Test func whatIsNotLeft() throws {
        func found(_ path: String, _ change: (inout ControlGroups.Unit) -> Void = { _ in }) throws -> [String] {
            let host = Host.inUnit.with { host in
                host.controlGroups?.own = .init(path: path).with { $0.isWritable = true }
                var unit = ControlGroups.Unit.around(path)
                if unit != nil { change(&unit!) }
                host.controlGroups?.unit = unit
            }
            return try faults("[limits]\npids = 9", on: host)
        }
        let refusal = "is not delegated to the caller: the jail's cgroup cannot be made in it"
        #expect(try found("/system.slice/a.service") == ["1:2: [limits]: a.service \(refusal)"])
        #expect(try found("/system.slice/a.service/sub") == ["1:2: [limits]: a.service \(refusal)"])
        #expect(try found("/system.slice/a.service/sub") { $0.isDelegated = true } == [])
        #expect(try found("/user.slice/user-0.slice/session-1.scope") == [])
        #expect(
            try found("/user.slice/user-0.slice/session-1.scope") { $0.limits = ["memory.max"] } == [
                "1:2: [limits]: session-1.scope is not delegated to the caller and limits memory.max: the jail's cgroup cannot be "
                    + "made in it"
            ])
        #expect(
            try found("/a.service") { $0.doubt = "no answer" } == [
                "1:2: [limits]: a.service is not known to be delegated (no answer): the jail's cgroup cannot be made in it"
            ])
        #expect(
            try found("/b.scope") { $0.doubt = "no answer" } == [
                "1:2: [limits]: b.scope is not known to be delegated (no answer): the jail's cgroup cannot be made in it"
            ])
    }

    @Test func theUnitAroundAGroup() {
        #expect(ControlGroups.Unit.around("/") == nil && ControlGroups.Unit.around("/user.slice") == nil)
        let users = ControlGroups.Unit.around("/user.slice/user-1000.slice/user@1000.service/app.slice/b.service/x/y")
        #expect(users?.manager == .user && users?.name == "b.service")
        #expect(users?.path == "/user.slice/user-1000.slice/user@1000.service/app.slice/b.service")
        #expect(ControlGroups.Unit.around("/system.slice/c.scope")?.manager == .system)
    }

    @Test(arguments: [
        ("hybrid", "the pids controller is not available: cgroup version 1 has it (a hybrid host)"),
        ("legacy", "the pids controller is not available: cgroup version 1 has it (a hybrid host)"),
        ("missing", "the pids controller is not available: this kernel was built or booted without it"),
        ("held", "the pids controller does not reach /a/b: /a holds it back"),
    ]) func controllers(kind: String, message: String) throws {
        let host = Host.limited.with { host in
            host.controlGroups = host.controlGroups?.with { groups in
                switch kind {
                case "hybrid": (groups.old, groups.available) = (["memory", "pids"], [])
                case "legacy": (groups.old, groups.mount) = (["memory", "pids"], nil)
                case "missing": groups.available = ["memory"]
                default:
                    groups.own = .init(path: "/a/b").with { $0.controllers = ["memory"] }
                    groups.chain = [
                        .init(path: "/").with { $0.enabled = ["memory", "pids"] },
                        .init(path: "/a").with { $0.enabled = ["memory"] },
                    ]
                }
            }
        }
        #expect(try faults("[limits]\npids = 9", on: host) == ["2:8: limits.pids: \(message)"])
    }

    @Test func placesThatWillNotDo() throws {
        func found(_ change: (inout ControlGroups) -> Void) throws -> [String] {
            try faults("[limits]\npids = 9", on: .limited.with { $0.controlGroups = $0.controlGroups?.with(change) })
        }
        #expect(try found { $0.mount = nil } == ["1:2: [limits]: no cgroup2 file system is mounted"])
        #expect(
            try found { $0.own = .init(path: "/t").with { $0.type = "threaded" } } == [
                "1:2: [limits]: /t is a threaded cgroup, which can have no group of processes below it"
            ])
        #expect(
            try found { $0.own = .init(path: "/a").with { $0.isWritable = false } } == [
                "1:2: [limits]: the caller may not make cgroups below /a"
            ])
        #expect(
            try found { ($0.isManaged, $0.own) = (true, .init(path: "/a")) } == [
                "1:2: [limits]: /a is not delegated to the caller, and no manager is there to ask"
            ])
    }

    /// Where systemd clears the group, nobody of immure's need stay.
    @Test func shape() throws {
        let direct = "namespaces.pid = \"host\"\nlimits.pids = 9"
        #expect(try plan(direct, on: .inUnit).shape == .direct)
        #expect(try plan(direct, on: .limited).shape == .supervised)
        #expect(try plan(direct, on: .inUnit).names.contains("enter_cgroup"))
        #expect(try !plan(direct, on: .limited).names.contains("enter_cgroup"))
    }

    @Test func aGroupOfItsOwnInside() throws {
        func delegation(_ text: String, _ host: Host = .limited) throws -> CgroupDelegation? {
            try plan("limits.pids = 9\n" + text, on: host).operations.lazy.compactMap { operation in
                if case .limits(.createCgroup(let delegation)) = operation { delegation } else { nil }
            }.first
        }
        let mount = "[[mount]]\ntarget = \"/cg\"\ntype = \"cgroup\"\n"
        #expect(try delegation("") == CgroupDelegation.none)
        #expect(try delegation(mount) == CgroupDelegation.none)
        #expect(try delegation(mount + "options = [\"rw\"]") == .owned(user: 65534, group: 65534))
        #expect(try delegation(mount + "options = [\"rw\"]", .inSession) == .inner)
        #expect(try delegation("namespaces.nested = true") == .inner)
        #expect(
            try faults(mount + "options = [\"rw\"]") == [
                "2:1: mount /cg: without [limits] this would be the caller's own cgroup"
            ])
    }
}
