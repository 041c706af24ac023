import JailPlan
import JailSpec
import LinuxFacts
import TestSupport
import Testing

@Suite struct ProcTests {
    private let protected = ["bus", "fs", "irq", "sys", "sysrq-trigger"].map { "protect /proc/\($0)" }
    private let masked = ["kcore", "keys", "kmsg", "timer_list", "sched_debug", "latency_stats"].map {
        "mask /proc/\($0)"
    }

    /// Files of procfs that concern the whole host belong to its uid 0.
    @Test(arguments: [
        ("", Host.root, false), ("", .user, false), ("identity.user = 0", .user, false),
        ("identity.user = 0", .root, true),
        ("identity.user = \"root\"", .root, true), ("namespaces.user = \"host\"", .root, true),
        ("namespaces.user = \"host\"\nidentity.user = 0", .root, true), ("namespaces.user = \"/run/ns\"", .root, true),
        ("namespaces.user = \"/run/ns\"", .user, true), (Shape.auto, .root, false), (Shape.auto, .user, false),
        (
            "identity = { uid_map = [{ inside = 65534, outside = 7, count = 1 }, { inside = 5, outside = 0, count = 7 }] }",
            .root, true
        ),
        ("identity = { uid_map = [{ inside = 65534, outside = 7, count = 1 }] }", .root, false),
    ]) func isMaskedWhereUidZeroIsReachable(text: String, host: Host, isMasked: Bool) throws {
        let placements = Set(try plan(text, on: host).placements)
        for mask in protected + masked { #expect(placements.contains(mask) == isMasked, "\(mask)") }
    }

    /// What everybody may read of the host's hardware is covered, but where a jail is to be made in the jail: the kernel mounts
    /// no second proc where the first is covered in part.
    @Test func theHostsHardwareIsMasked() throws {
        let masks = ["acpi", "asound", "interrupts", "scsi"].map { "mask /proc/\($0)" }
        for host in [Host.root, .user] {
            #expect(Set(try plan("", on: host).placements).isSuperset(of: masks))
            #expect(Set(try plan("namespaces.nested = true", on: host).placements).isDisjoint(with: masks))
            let shown = try plan("filesystem.ro = [\"/proc/interrupts\"]", on: host)
            #expect(!shown.placements.contains("mask /proc/interrupts"))
        }
        let text = "[[mount]]\ntarget = \"/sys\"\ntype = \"sysfs\""
        #expect(
            Set(try plan(text).placements).isSuperset(of: ["mask /sys/firmware", "mask /sys/devices/virtual/powercap"]))
    }

    @Test func aProcElsewhereIsMaskedAsWell() throws {
        let text = "identity.user = 0\n[[mount]]\ntarget = \"/p\"\ntype = \"proc\""
        let placements = try plan(text).placements
        #expect(placements.contains("mask /p/kcore") && placements.contains("mask /proc/kcore"))
    }

    private func parameters(_ text: String) throws -> [String] {
        guard case .tree(.fill(_, .fileSystem(let proc), _))? = try plan(text).source(on: "/proc") else {
            return ["none"]
        }
        return proc.parameters.map { "\($0.key)=\($0.value ?? "")" }
    }

    /// In a shared pid namespace other users' processes are not even listed, proc(5).
    @Test func hidepid() throws {
        #expect(try parameters("") == [])
        #expect(try parameters("namespaces.pid = \"host\"") == ["hidepid=invisible"])
        #expect(try parameters("namespaces.pid = \"/run/ns\"") == ["hidepid=invisible"])
    }

    @Test(arguments: ["host", "/run/ns"]) func anOrdinaryUserCannotHaveIt(_ pid: String) throws {
        let text = "namespaces.pid = \"\(pid)\"\n"
        #expect(
            try faults(text, on: .user) == ["1:18: only root can mount the proc of a shared pid namespace"])
        #expect(try faults(text + "filesystem.proc = false", on: .user) == [])
        #expect(try faults(text, on: .root) == [])
    }

    /// Fsopen(2) takes the pid namespace that the caller is in, and setns(2) puts only its children into the joined one.
    @Test func procOfAJoinedPidNamespaceIsMountedInside() throws {
        let names = try plan("namespaces = { pid = \"/run/ns\", user = \"host\" }").operations
        let created = try #require(names.firstIndex { $0.operationName == "create_namespaces" })
        let proc = try #require(
            names.firstIndex {
                if case .tree(.fill(_, .fileSystem(let system), _)) = $0 { system.type == "proc" } else { false }
            })
        #expect(created < proc)
    }
}
