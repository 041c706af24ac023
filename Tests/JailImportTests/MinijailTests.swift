import JailImport
import JailSpec
import LinuxFacts
import SpecFile
import Testing

@Suite struct MinijailTests {
    private func draft(_ text: String, policy: String? = nil) -> Draft {
        var sources = [ImportSource(name: "a.conf", text: Array(("% minijail-config-file v0\n" + text).utf8))]
        if let policy { sources.append(ImportSource(name: "a.policy", text: Array(policy.utf8))) }
        return MinijailImport.draft(of: sources, [], ImportContext())
    }

    private func policy(_ text: String) throws -> SeccompPolicy {
        let source = ImportSource(name: "a.policy", text: Array(text.utf8))
        return try #require(try MinijailImport.draft(of: [source], [], ImportContext()).spec.seccomp).value
    }

    @Test func `a service of ChromeOS`() throws {
        let made = draft(
            """
            # comment
            e
            l
            N
            n
            p
            uts
            u = ocr
            g = ocr
            c = cap_net_admin,cap_setpcap=e
            profile = minimalistic-mountns
            mount = tmpfs,/run,tmpfs,MS_NODEV|MS_NOSUID|MS_NOEXEC,mode=755,size=10M
            bind-mount = /run/dbus
            b = /var/lib/x,,1
            mount = /run/y,/run/y,none,MS_BIND|MS_REC
            b = /dev/dri
            R = 13,40,40
            """)
        let spec = try made.spec
        #expect(
            spec.filesystem.root.value == .system && spec.network.mode == nil && spec.namespaces[.pid].value == .new)
        #expect(spec.namespaces[.user].value == .host && spec.identity.user?.value == .name("ocr"))
        #expect(spec.capabilities.keep?.value.capabilities == [.setpcap, .net_admin])
        #expect(spec.mount(at: "/run")?.source == .tmpfs(size: 10 << 20, inodes: nil, mode: 0o755))
        #expect(
            spec.mount(at: "/run/dbus")?.options.asked == .readOnly
                && spec.mount(at: "/var/lib/x")?.options.asked.isEmpty == true)
        #expect(spec.mount(at: "/dev/dri")?.options.opened.hasAll(of: .noDevices) == true)
        #expect(spec.rlimits.first?.resource.name == "nice" && spec.rlimits.first?.soft == 40)
        #expect(!made.hasLostRestrictions)
    }

    @Test func `without options all is the host's`() throws {
        let spec = try draft("u = 7\nc = 0x3").spec
        #expect(spec.filesystem.root.value == .host && spec.network.mode?.value == .host)
        for kind in [NamespaceKind.pid, .ipc, .uts, .cgroup, .user] { #expect(spec.namespaces[kind].value == .host) }
        #expect(spec.capabilities.keep?.value.capabilities == [.chown, .dac_override])
    }

    @Test func `a policy becomes lists and rules`() throws {
        let made = try policy(
            """
            read: 1
            execve: 1
            mmap: arg2 in ~PROT_EXEC || arg2 in ~PROT_WRITE
            socket: arg0 == AF_UNIX || arg0 == AF_NETLINK && \\
                arg2 == 0
            getrandom: arg2 in ~GRND_RANDOM
            ptrace: return EPERM
            prctl: arg0 == PR_SET_NAME; return 1
            fchmod: arg1 in 010777
            kill: 0
            """)
        #expect(made.defaultAction?.value == .kill)
        #expect(made.allow.map(\.value) == ["read", "execve", "mmap", "getrandom", "fchmod"])
        func rules(_ call: String) -> [SeccompPolicy.Rule] { made.rules.filter { $0.call.value == call } }
        #expect(rules("mmap").count == 1 && rules("mmap")[0].action == .kill && rules("mmap")[0].arguments.count == 2)
        #expect(rules("socket").map(\.arguments.count) == [1, 2] && rules("socket").allSatisfy { $0.action == .allow })
        #expect(
            rules("getrandom").first?.arguments.first?.value.value == "2" && rules("ptrace").first?.action == .errno(1))
        #expect(rules("prctl").map(\.action) == [.allow, .errno(1)])
        #expect(rules("fchmod").first?.arguments.first?.op == .masked)
    }

    @Test func `what is unknown is an error, and what restricts is a loss`() {
        #expect(draft("wat = 1").faults.first?.message == "minijail0 has no option wat")
        #expect(draft("wat = 1").faults.first?.position?.line == 2)
        #expect(draft("S = /nowhere").hasLostRestrictions)
        #expect(draft("f = /run/x.pid").directives(.outside).contains("f = /run/x.pid"))
        #expect(!draft("B = 0x3").hasLostRestrictions, "bits that are not to be set")
        #expect(!draft("S = /nowhere", policy: "execve: 1\nread: 1").hasLostRestrictions)
        #expect(draft("n", policy: "raed: 1").faults.first?.hint == "did you mean read?")
    }

    @Test func `flags of a mount are names or numbers`() throws {
        let spec = try draft(
            "mount = /a,/a,none,0x1001\nmount = /b,/b,none,MS_BIND|MS_NOEXEC|MS_REC\nmount = t,/t,tmpfs,9"
        ).spec
        #expect(spec.mount(at: "/a")?.options.asked == .readOnly)
        #expect(spec.mount(at: "/b")?.options.asked == .noExecute)
        #expect(spec.mount(at: "/t")?.options.asked.hasAll(of: .readOnly | .noExecute) == true)
        for flags in ["MS_WAT", "0x80000000", "1e3"] {
            #expect(draft("mount = /a,/a,none,\(flags)").faults.first?.position?.line == 2, "\(flags)")
        }
        #expect(!draft("n", policy: "read: arg0 == ~1").faults.isEmpty)
    }
}
