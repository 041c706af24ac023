import JailSpec
import LinuxFacts
import SpecFile
import Testing

/// Every key of the contract is known and arrives where it belongs.
@Suite struct ContractTests {
    @Test func theEmptySpecIsTheDefault() throws { #expect(try spec("") == Spec()) }

    @Test func theTopLevel() throws {
        let spec = try spec(contractText)
        #expect(spec.command?.value == ["make", "-j4"])
        #expect(spec.command?.position == Position(file: "dir/t.toml", line: 1, column: 12))
        #expect(spec.cwd.value == "/src")
        #expect(spec.hostname?.value == "jail")
        #expect(spec.timeout?.value == .seconds(600))
        #expect(spec.grace.value == .seconds(5))
    }

    @Test func theFilesystem() throws {
        let filesystem = try spec(contractText).filesystem
        #expect(filesystem.root.value == .system)
        #expect(
            filesystem.proc.value && filesystem.devices.value == .minimal && filesystem.tmp.value == .bytes(2 << 30))
        let mounts = filesystem.mounts.map { ($0.target, $0.source) }
        let expected: [(String, Mount.Source)] = [
            ("/opt/sdk", .bind("/opt/sdk")), ("/data", .bind("/srv/data")),
            ("/home/u/.cache/ccache", .bind("/home/u/.cache/ccache")), ("/etc/ssh", .hidden),
            ("/cache", .bind("/var/cache/x")), ("/scratch", .tmpfs(size: 256 << 20, inodes: 10000, mode: 0o1777)),
            ("/etc/motd", .file(content: "text\n", mode: 0o644)), ("/bin", .symlink(to: "usr/bin")),
            ("/work", .overlay(lower: ["/cwd/dir"], upper: "/cwd/dir/changes", work: "/cwd/dir/changes.work")),
        ]
        #expect(mounts.elementsEqual(expected) { $0 == $1 }, "\(mounts)")
        #expect(
            filesystem.mounts[0].options == MountOptions(.readOnly) && filesystem.mounts[2].options == MountOptions())
        #expect(filesystem.mounts[4].options == MountOptions(.readOnly | .noSetuid | .noDevices | .noExecute))
        #expect(filesystem.mounts[4].quota?.value == 2 << 30 && filesystem.mounts[4].idmap?.value == true)
    }

    @Test func namespacesAndIdentity() throws {
        let spec = try spec(contractText)
        #expect(spec.namespaces.written[.user]?.value == .new && spec.namespaces.written[.pid]?.value == .new)
        #expect(spec.namespaces.monotonic?.value == .seconds(-3600) && spec.namespaces.boottime?.value == .zero)
        #expect(spec.namespaces[.time].value == .new)
        #expect(spec.identity.user?.value == .name("nobody") && spec.identity.group?.value == .name("nogroup"))
        #expect(spec.identity.groups?.value == [] && spec.identity.umask?.value == 0o22)
        #expect(spec.identity.uidMap?.value == .ranges([.init(inside: 0, outside: 1000, count: 1)]))
        #expect(spec.identity.gidMap?.value == .automatic)
    }

    @Test func privilegeAndProcess() throws {
        let spec = try spec(contractText)
        #expect(spec.capabilities.keep?.value == CapabilitySet(.net_bind_service))
        #expect(spec.capabilities.bounding?.value == [] && spec.capabilities.ambient?.value == [])
        #expect(spec.process.fds.value == [3] && spec.process.cpus?.value == [0, 1, 2, 3])
        #expect(spec.process.nice?.value == 0 && spec.process.tty.value == .auto)
        #expect(spec.environment.keep.map(\.value) == ["LANG", "LC_*"])
        #expect(spec.environment.set.map(\.name) == ["CC"] && spec.environment.set[0].value.value == "gcc")
    }

    @Test func limits() throws {
        let spec = try spec(contractText)
        #expect(spec.rlimits.map(\.resource) == [.core, .nofile])
        #expect(spec.rlimits[1].soft == 1024 && spec.rlimits[1].hard == 4096)
        let limits = try #require(spec.limits?.value)
        #expect(limits.memory?.value == 512 << 20 && limits.swap?.value == 0 && limits.cpu?.value == 150)
        #expect(limits.cpus?.value == [0, 1] && limits.pids?.value == 64)
        #expect(limits.ioWeight?.value == 50)
        #expect(limits.io.map(\.device.value) == ["/var"] && limits.io[0].rbps?.value == 10 << 20)
    }

    @Test func filters() throws {
        let spec = try spec(contractText)
        let seccomp = try #require(spec.seccomp?.value)
        #expect(seccomp.profile?.value == .default && seccomp.defaultAction?.value == .errno(1))
        #expect(seccomp.allow.map(\.value) == ["@system-service"] && seccomp.deny.map(\.value) == ["ptrace", "@mount"])
        #expect(seccomp.rules.count == 1 && seccomp.rules[0].call.value == "socket")
        #expect(seccomp.rules[0].arguments.map(\.value.value) == ["AF_UNIX"])
        let landlock = try #require(spec.landlock?.value)
        #expect(landlock.rules.map { "\($0.grant) \($0.path.value)" } == ["ro /usr/share"])
        #expect(landlock.files?.value == .ro && landlock.bindTCP?.value == [8080])
        #expect(
            landlock.scope?.value.map(\.value) == [.signal, .abstractUnixSocket] && landlock.minimumABI?.value == 4)
        #expect(spec.network.mode?.value == .user)
        #expect(spec.network.publish.map { "\($0.value)" } == ["127.0.0.1:8080:80/tcp"])
        let allowed = ["10.0.0.0/8:443/tcp", "deb.example.org:443", "*.example.org:443"]
        #expect(spec.network.allow?.value.map { "\($0.value)" } == allowed)
        #expect(spec.network.dns?.value.map(\.value.bytes) == [[10, 0, 0, 53]])
    }

    /// The planner and the runtime shift by these numbers.
    @Test func tablesAreInKernelOrder() {
        let capabilities: [Capability: UInt8] = [
            .chown: 0, .kill: 5, .setpcap: 8, .net_bind_service: 10, .net_raw: 13, .sys_chroot: 18, .sys_admin: 21,
            .sys_time: 25, .mknod: 27, .setfcap: 31, .syslog: 34, .audit_read: 37, .perfmon: 38, .bpf: 39,
            .checkpoint_restore: 40,
        ]
        for (capability, number) in capabilities { #expect(capability.rawValue == number) }
        #expect(Capability.allCases.count == 41)
        let resources = [
            "cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile", "memlock", "as", "locks", "sigpending",
            "msgqueue", "nice", "rtprio", "rttime",
        ]
        #expect(Resource.allCases.map(\.name) == resources)
        #expect(Resource.allCases.map(\.rawValue) == Array(0..<16))
    }
}
