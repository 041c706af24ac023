import JailImport
import JailSpec
import SpecFile
import Testing

/// Files that are a bit odd: what they restrict is in the spec, told as lost, or a fault.
@Suite struct OddInputTests {
    private func context(_ isRoot: Bool = false) -> ImportContext { ImportContext(isRoot: isRoot) }

    private func source(_ name: String, _ text: String) -> [ImportSource] {
        [ImportSource(name: name, text: Array(text.utf8))]
    }

    private func firejail(_ text: String, root: Bool = false) -> Draft {
        FirejailImport.draft(of: source("x.profile", text), [], context(root))
    }

    private func unit(_ text: String) -> Draft {
        SystemdImport.draft(of: source("x.service", "[Service]\nExecStart=/bin/true\n" + text), [], context())
    }

    private func minijail(_ text: String) -> Draft {
        MinijailImport.draft(of: source("x.conf", "% minijail-config-file v0\n" + text), [], context())
    }

    // MARK: Lines

    @Test func `lines that end with CR and LF are lines`() throws {
        let profile = firejail("private\r\nnet none\r\nblacklist /etc/shadow\r\n")
        #expect(try profile.spec.mount(at: "/etc/shadow")?.source == .hidden)
        #expect(try profile.spec.network.mode == nil)
        let lines = "ReadOnlyPaths=/srv\r\nPrivateNetwork=yes\r\n"
        #expect(try unit(lines).spec.network.mode == nil && unit(lines).spec.mount(at: "/srv") != nil)
    }

    @Test func `a backslash goes on only where it is the last and not escaped`() throws {
        #expect(try unit("SyslogIdentifier=b \\ \nPrivateNetwork=yes\n").spec.network.mode == nil)
        #expect(try unit("Environment=A=b\\\\\nPrivateNetwork=yes\n").spec.network.mode == nil)
        #expect(try unit("ReadOnlyPaths=/srv \\\n# no\n/opt").spec.mount(at: "/opt") != nil)
    }

    @Test func `a last line that goes on is read`() throws {
        #expect(try unit("PrivateNetwork=yes \\").spec.network.mode == nil)
        #expect(try minijail("P = /var/empty\nR = 7,1,1 \\").spec.rlimits.count == 1)
    }

    @Test func `a path that is not UTF-8 is a fault`() {
        let text = Array("private\nblacklist /etc/".utf8) + [0xFF, 0x0A]
        #expect(!FirejailImport.draft(of: [ImportSource(name: "x", text: text)], [], context()).faults.isEmpty)
        #expect(!unit("ReadOnlyPaths=/srv/\\xff\n").faults.isEmpty)
        #expect(try! unit("ReadOnlyPaths=/srv/\\xc3\\xa9\n").spec.mount(at: "/srv/é") != nil)
    }

    @Test func `a long line is read in the time of a short one`() {
        let path = "/" + String(repeating: "a", count: 900_000)
        #expect(!unit("ReadOnlyPaths=\(path)\n").faults.isEmpty, "longer than a path")
    }

    // MARK: firejail

    @Test func `of firejail's capabilities what drops all counts for the most`() throws {
        func kept(_ text: String) throws -> CapabilitySet {
            try firejail(text, root: true).spec.capabilities.keep?.value ?? []
        }
        #expect(try kept("caps.drop all\ncaps.keep sys_admin").isNone && kept("caps.keep chown\ncaps.drop all").isNone)
        let dropped = try kept("caps.drop kill\ncaps.keep chown")
        #expect(!dropped.contains(.chown) && dropped.contains(.kill), "the last list is the one that is dropped")
        #expect(try kept("caps.keep kill\ncaps.keep chown").capabilities == [.chown])
    }

    @Test func `root passes the modes of files only where it keeps that by name`() throws {
        func passes(_ text: String) throws -> Bool {
            try firejail(text, root: true).spec.capabilities.keep?.value.contains(.dac_override) == true
        }
        #expect(try !passes("nonewprivs") && !passes("caps.drop kill") && passes("caps.keep dac_override"))
    }

    @Test func `of several lists of calls the last is read`() throws {
        let filter = try #require(firejail("seccomp !chroot\nseccomp mkdir").spec.seccomp).value
        #expect(filter.allow.isEmpty && filter.deny.map(\.value) == ["mkdir"])
        let kept = try #require(firejail("seccomp.keep bpf\nseccomp.keep execve,read,exit_group").spec.seccomp).value
        #expect(kept.allow.map(\.value) == ["execve", "read", "exit_group"])
    }

    @Test func `what firejail would not read so is no blacklist`() throws {
        #expect(firejail("blacklist relative/path").hasLostRestrictions && firejail("read-only x").hasLostRestrictions)
        #expect(
            !firejail("blacklist \"/etc/shadow\"").faults.isEmpty
                && !firejail("timeout 9000000000000000:0:0").faults.isEmpty)
        #expect(try firejail("blacklist /etc/ssl#x").spec.mount(at: "/etc/ssl")?.source == .hidden, "a comment")
    }

    @Test(arguments: [
        "blacklist ${HOME}/../../etc/shadow", "read-only /etc/..", "blacklist /etc/a;b", "noexec ${HOME}/$x",
        "bind /a/..,/b",
        "keep-fd x",
    ]) func `a path that firejail refuses is a fault`(_ line: String) {
        #expect(!firejail(line).faults.isEmpty)
    }

    @Test func `an include without an end is one fault, and soon`() {
        let context = ImportContext(read: { path in
            Array((path.hasSuffix("wide.inc") ? "private\n" : String(repeating: "include self.inc\n", count: 40)).utf8)
        })
        let deep = FirejailImport.draft(of: source("x.profile", "include self.inc\n"), [], context)
        #expect(deep.faults.map(\.message).filter { $0.hasPrefix("includes within") }.count == 1)
        let wide = String(repeating: "include wide.inc\n", count: 30_000)
        #expect(FirejailImport.draft(of: source("x.profile", wide), [], context).faults.count == 1)
    }

    @Test func `a configuration of more than ten thousand directives is one fault, and soon`() {
        func many(_ line: String) -> String { String(repeating: line, count: 20_000) }
        for made in [
            firejail(many("blacklist /etc/x\n")), unit(many("ReadOnlyPaths=/x\n")), minijail(many("b = /x\n")),
            MinijailImport.draft(of: source("x.policy", many("read: 1\n")), [], context()),
            nsjail(many("cap: \"CAP_KILL\" ")),
        ] { #expect(made.faults.map(\.message) == ["more than 10000 directives"]) }
    }

    @Test func `descriptors that firejail keeps open are passed on`() throws {
        #expect(try firejail("keep-fd 3,7").spec.process.fds.value == [3, 7])
    }

    // MARK: bubblewrap

    private func bubblewrap(_ text: String) -> Draft {
        BubblewrapImport.draft(of: source("run.sh", text), [], context())
    }

    @Test func `a script's command line is read as a shell reads it`() throws {
        let text =
            "bwrap --ro-bind / / \\\n  --setenv A \"b c\" --setenv B 'd\\' # why\n  --unshare-net \\\n  sh -c \"a\\\"b\"\n"
        let spec = try bubblewrap(text).spec
        #expect(spec.network.mode == nil && spec.command?.value == ["sh", "-c", "a\"b"])
        #expect(spec.environment.set.map(\.value.value).contains("b c"))
        #expect(spec.environment.set.map(\.value.value).contains("d\\"))
        #expect(try bubblewrap("--ro-bind\0/\0/\0--unshare-net\0--setenv\0A\0$x \"y\0true\0").spec.network.mode == nil)
    }

    @Test(arguments: ["$HOME", "\"$HOME\"", "`pwd`", "~/x", "/a; true", "/a | b", "\"/a", "$(pwd)"])
    func `what only a shell knows is a fault`(_ word: String) {
        #expect(!bubblewrap("--unshare-net --ro-bind / / --chdir \(word) sh").faults.isEmpty)
    }

    // MARK: minijail

    @Test(arguments: [
        ("10", [Capability.fsetid]), ("0x3", [.chown, .dac_override]), ("cap_kill=ep cap_chown+eip", [.chown, .kill]),
        ("cap_kill=", []), ("cap_kill=p", []), ("all=eip all-e", []),
        ("=eip cap_kill-e", Capability.allCases.filter { $0 != .kill }),
    ]) func `minijail's capabilities are those in force`(_ text: String, _ expected: [Capability]) throws {
        let made = minijail("P = /var/empty\nc = \(text)")
        #expect(try made.spec.capabilities.keep?.value.capabilities ?? [] == expected)
    }

    @Test(arguments: ["k = tmpfs,/x,tmpfs,0,size=10%", "t = 10%", "k = tmpfs,/x,tmpfs,0,wat=1", "a = table"])
    func `a bound of minijail's that has no line is told`(_ line: String) {
        let made = minijail("P = /var/empty\n\(line)")
        #expect(made.faults.isEmpty && made.hasLostRestrictions, "\(made.faults)")
    }

    @Test func `a call is ended where all others are allowed`() throws {
        func policy(_ text: String) -> Draft { MinijailImport.draft(of: source("x.policy", text), [], context()) }
        let made = try #require(
            policy("@default allow\nptrace: kill\nread: arg0 == 1\nmount: return EPERM").spec.seccomp
        ).value
        #expect(made.kill.map(\.value) == ["ptrace"])
        let read = made.rules.filter { $0.call.value == "read" && $0.action == .kill }
        #expect(read.count == 1 && read[0].arguments.first?.op == .notEqual)
        let late = try #require(policy("ptrace: kill\nread: 1\nmount: return EPERM\n@default allow").spec.seccomp).value
        #expect(late.defaultAction?.value == .allow && late.kill.map(\.value) == ["ptrace"], "wherever it stands")
        #expect(late.rules.map(\.call.value) == ["mount"])
        #expect(!policy("read: 1\nread: kill").faults.isEmpty && !policy("read: kill\nread: 1").faults.isEmpty)
        #expect(try policy("execve: 1\nread: 1 \\").spec.seccomp?.value.allow.map(\.value) == ["execve", "read"])
    }

    @Test func `in the language of minijail's compiler an action is for what the condition holds for`() throws {
        func policy(_ text: String) throws -> SeccompPolicy {
            try #require(MinijailImport.draft(of: source("x.policy", text), [], context()).spec.seccomp).value
        }
        for text in [
            "@denylist\nioctl: arg1 == 0x5412; return EPERM", "ioctl: arg1 == 0x5412; return EPERM\n@default allow",
        ] {
            let ioctl = try policy(text).rules.filter { $0.call.value == "ioctl" }
            #expect(ioctl.count == 1 && ioctl[0].action == .errno(1) && ioctl[0].arguments.first?.op == .equal)
            #expect(try policy(text).defaultAction?.value == .allow)
        }
        let plain = try policy("ioctl: arg1 == 0x5412; return EPERM").rules.filter { $0.call.value == "ioctl" }
        #expect(plain.contains { $0.action == .allow && $0.arguments.first?.op == .equal })
        #expect(plain.contains { $0.action == .errno(1) && $0.arguments.first?.op == .notEqual })
    }

    @Test func `a call of another architecture is not allowed on this one`() throws {
        func calls(_ text: String) throws -> [String] {
            try MinijailImport.draft(of: source("x.policy", text), [], context()).spec.seccomp?.value.allow.map(\.value)
                ?? []
        }
        #expect(try calls("read[arch=mips]: 1\nexecve: 1") == ["execve"])
        #expect(try calls("{ read[arch=x86_64,arm64], write[arch=mips,arm] }: 1\nexecve: 1") == ["read", "execve"])
        #expect(!MinijailImport.draft(of: source("x.policy", "read[wat]: 1"), [], context()).faults.isEmpty)
    }

    @Test func `policies that include and use others have an end`() {
        let included = String(repeating: "@include a.policy\n", count: 60)
        let context = ImportContext(read: { _ in Array((included + "read: 1\n").utf8) })
        #expect(MinijailImport.draft(of: source("x.policy", included), [], context).faults.count == 1)
        var kafel = "POLICY p0 { ALLOW { read, write } }\n"
        for number in 1...60 { kafel += "POLICY p\(number) { USE p\(number - 1) USE p\(number - 1) }\n" }
        #expect(
            nsjail("seccomp_string: '\(kafel.split(separator: "\n").joined(separator: " ")) USE p60 DEFAULT KILL'")
                .faults.count == 1)
    }

    // MARK: nsjail

    private func nsjail(_ text: String) -> Draft { NsjailImport.draft(of: source("x.cfg", text), [], context()) }

    @Test(arguments: ["user_net { enable: false }", "user_net { tcp_ports: \"none\" }"])
    func `a network of nsjail's that is off is none`(_ text: String) throws {
        #expect(try nsjail(text).spec.network.mode == nil)
        #expect(try nsjail("user_net { enable: true }").spec.network.mode?.value == .user)
        #expect(try nsjail("user_net { backend: NSTUN }").spec.network.mode?.value == .user)
    }

    @Test func `what a network of nsjail's does not pass on is told`() {
        #expect(nsjail("user_net { enable: true enable_udp: false }").hasLostRestrictions)
        #expect(nsjail("user_net { backend: PASTA pasta { enable_tcp: false } }").hasLostRestrictions)
        #expect(!nsjail("user_net { backend: PASTA pasta { enable_tcp: true map_gw: false } }").hasLostRestrictions)
        #expect(!nsjail("user_net { wat: 1 }").faults.isEmpty)
    }

    @Test func `a message in a message has an end`() {
        let made = nsjail(String(repeating: "mount {", count: 100_000))
        #expect(made.faults.first?.message == "not a protobuf text: nested more than 32 deep")
    }

    // MARK: systemd

    @Test func `one place of two lines, and a mask that is none`() {
        let made = unit("CapabilityBoundingSet=\nInaccessiblePaths=/etc/shadow\nBindPaths=/etc/shadow")
        #expect(made.faults.isEmpty, "\(made.faults)")
        #expect(!unit("UMask=99").faults.isEmpty)
    }
}
