import JailPlan
import JailSpec
import SpecFile
import TestSupport
import Testing

/// Units of systemd, printed of a spec.
@Suite struct UnitTests {
    private func unit(_ text: String, _ command: [String] = ["/immure", "run", "/a.toml"]) throws -> [Substring] {
        try Unit(try spec(text), name: "a", command: command, variables: []).text().split(separator: "\n")
    }

    @Test func `the empty spec`() throws {
        let lines = try unit("")
        for line in [
            "Type=exec", "ExecStart=/immure run /a.toml", "KillMode=mixed", "NoNewPrivileges=yes", "TimeoutStopSec=10",
        ] {
            #expect(lines.contains(Substring(line)), "\(line)")
        }
        #expect(!lines.contains { $0.hasPrefix("User=") || $0.hasPrefix("Delegate=") })
    }

    @Test func `a directive follows the line it comes from`() throws {
        let lines = try unit("grace = \"1s\"\n[process]\nnice = 5")
        let place = try #require(lines.firstIndex(of: "Nice=5"))
        #expect(lines[place - 1] == "# t.toml:3:8")
        #expect(lines.contains("TimeoutStopSec=6"))
    }

    @Test func `limits of the unit leave room for the launcher`() throws {
        let lines = try unit("[limits]\nmemory = \"64M\"\nswap = 0\npids = 16\ncpu = \"50%\"")
        for line in [
            "Delegate=yes", "MemoryMax=\(80 << 20)", "MemorySwapMax=\(16 << 20)", "TasksMax=32", "CPUQuota=50%",
        ] {
            #expect(lines.contains(Substring(line)), "\(line)")
        }
    }

    @Test(arguments: [
        ("identity.user = \"www-data\"", true), ("identity.user = \"root\"", false), ("identity.user = 33", false),
        ("[identity]\nuser = \"www-data\"\ngroups = []", false),
        ("[identity]\nuser = \"www-data\"\nuid_map = \"auto\"", false),
        ("identity.user = \"www-data\"\nnamespaces.user = \"host\"", false),
    ]) func `an account of the host needs no root`(text: String, isUser: Bool) throws {
        #expect(try unit(text).contains("User=www-data") == isUser)
    }

    @Test func `set-user-id helpers need new privileges`() throws {
        #expect(!(try unit("identity.uid_map = \"auto\"").contains("NoNewPrivileges=yes")))
    }

    @Test func `without a launcher nothing stands for it`() throws {
        let lines = try unit("service.notify = \"main\"\nnamespaces.pid = \"host\"")
        #expect(lines.contains("NotifyAccess=main") && !lines.contains("KillMode=mixed"))
        #expect(
            try unit("service.notify = \"main\"\nnamespaces.pid = \"host\"\ntimeout = \"1h\"").contains(
                "NotifyAccess=all"))
        #expect(try unit("service.notify = \"all\"").contains("NotifyAccess=main"))
    }

    @Test(arguments: [
        ("", true), ("identity.user = \"www-data\"", false), ("identity.group = \"adm\"", false),
        ("identity.uid_map = \"auto\"", false), ("namespaces.user = \"host\"", false),
        ("[[mount]]\ntarget = \"/y\"\nsource = \"/srv/y\"", false),
        ("[[mount]]\ntarget = \"/y\"\nsource = \"/srv/y\"\noptions = [\"ro\"]", true),
        ("[[mount]]\ntarget = \"/y\"\nsource = \"/tmp/y\"\noptions = [\"ro\"]", false),
    ]) func `a directory without a user has one of its own`(text: String, isDynamic: Bool) throws {
        let lines = try unit(text + "\n[[mount]]\ntarget = \"/x\"\nsource = \"/var/lib/a\"")
        #expect(lines.contains("DynamicUser=yes") == isDynamic)
        #expect(lines.contains("ProtectSystem=strict") == isDynamic)
        #expect(lines.contains("StateDirectory=a"))
    }

    @Test func `each instance has a directory of its own`() throws {
        for (value, source, expected) in [
            ("%i", "/run/a/%i", "RuntimeDirectory=a/%i"), ("%i", "/run/a", "RuntimeDirectory=a"),
            ("%%i", "/run/a/x", "RuntimeDirectory=a"), ("x", "/run/a/%i", "RuntimeDirectory=a"),
        ] {
            let unit = Unit(
                try spec("[[mount]]\ntarget = \"/x\"\nsource = \"\(source)\""), name: "a", command: ["/immure"],
                variables: [("I", value)])
            #expect(try unit.text().split(separator: "\n").contains(Substring(expected)), "\(value) \(source)")
        }
    }

    @Test func `a job is not started again for its timeout`() throws {
        let lines = try unit("timeout = \"1min\"")
        #expect(lines.contains("Type=oneshot") && lines.contains("RestartPreventExitStatus=124 125 126 127"))
        #expect(!lines.contains { $0.hasPrefix("SuccessExitStatus=") })
        #expect(!lines.contains("[Install]"))
        #expect(try unit("timeout = \"1min\"\nservice.notify = \"main\"").contains("Type=notify"))
        #expect(try unit("").contains("RestartPreventExitStatus=125 126 127"))
    }

    /// Each line of a spec takes away just the directives that would hinder it.
    @Test(arguments: [
        ("network.mode = \"host\"", ["PrivateNetwork", "IPAddressDeny", "RestrictAddressFamilies"]),
        ("network.publish = [\"8080:80\"]", ["PrivateNetwork", "IPAddressDeny", "RestrictAddressFamilies"]),
        ("capabilities.keep = [\"net_raw\"]", ["RestrictAddressFamilies"]),
        ("service.sockets = true", ["IPAddressDeny"]), ("namespaces.nested = true", ["IPAddressDeny"]),
        ("filesystem.rw = [\"/etc/x\"]", ["ProtectSystem"]), ("filesystem.ro = [\"/home/x\"]", ["ProtectHome"]),
        ("filesystem.ro = [\"/tmp/x:/x\"]", ["PrivateTmp"]), ("filesystem.dev = \"host\"", ["PrivateDevices"]),
        ("filesystem.root = \"host\"", ["ProtectHome", "PrivateTmp", "PrivateDevices", "ProtectControlGroups"]),
        ("limits.pids = 5", ["ProtectControlGroups"]),
        ("seccomp.profile = \"none\"", ["SystemCallArchitectures", "RestrictAddressFamilies"]),
        ("seccomp.allow = [\"@network-io\"]", ["RestrictAddressFamilies"]),
        ("seccomp.architectures = [\"native\", \"x86\"]", ["SystemCallArchitectures"]),
        ("network.mode = \"user\"", ["ProtectSystem", "PrivateDevices", "PrivateNetwork", "SystemCallFilter"]),
        ("namespaces.user = \"host\"", ["ProtectSystem", "PrivateNetwork", "SystemCallFilter"]),
        ("identity.uid_map = \"auto\"", ["PrivateDevices", "RestrictRealtime", "SystemCallFilter"]),
        ("process.no_new_privs = false", ["PrivateDevices", "RestrictRealtime", "SystemCallFilter"]),
    ]) func `what keeps the launcher is left out where the spec needs it`(text: String, gone: [String]) throws {
        func names(_ text: String) throws -> Set<String> {
            Set(try unit(text).compactMap { $0.split(separator: "=").first.map(String.init) })
        }
        let all = try names("")
        #expect(Set(gone).isSubset(of: all))
        #expect(try names(text).isDisjoint(with: gone))
    }

    @Test(arguments: [
        ("", "~@cpu-emulation @module @obsolete @raw-io @reboot @swap"),
        ("seccomp.deny = [\"ptrace\"]", "~@cpu-emulation @module @obsolete @raw-io @reboot @swap"),
        ("seccomp.allow = [\"swapon\"]", "~@cpu-emulation @module @obsolete @raw-io @reboot"),
        (
            "[[seccomp.rule]]\ncall = \"reboot\"\naction = \"allow\"\nargs = [{ index = 0, op = \"==\", value = 1 }]",
            "~@cpu-emulation @module @obsolete @raw-io @swap"
        ),
        ("seccomp.profile = \"none\"", "~@module @raw-io @swap"),
        ("seccomp.profile = \"none\"\nseccomp.allow = [\"iopl\"]", "~@module @swap"),
        ("capabilities.keep = [\"sys_boot\"]", "~@cpu-emulation @module @obsolete @raw-io @swap"),
    ]) func `the unit refuses what the jail's own filter refuses whole`(text: String, filter: String) throws {
        #expect(try unit(text).contains("SystemCallFilter=\(filter)"))
    }

    /// Soft limits count for the launcher.
    @Test(arguments: [
        ("as = \"1G\"", true), ("as = \"16M\"", false), ("as = \"16M:1G\"", false), ("data = \"1M\"", false),
        ("stack = \"64K\"", false), ("stack = \"8M\"", true), ("nofile = 16", false), ("nofile = 1024", true),
        ("nproc = 1", false), ("core = 0", true), ("as = \"unlimited\"", true),
    ]) func `a limit that the launcher could not live with is the jail's`(text: String, isPrinted: Bool) throws {
        let lines = try unit("[rlimits]\n" + text)
        #expect(lines.contains { $0.hasPrefix("Limit") } == isPrinted)
    }

    @Test func `a directory that is to be made is systemd's to make`() throws {
        let lines = try unit("[[mount]]\ntarget = \"/x\"\nsource = \"/var/lib/b/c\"\ncreate = true")
        #expect(lines.contains("StateDirectory=b") && lines.contains("DynamicUser=yes"))
        #expect(!(try unit("[[mount]]\ntarget = \"/x\"\nsource = \"/var/lib/b/c\"").contains("StateDirectory=b")))
    }

    /// systemd would make it root's.
    @Test(arguments: [
        ("", true), ("[identity]\nuser = 33", false), ("[identity]\nuser = 0", true),
        ("[identity]\nuser = \"www-data\"", true), ("[identity]\ngroup = \"adm\"", false),
        ("[filesystem]\nro = [\"/tmp/x:/y\"]", false),
    ]) func `a directory that the launch makes for somebody else is left to it`(text: String, isMade: Bool) throws {
        let lines = try unit(text + "\n[[mount]]\ntarget = \"/x\"\nsource = \"/var/lib/b/c\"\ncreate = true")
        #expect(lines.contains("StateDirectory=b") == isMade)
    }

    @Test(arguments: [
        ("identity.group = \"adm\"", "t.toml:1:18: only root can give the jail these ids"),
        ("namespaces.net = \"/run/netns/a\"", "without a net namespace"),
        ("filesystem.ro = [\"/tmp/y:/y\"]", "without \"/tmp/y\""),
        ("filesystem.rw = [\"/srv/y\"]", "The jail writes to \"/srv/y\""),
        ("network.mode = \"veth\"", "Only root can make"),
    ]) func `why there is no dynamic user is said`(text: String, why: String) throws {
        let bind = "\n[[mount]]\ntarget = \"/x\"\nsource = \"/var/lib/a\"\n"
        let lines = try unit(text + bind)
        #expect(lines.contains { $0.hasPrefix("# No DynamicUser=") && $0.contains(why) }, "\(lines)")
        func isLocked(_ lines: [Substring]) -> Bool { lines.contains { $0.contains("systemd makes it root's") } }
        #expect(isLocked(lines))
        #expect(!isLocked(try unit(text + bind + "idmap = true")))
        #expect(!isLocked(try unit(text + bind + "options = [\"ro\"]")))
    }

    @Test func `a port below 1024 is a capability of a launcher that is not root`() throws {
        let bind = "\n[[mount]]\ntarget = \"/x\"\nsource = \"/var/lib/a\"\n"
        for who in [bind, "\nidentity.user = \"www-data\""] {
            let lines = try unit("network.publish = [\"8080:80\", \"443:443\"]" + who)
            #expect(lines.contains("AmbientCapabilities=CAP_NET_BIND_SERVICE"))
            #expect(lines.contains("CapabilityBoundingSet=CAP_NET_BIND_SERVICE"))
            #expect(!lines.contains("PrivateUsers=yes"))
            let high = try unit("network.publish = [\"8080:80\"]" + who)
            #expect(!high.contains { $0.hasPrefix("AmbientCapabilities=") } && high.contains("CapabilityBoundingSet="))
        }
        #expect(!(try unit("network.publish = [\"80:80\"]")).contains { $0.hasPrefix("AmbientCapabilities=") })
    }

    @Test func `a drop-in gives a port below 1024 back`() throws {
        func dropIn(_ settings: [(name: String, value: String)]) throws -> [Substring] {
            var options = Unit.Options()
            options.over = ForeignUnit(name: "a", settings: settings)
            return try Unit(
                try spec("network.publish = [\"80:80\"]"), name: "a", command: ["/immure"], variables: [],
                options: options
            ).dropIn().split(separator: "\n")
        }
        let lines = try dropIn([
            ("User", "www-data"), ("CapabilityBoundingSet", "~CAP_NET_BIND_SERVICE"), ("PrivateUsers", "yes"),
        ])
        for line in [
            "AmbientCapabilities=CAP_NET_BIND_SERVICE", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE", "PrivateUsers=no",
        ] {
            #expect(lines.contains(Substring(line)), "\(line)")
        }
        let has = try dropIn([("User", "www-data"), ("AmbientCapabilities", "CAP_CHOWN CAP_NET_BIND_SERVICE")])
        #expect(!has.contains { $0.hasPrefix("AmbientCapabilities") || $0.hasPrefix("PrivateUsers") })
        #expect(!(try dropIn([("User", "root")])).contains { $0.hasPrefix("AmbientCapabilities") })
    }

    @Test func `a drop-in leaves the launcher room, and says what no longer limits the command`() throws {
        func dropIn(_ text: String, _ settings: [(name: String, value: String)]) throws -> String {
            var options = Unit.Options()
            options.over = ForeignUnit(name: "a", settings: settings)
            return try Unit(try spec(text), name: "a", command: ["/immure"], variables: [], options: options).dropIn()
        }
        let narrow = [("LimitAS", "16M"), ("LimitDATA", "1M:infinity"), ("LimitSTACK", "64K"), ("LimitNOFILE", "64")]
        let lost = try dropIn("", narrow)
        for name in ["as", "data", "stack"] {
            #expect(lost.contains("\nLimit\(name.uppercased())=infinity\n"))
            #expect(lost.contains("has limited the command: write rlimits.\(name)"))
        }
        #expect(!lost.contains("LimitNOFILE"))
        let kept = try dropIn("[rlimits]\nas = \"16M\"\ndata = \"1M\"\nstack = \"64K\"", narrow)
        #expect(kept.contains("\nLimitAS=infinity\n") && !kept.contains("has limited the command"))
        let wide = try dropIn("", [("LimitAS", "4G"), ("LimitDATA", "infinity"), ("LimitSTACK", "8M:16M")])
        #expect(!wide.contains("Limit"))
    }

    @Test func `limits of a jail in a scope of its own are none of the unit's`() throws {
        let lines = try unit("[limits]\npids = 16\nscope = \"own\"")
        #expect(!lines.contains { $0.hasPrefix("Delegate=") || $0.hasPrefix("TasksMax=") })
    }

    @Test func `an init has a cgroup of its own and is started again at a reboot`() throws {
        let lines = try unit("process.boot = true")
        for line in ["Delegate=yes", "RestartForceExitStatus=129", "KillMode=mixed", "TimeoutStopSec=95"] {
            #expect(lines.contains(Substring(line)), "\(line)")
        }
    }

    @Test func `a unit that takes sockets is enabled by them`() throws {
        let lines = try unit("service.sockets = true")
        #expect(lines.contains("Requires=a.socket") && lines.contains("Also=a.socket"))
        #expect(!lines.contains("WantedBy=multi-user.target"))
    }

    @Test(arguments: [
        "daily", "daily UTC", "*:0/15", "*-*-* 9..17:00", "Mon-Fri 10:00", "mon..fri,sunday", "Monday, 10:00",
        "*-02~03",
        "2026-01-01", "26-1-1", "@1000", "*:*:0.5", "*:*:0/1.5", "Mon,Wed *-*~07/1 05:00", "10:00 Japan",
        "12,14,13,12:20,10,30", "05:40:23.4200004/3.1700005", "1..3-*", "Sun 2013-*-* 05:40 Europe/Berlin",
    ]) func `a calendar event`(text: String) throws {
        #expect(try Unit.timer(for: "a", at: text).contains("OnCalendar=\(text)\n"))
    }

    @Test(arguments: [
        "", "evry day", "nonsense", "daily nonsense", "*", "12", "*-*-32", "*-13-01", "24:00", "05:60", "00:00:60",
        "*-*-01/0", "hourly 5:00", "fortnightly", "10:00 Mon", "1:2:3:4", "Mo 10:00", "10.00", "-", ":", "@", "@x",
        "..",
    ]) func `no calendar event`(text: String) {
        #expect(throws: Rejection.self) { try Unit.timer(for: "a", at: text) }
    }

    @Test(arguments: [
        "/run/x", "@x", "80", "127.0.0.1:80", "0.0.0.0:80", "[::]:80", "[2001:db8::1]:443", "vsock:2:1234",
        "vsock::1234",
        "/run/%i.sock", "%t/x",
    ]) func `an address of a socket`(text: String) throws {
        #expect(try Unit.socket(for: "a", at: [text]).contains("ListenStream=\(text)\n"))
    }

    @Test(arguments: [
        "", "nonsense", "/", "@", "0", "65536", "localhost:80", "127.0.0.1", "127.0.0.1:", ":80", "1.2.3:80", "::1:80",
        "[::1]", "[127.0.0.1]:80", "[::1:80", "vsock:x:1", "80/tcp", "tcp:80",
    ]) func `no address of a socket`(text: String) {
        #expect(throws: Rejection.self) { try Unit.socket(for: "a", at: ["80", text]) }
    }

    @Test func `words of the command mean themselves`() throws {
        let lines = try unit("", ["/immure", "run", "/a b.toml", "--", "50%", "$HOME", "a\"b", "", "x;y"])
        #expect(lines.contains("ExecStart=/immure run \"/a b.toml\" -- 50%% $$HOME \"a\\\"b\" \"\" \"x;y\""))
    }

    @Test(arguments: ["\n", "\r", "\u{1b}", "\0", "\u{85}", "\\\n"])
    func `no text brings a line of its own`(control: String) throws {
        let bad = "x\(control)ExecStartPre=/bin/evil"
        let user = try spec("identity.user = \"ada\"")
        var named = user
        named.identity.user = .init(.name(bad), at: nil)
        var placed = user
        placed.identity.user = .init(.name("ada"), at: Position(file: bad, line: 1, column: 1))
        let sound = ["/immure", "run", "/a.toml"]
        for unit in [
            Unit(user, name: bad, command: sound, variables: []), Unit(named, name: "a", command: sound, variables: []),
            Unit(placed, name: "a", command: sound, variables: []),
        ] {
            #expect(throws: Rejection.self) { try unit.text() }
        }
        // In words of a command a line break has an escape; what has none is refused.
        for unit in [
            Unit(user, name: "a", command: sound + [bad], variables: []),
            Unit(user, name: "a", command: sound, variables: [("A", bad)]),
        ] {
            guard let text = try? unit.text() else { continue }
            #expect(!text.split { $0 == "\n" || $0 == "\r" || $0 == "\r\n" }.contains { $0.hasPrefix("ExecStartPre") })
        }
    }

    @Test func `a backslash at the end of a value does not take the next line along`() throws {
        var changed = try spec("identity.user = \"ada\"")
        changed.identity.user = .init(.name("ada\\"), at: nil)
        let unit = Unit(changed, name: "a", command: ["/immure"], variables: [])
        #expect(throws: Rejection.self) { try unit.text() }
    }

    @Test func `a percent sign begins no specifier`() throws {
        let unit = Unit(
            try spec("[[mount]]\ntarget = \"/x\"\nsource = \"/run/a%n b:c\\\\\""), name: "a%n b:c\\",
            command: ["/immure"],
            variables: [("A", "%i \"\\")])
        let lines = try unit.text().split(separator: "\n")
        #expect(lines.contains("Description=a%%n b:c\\ in a jail of immure"))
        #expect(lines.contains("RuntimeDirectory=\"a%%n b\\:c\\\\\""))
        #expect(lines.contains("Environment=\"A=%i \\\"\\\\\""))
    }
}
