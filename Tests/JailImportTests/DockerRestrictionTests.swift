import JailImport
import JailSpec
import LinuxFacts
import SpecFile
import Testing

/// What a command line of docker's restricts is restricted in the jail, or told as lost; what it does not open stays closed.
@Suite struct DockerRestrictionTests {
    private func draft(_ line: String) -> Draft {
        DockerImport.draft(line.split(separator: " ").map(String.init), in: nil, ImportContext())
    }

    @Test func `what is dropped of all capabilities is not there`() throws {
        let kept = try #require(draft("run --network none --cap-add ALL --cap-drop SYS_ADMIN x").spec.capabilities.keep)
        #expect(!kept.value.contains(.sys_admin) && kept.value.contains(.net_admin))
        let both = try draft("run --cap-drop ALL --cap-add CHOWN --cap-drop CHOWN x").spec.capabilities.keep
        #expect(both?.value.capabilities == [.chown], "what is added by name counts for more")
        #expect(draft("run --cap-drop WAT x").faults.map(\.message) == ["unknown capability WAT"])
    }

    @Test func `a user who is not root has none in docker, and in podman what is added`() throws {
        #expect(try draft("docker run -u 5 --cap-add SYS_ADMIN x").spec.capabilities.keep == nil)
        #expect(try draft("podman run -u 5 --cap-add CHOWN x").spec.capabilities.keep?.value.contains(.chown) == true)
    }

    @Test(arguments: [
        "--tmpfs /x:size=50%", "--tmpfs /x:wat", "-v name:/usr:ro", "--mount type=volume,src=n,dst=/u,readonly",
        "--mount type=bind,src=/a,dst=/b,wat", "--security-opt mask=/proc/x --cap-add SYS_ADMIN",
        "--security-opt wat=1",
        "--runtime runsc", "--runtime=io.containerd.kata.v2", "--sysctl net.ipv6.conf.all.disable_ipv6=1",
    ]) func `what restricts and has no line makes the status 1`(_ words: String) {
        let made = draft("run \(words) x")
        #expect(made.faults.isEmpty && made.hasLostRestrictions, "\(made.faults)")
    }

    @Test func `what restricts a volume does so in the jail`() throws {
        let spec = try draft(
            "podman run -v /a:/a:noexec -v /b:/b:O --mount type=bind,src=/c,dst=/c,noexec,bind-recursive=disabled "
                + "--tmpfs /t:nr_inodes=9 --security-opt mask=/d:/e x"
        ).spec
        #expect(spec.mount(at: "/a")?.options.asked == .noExecute && spec.mount(at: "/b")?.options.asked == .readOnly)
        let last = try #require(spec.mount(at: "/c"))
        #expect(last.options.asked == .noExecute && !last.options.isRecursive)
        #expect(spec.mount(at: "/t")?.source == .tmpfs(size: nil, inodes: 9, mode: 0o1777))
        #expect(spec.mount(at: "/d")?.source == .hidden && spec.mount(at: "/e")?.source == .hidden)
    }

    @Test func `the network of another container is not the host's`() throws {
        for words in ["--network none", "--network name=none,alias=x", "--network container:vpn"] {
            #expect(try draft("run \(words) x").spec.network.mode == nil, "\(words)")
        }
        #expect(try draft("run --network name=host x").spec.network.mode?.value == .host)
        #expect(draft("run --network inner x").said(.warning).contains { $0.contains("--internal") })
    }

    @Test func `the last of a flag counts, and is a boolean`() throws {
        #expect(try draft("run --read-only --read-only=false x").spec.filesystem.changes != nil)
        #expect(try draft("run --read-only=0 --read-only=1 x").spec.filesystem.changes == nil)
        #expect(!draft("run --read-only=yes x").faults.isEmpty)
    }

    @Test func `memory may be swapped as docker lets it`() throws {
        func swap(_ words: String) throws -> UInt64? { try draft("run \(words) x").spec.limits?.value.swap?.value }
        #expect(try swap("-m 1g") == 1 << 30 && swap("-m 1g --memory-swap 1g") == 0)
        #expect(try swap("-m 1g --memory-swap -1") == nil && swap("-m 1g --memory-swap 0") == 1 << 30)
        #expect(try draft("run -m 1.5g x").spec.limits?.value.memory?.value == 3 << 29)
        #expect(try draft("run -m 0 --cpus 0 --cpu-shares 0 --pids-limit -1 --blkio-weight 0 x").spec.limits == nil)
        #expect(try draft("run --blkio-weight 500 x").spec.limits?.value.ioWeight?.value == 4950)
    }

    @Test(arguments: [
        "--cpu-quota 9223372036854775807", "--cpus 9000000000000000000", "--cpu-shares many", "--cpu-period x",
        "--blkio-weight 5", "--blkio-weight x",
        "-v /a:/b:wat", "-v /a:/b:ro:x", "-v :/b", "--mount type=bind,dst=/b", "--mount type=bind,\"src=/a,dst=/b",
    ]) func `what docker refuses is a fault, and no trap`(_ words: String) {
        #expect(!draft("run \(words) x").faults.isEmpty)
    }

    @Test func `a field in quotes has its commas`() throws {
        let spec = try draft("run --mount type=bind,\"src=/a,b\",dst=/c x").spec
        #expect(spec.mount(at: "/c")?.source == .bind("/a,b"))
    }
}
