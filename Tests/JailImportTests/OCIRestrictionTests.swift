import JailImport
import JailSpec
import LinuxFacts
import SpecFile
import Testing

/// What a bundle restricts is restricted in the jail, or told as lost.
@Suite struct OCIRestrictionTests {
    private func draft(_ rest: String) -> Draft {
        let json = #"{"ociVersion": "1.0.0", "root": {"path": "rootfs"}, "# + rest + "}"
        return OCIImport.draft(of: [ImportSource(name: "b/config.json", text: Array(json.utf8))], [], ImportContext())
    }

    private func mount(_ type: String, _ target: String, _ options: String) -> Draft {
        let list = options.split(separator: ",").map { "\"\($0)\"" }.joined(separator: ", ")
        return draft(
            #""mounts": [{"destination": "\#(target)", "type": "\#(type)", "source": "/s", "options": [\#(list)]}]"#)
    }

    @Test func `the last of two options counts where the first opens`() throws {
        #expect(try mount("bind", "/d", "dev,nodev").spec.mount(at: "/d")?.options.asked == [])
        func groups(_ options: String, _ limits: String) throws -> MountOptions? {
            let mounts =
                #""mounts": [{"destination": "/sys/fs/cgroup", "type": "cgroup", "options": ["# + options + "]}]"
            return try draft(mounts + limits).spec.mount(at: "/sys/fs/cgroup")?.options
        }
        let limits = #", "linux": {"resources": {"pids": {"limit": 9}}}"#
        let closed = try groups(#""ro""#, limits)
        #expect(try closed != nil && groups(#""rw", "ro""#, limits) == closed)
        #expect(try groups(#""rw""#, limits) != closed)
        // The caller's own it may never write to.
        #expect(try groups(#""rw""#, "") == groups(#""ro""#, ""))
    }

    @Test(arguments: [
        ("proc", "/proc", "hidepid=2"), ("proc", "/proc", "subset=pid"), ("tmpfs", "/dev/shm", "size=10%"),
        ("tmpfs", "/dev/shm", "nr_inodes=4"), ("tmpfs", "/t", "size=10%"), ("bind", "/t", "rnosymfollow"),
    ]) func `an option that restricts and has no line makes the status 1`(
        _ type: String, _ target: String, _ option: String
    ) {
        let made = mount(type, target, option)
        #expect(made.faults.isEmpty && made.hasLostRestrictions, "\(made.faults)")
    }

    @Test func `settings of namespaces are told apart`() {
        func sets(_ name: String, _ value: String) -> Bool {
            draft(#""linux": {"sysctl": {"\#(name)": "\#(value)"}}"#).hasLostRestrictions
        }
        #expect(
            sets("net.ipv6.conf.all.disable_ipv6", "1") && sets("kernel.shmmax", "4096")
                && sets("net.ipv4.ip_forward", "0"))
        #expect(!sets("net.ipv4.ip_unprivileged_port_start", "0") && !sets("net.ipv4.tcp_keepalive_time", "60"))
    }

    @Test func `a quota that is none leaves the other limits, and none is too long to multiply`() throws {
        let made = try draft(
            #""linux": {"resources": {"cpu": {"quota": 0, "cpus": "0"}, "memory": {"swap": -1, "limit": 4096}}}"#
        )
        .spec
        #expect(made.limits?.value.memory?.value == 4096 && made.limits?.value.cpus != nil)
        for words in [
            #""linux": {"resources": {"cpu": {"quota": 9223372036854775807}}}"#,
            #""linux": {"timeOffsets": {"monotonic": {"secs": 9223372036854775807}}}"#,
        ] { #expect(!draft(words).faults.isEmpty) }
        #expect(draft(#""linux": {"resources": {"cpu": {"mems": "0"}}}"#).hasLostRestrictions)
    }
}
