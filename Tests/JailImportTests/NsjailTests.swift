import JailImport
import JailSpec
import LinuxFacts
import SpecFile
import Testing

@Suite struct NsjailTests {
    private func draft(_ text: String, _ files: [String: String] = [:]) -> Draft {
        NsjailImport.draft(
            of: [ImportSource(name: "a.cfg", text: Array(text.utf8))], [],
            ImportContext(read: { files[$0].map { Array($0.utf8) } }))
    }

    private func policy(_ kafel: String) throws -> SeccompPolicy {
        let lines = kafel.split(separator: "\n").map { "seccomp_string: \"\($0)\"" }.joined(separator: "\n")
        return try #require(try draft(lines).spec.seccomp).value
    }

    @Test func `the defaults are those of config.proto`() throws {
        let spec = try draft("mode: ONCE").spec
        func limit(_ name: String) -> UInt64? { spec.rlimits.first { $0.resource.name == name }?.soft }
        #expect(limit("as") == 4096 << 20 && limit("cpu") == 600 && limit("fsize") == 1 << 20 && limit("nofile") == 32)
        #expect(limit("core") == 0 && limit("nproc") == nil)
        #expect(
            spec.timeout?.value == .seconds(600) && spec.process.nice?.value == 19 && !spec.process.initProcess.value)
        #expect(spec.hostname?.value == "NSJAIL" && spec.filesystem.root.value == .empty && !spec.filesystem.proc.value)
        #expect(!spec.environment.defaults.value && spec.process.tty.value == .none)
    }

    @Test func `mounts keep their options and their order`() throws {
        let made = draft(
            """
            mount { src: "/srv/root" dst: "/" is_bind: true rw: true }
            mount: [ { src: "/lib" dst: "/lib" is_bind: true }, { dst: "/tmp" fstype: "tmpfs" rw: true options: "size=8388608" } ]
            mount { prefix_src_env: "HOME" src: "/Documents" dst: "/d" is_bind: true rw: true mandatory: false }
            mount { src_content: "nameserver 8.8.8.8\\n" dst: "/etc/resolv.conf" }
            mount { src: "/proc/self/fd" dst: "/run/fd" is_symlink: true }
            mount { dst: "/proc" fstype: "proc" }
            mount { src: "/a" dst: "/x/y" is_bind: true }
            mount { src: "/b" dst: "/x" is_bind: true noexec: true }
            mount { src: "/dev/dri" dst: "/dev/dri" is_bind: true rw: true }
            """)
        let spec = try made.spec
        #expect(spec.filesystem.root.value == .directory("/srv/root") && spec.filesystem.writable.value)
        #expect(spec.mount(at: "/lib")?.options.asked == .readOnly)
        #expect(spec.mount(at: "/tmp")?.source == .tmpfs(size: 8 << 20, inodes: nil, mode: 0o1777))
        #expect(spec.mount(at: "/d")?.source == .bind("/home/u/Documents") && spec.mount(at: "/d")?.optional == true)
        #expect(spec.mount(at: "/etc/resolv.conf")?.source == .file(content: "nameserver 8.8.8.8\n", mode: 0o644))
        #expect(spec.mount(at: "/run/fd")?.source == .symlink(to: "/proc/self/fd"))
        #expect(spec.mount(at: "/proc")?.source == .proc && spec.mount(at: "/proc")?.options.asked == .readOnly)
        #expect(spec.mount(at: "/x/y") == nil && made.said(.warning).contains { $0.contains("covers it") })
        #expect(spec.mount(at: "/dev/dri")?.options.opened.hasAll(of: .noDevices) == true)
    }

    @Test func `a group that no gidmap names is the caller's`() throws {
        func group(_ text: String, caller: UInt32?) throws -> Identity.Account? {
            try NsjailImport.draft(
                of: [ImportSource(name: "a.cfg", text: Array(text.utf8))], [], ImportContext(group: caller)
            ).spec.identity.group?.value
        }
        let user = "uidmap { inside_id: \"1000\" outside_id: \"1000\" }\n"
        #expect(try group(user, caller: 7) == .id(7) && group(user, caller: nil) == nil)
        #expect(try group("mode: ONCE", caller: 7) == nil)
        #expect(try group(user + "gidmap { inside_id: \"9\" outside_id: \"7\" }", caller: 7) == .id(9))
    }

    @Test func `groups that the jail would share are shown read-only`() throws {
        let mount = "mount { dst: \"/sys/fs/cgroup\" fstype: \"cgroup2\" rw: true }\n"
        let shared = draft(mount), own = draft(mount + "cgroup_pids_max: 9")
        #expect(try shared.spec.mount(at: "/sys/fs/cgroup")?.source == .cgroup)
        #expect(shared.said(.warning).contains { $0.contains("no control group of its own") })
        #expect(try own.spec.mount(at: "/sys/fs/cgroup")?.options != shared.spec.mount(at: "/sys/fs/cgroup")?.options)
        #expect(!own.said(.warning).contains { $0.contains("no control group of its own") })
    }

    @Test func `what nsjail refuses is refused with its line`() {
        let made = draft(
            "hostname: \"x\"\nmount {\n  dst: \"/x\"\n  readonly: true\n}\nuidmap { inside_id: 0 }\nchroot: \"/\"")
        #expect(made.faults.map(\.message).contains("nsjail has no field readonly"))
        #expect(made.faults.first { $0.message.contains("readonly") }?.position?.line == 4)
        #expect(made.faults.first { $0.message.contains("inside_id") }?.position?.line == 6)
        #expect(made.faults.contains { $0.message == "nsjail has no field chroot" })
        #expect(draft("mount {").faults.first?.message.hasPrefix("not a protobuf text") == true)
    }

    @Test func `ids, limits and namespaces`() throws {
        let spec = try draft(
            """
            uidmap { inside_id: "0" outside_id: "1000" count: 1 } gidmap { inside_id: "7" }
            clone_newnet: false clone_newcgroup: false keep_env: true envar: "A=${B}" envar: "DISPLAY"
            cap: "CAP_NET_RAW" pass_fd: 1 pass_fd: 5 max_cpus: 2 time_limit: 0 nice_level: 0
            rlimit_as_type: INF rlimit_nofile: 9 cgroup_mem_max: 4096 cgroup_cpu_ms_per_sec: 500 cgroup_pids_max: 3
            """
        ).spec
        #expect(spec.identity.user?.value == .id(0) && spec.identity.group?.value == .id(7))
        #expect(spec.identity.uidMap?.value == .ranges([.init(inside: 0, outside: 1000, count: 1)]))
        #expect(spec.network.mode?.value == .host && spec.namespaces[.cgroup].value == .host)
        #expect(
            spec.environment.keep.map(\.value) == ["*", "DISPLAY"] && spec.environment.set.first?.value.value == "${B}")
        #expect(spec.capabilities.keep?.value.capabilities == [.net_raw] && spec.process.fds.value == [5])
        #expect(spec.timeout == nil && spec.process.nice == nil && spec.process.cpus?.value == [0, 1])
        #expect(spec.limits?.value.memory?.value == 4096 && spec.limits?.value.cpu?.value == 50)
    }

    @Test func `a policy of kafel's becomes lists and rules`() throws {
        let kill = try policy("ALLOW { read, newstat, execve }\nDEFAULT KILL_PROCESS")
        #expect(kill.defaultAction?.value == .kill && kill.allow.map(\.value) == ["read", "stat", "execve"])
        let mixed = try policy(
            "#define MINE 2\nPOLICY a { ERRNO(13) { ptrace, socket { family == MINE || family == 10 } } }\n"
                + "USE a KILL_PROCESS { syslog } ALLOW { ptrace } DEFAULT ALLOW")
        #expect(mixed.defaultAction?.value == .allow && mixed.kill.map(\.value) == ["syslog"] && mixed.allow.isEmpty)
        let sockets = mixed.rules.filter { $0.call.value == "socket" }
        #expect(
            sockets.map(\.arguments.first?.value.value) == ["2", "10"] && sockets.allSatisfy { $0.action == .errno(13) }
        )
        #expect(mixed.rules.contains { $0.call.value == "ptrace" && $0.arguments.isEmpty })
        let masks = try policy("ALLOW { execve, mmap { (prot & PROT_EXEC) != 0 && !(flags == 2) } }")
        #expect(masks.defaultAction?.value == .kill)
        #expect(masks.rules.first?.arguments.map(\.op) == [.masked, .notEqual])
    }

    @Test func `bits that must not be set are taken away`() throws {
        let made = try policy(
            "ALLOW { execve, mmap { (prot & PROT_EXEC) == 0 || (prot & PROT_WRITE) == 0 } } DEFAULT ERRNO(1)")
        #expect(made.allow.map(\.value) == ["execve", "mmap"] && made.rules.count == 1)
        #expect(made.rules[0].action == .errno(1) && made.rules[0].arguments.map(\.op) == [.masked, .masked])
    }

    @Test func `a policy that cannot be said is an error`() {
        #expect(draft("seccomp_string: \"ALLOW { raed } DEFAULT ALLOW\"").faults.first?.hint == "did you mean read?")
        #expect(
            draft("seccomp_string: \"ALLOW { execve, mmap { (prot & 6) == 2 } }\"").faults.first?.message.contains(
                "cannot say") == true)
        #expect(draft("seccomp_string: \"TRACE(1) { read } DEFAULT ALLOW\"").hasLostRestrictions)
        #expect(draft("seccomp_policy_file: \"p\"").faults.count == 1)
        #expect(draft("seccomp_policy_file: \"p\"", ["p": "ERRNO(1) { ptrace } DEFAULT ALLOW"]).faults.isEmpty)
    }
}
