import LinuxFacts
import Testing

@testable import Kernel

/// Texts of procfs, as several kernels write them.
@Suite struct StatusTests {
    private static let status = """
        Name:\ta (deleted) Uid:\t7
        Umask:\t0022
        State:\tR (running)
        Uid:\t1000\t1001\t1002\t1003
        Gid:\t65534\t65534\t65534\t65534
        FDSize:\t256
        Groups:\t4 24 27
        SigBlk:\t0000000000010000
        SigIgn:\t0000000000001000
        SigCgt:\t0000000180004002
        CapInh:\t0000000000000400
        CapPrm:\t0000000000000401
        CapEff:\t0000000000000402
        CapBnd:\t000001ffffffffff
        CapAmb:\t0000000000000000
        NoNewPrivs:\t1
        Seccomp:\t2
        Seccomp_filters:\t3

        """

    @Test func aWholeStatus() {
        let status = ProcessStatus(Array(Self.status.utf8))
        #expect(status.users == [1000, 1001, 1002, 1003] && status.groups == [65534, 65534, 65534, 65534])
        #expect(status.supplementary == [4, 24, 27] && status.umask == 0o22 && status.descriptorTable == 256)
        #expect(status.blocked == 0x10000 && status.ignored == 0x1000)
        #expect(status.inheritable == 0x400 && status.permitted == 0x401 && status.effective == 0x402)
        #expect(status.bounding == 0x1ff_ffff_ffff && status.ambient == 0)
        #expect(status.noNewPrivileges == 1 && status.seccomp == 2 && status.filters == 3)
    }

    /// A field that a kernel does not have keeps a value that no promise has.
    @Test func aStatusWithoutFields() {
        let lines = Self.status.split(separator: "\n").filter {
            !$0.hasPrefix("Seccomp_filters") && !$0.hasPrefix("CapAmb")
        }
        let status = ProcessStatus(Array(lines.joined(separator: "\n").utf8))
        #expect(status.filters == nil && status.ambient == .max && status.seccomp == 2)
        let nothing = ProcessStatus([])
        #expect(
            nothing.users == [] && nothing.umask == .max && nothing.noNewPrivileges == .max && nothing.bounding == .max)
        let odd = ProcessStatus(Array("Uid\nGid:\n:\nSeccomp:\nGroups:".utf8))
        #expect(odd.users == [] && odd.groups == [] && odd.seccomp == 0 && odd.supplementary == [])
    }

    @Test func mountinfo() {
        let text = """
            25 1 0:23 / / ro,nosuid,nodev,relatime - tmpfs none rw,mode=755
            31 25 8:1 /etc /e\\040tc rw,noexec,noatime,nodiratime shared:5 master:2 - ext4 /dev/root rw
            30 25 8:1 / /x rw,nosymfollow - ext4 /dev/root rw

            not a mount
            """
        let table = MountTable(parsing: Array(text.utf8))
        #expect(table.indices.map { table[$0].identity } == [25, 30, 31] && !table.hasUniqueIdentities)
        #expect(table[0].attributes.rawValue == 1 | 2 | 4 && !table[0].propagates)
        #expect(table[1].attributes.rawValue == 0x20 | 0x200000 && table[1].parent == 25)
        #expect(table[2].attributes.rawValue == 8 | 0x10 | 0x80 && table[2].propagates)
        #expect(table.index(of: 31) == 2 && table.index(of: 26) == nil && MountTable(parsing: []).index(of: 1) == nil)
    }

    /// Of two ways to ask the same kernel, each tells the same mounts.
    @Test func theKernelsTwoTables() throws {
        let file = try open("/proc/self/mountinfo", .read)
        let parsed = try readAll(file.number)
        let table = try MountTable { () throws(KernelError) in parsed }
        #expect(table.count == MountTable(parsing: parsed).count)
    }

    @Test func descriptors() throws {
        // (Other tests open and close at the same time: only what is passed to the function is held here.)
        let file = try open("/dev/null", .read)
        #expect(strayDescriptor(keeping: [file.number], count: 0) { 3 } == file.number)
    }
}
