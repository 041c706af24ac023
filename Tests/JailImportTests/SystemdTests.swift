import JailImport
import JailSpec
import LinuxFacts
import SpecFile
import Testing

@Suite struct SystemdTests {
    private func draft(_ service: String, _ more: [String: String] = [:], unit: String = "") -> Draft {
        let text = "[Unit]\nDescription=x\n\(unit)\n[Service]\n" + service
        var sources = [ImportSource(name: "a.service", text: Array(text.utf8))]
        for (name, text) in more.sorted(by: { $0.key < $1.key }) {
            sources.append(ImportSource(name: name, text: Array("[Service]\n\(text)".utf8)))
        }
        return SystemdImport.draft(of: sources, [], ImportContext())
    }

    @Test func `what systemd leaves open is written out`() throws {
        let made = draft("ExecStart=/usr/bin/true -x 'a b'")
        let spec = try made.spec
        #expect(spec.command?.value == ["/usr/bin/true", "-x", "a b"] && spec.filesystem.root.value == .host)
        #expect(spec.identity.user?.value == .id(0) && spec.namespaces[.user].value == .host)
        #expect(spec.capabilities.keep?.value.capabilities.count == Capability.allCases.count)
        #expect(spec.filesystem.devices.value == .host && spec.filesystem.tmp.value == .none)
        #expect(spec.network.mode?.value == .host && spec.namespaces.nested.value)
        #expect(!made.hasLostRestrictions)
    }

    @Test func `an allow-list has what systemd puts in, and kills`() throws {
        let policy = try #require(
            try draft("User=a\nSystemCallFilter=@system-service\nSystemCallFilter=~@privileged").spec.seccomp
        ).value
        #expect(policy.profile?.value == SeccompPolicy.Profile.none && policy.defaultAction?.value == .kill)
        #expect(policy.allow.map(\.value) == ["@default", "execve", "@system-service"])
        #expect(policy.kill.map(\.value) == ["@privileged"] && policy.deny.isEmpty)
        let errno = try #require(
            try draft("SystemCallFilter=read\nSystemCallErrorNumber=EPERM\nSystemCallFilter=~@mount").spec.seccomp
        ).value
        #expect(errno.defaultAction?.value == .errno(1) && errno.deny.map(\.value) == ["@mount"])
    }

    @Test func `a list whose order counts is written call by call`() throws {
        let made = draft("SystemCallFilter=@system-service\nSystemCallFilter=~@chown\nSystemCallFilter=chown")
        let policy = try #require(try made.spec.seccomp).value
        let names = Set(policy.allow.map(\.value))
        #expect(names.contains("chown") && !names.contains("fchown") && names.contains("execve") && policy.kill.isEmpty)
    }

    @Test(arguments: ["@mount", "@network-io", "@default"])
    func `a group that was allowed is taken out again`(group: String) throws {
        for number in ["", "\nSystemCallErrorNumber=EPERM"] {
            let made = draft("SystemCallFilter=@system-service @mount @network-io\nSystemCallFilter=~\(group)\(number)")
            let policy = try #require(try made.spec.seccomp).value
            let gone = ["@mount": "umount2", "@network-io": "socket", "@default": "getrandom"][group] ?? ""
            let allowed = Set(policy.allow.map(\.value))
            #expect(!allowed.contains(group) && !allowed.contains(gone) && allowed.contains("read"), "\(group)")
        }
    }

    @Test func `a list of what is denied leaves the rest`() throws {
        let policy = try #require(try draft("SystemCallFilter=~@mount\nSystemCallFilter=mount").spec.seccomp).value
        #expect(policy.defaultAction == nil && !policy.kill.contains { $0.value == "mount" })
        #expect(policy.kill.contains { $0.value == "umount2" })
    }

    @Test func `a root of its own that has no line is a loss that restricts`() throws {
        for line in ["RootImage=/a.raw", "RootDirectory=/a\nRootEphemeral=yes", "MountImages=/a.raw:/srv"] {
            #expect(draft(line).hasLostRestrictions, "\(line)")
        }
        #expect(!draft("RootImage=\nRootEphemeral=no").hasLostRestrictions)
    }

    @Test func `what is unset without anything kept holds without a line`() throws {
        let made = draft("UnsetEnvironment=LANG")
        #expect(try made.spec.environment.unset.isEmpty && made.directives(.inForce).contains("UnsetEnvironment=LANG"))
        #expect(try draft("PassEnvironment=A B\nUnsetEnvironment=B").spec.environment.unset.map(\.value) == ["B"])
    }

    @Test func `families are refused as systemd refuses them`() throws {
        let made = draft("RestrictAddressFamilies=AF_UNIX AF_NETLINK\nIPAddressDeny=any")
        let rules = try #require(try made.spec.seccomp).value.rules.filter { $0.call.value == "socket" }
        #expect(rules.count == 1 && rules[0].action == .errno(97) && rules[0].arguments.count == 2)
        #expect(rules[0].arguments.allSatisfy { $0.op == .notEqual && $0.index == 0 })
        #expect(!made.hasLostRestrictions, "without AF_INET there is nothing to filter")
    }

    @Test func `no address is no socket of the internet, and a list of addresses is lost`() throws {
        let made = draft("IPAddressDeny=any")
        let rules = try #require(try made.spec.seccomp).value.rules.filter { $0.call.value == "socket" }
        #expect(rules.count == 2 && rules.allSatisfy { $0.action == .errno(97) && $0.arguments.count == 1 })
        #expect(!made.hasLostRestrictions && made.directives(.warning).contains("IPAddressDeny=any"))
        #expect(draft("IPAddressDeny=10.0.0.0/8").hasLostRestrictions)
        #expect(draft("IPAddressDeny=any\nIPAddressAllow=localhost").hasLostRestrictions)
    }

    @Test func `what protects takes capabilities away`() throws {
        let spec = try draft(
            "ProtectClock=yes\nProtectKernelModules=1\nProtectKernelLogs=true\nPrivateDevices=on\nPrivateTmp=yes\nProtectHostname=yes"
        ).spec
        let kept = try #require(spec.capabilities.keep).value
        for capability in [Capability.sys_time, .wake_alarm, .sys_module, .syslog, .mknod, .sys_rawio] {
            #expect(!kept.contains(capability), "\(capability)")
        }
        #expect(spec.filesystem.devices.value == .minimal && spec.namespaces[.uts].value == .new)
        #expect(spec.mount(at: "/var/tmp")?.source == .tmpfs(size: nil, inodes: nil, mode: 0o1777))
        #expect(spec.mount(at: "/dev/log")?.source == .symlink(to: "/run/systemd/journal/dev-log"))
        let set = try draft("CapabilityBoundingSet=~CAP_SYS_ADMIN CAP_CHOWN\nCapabilityBoundingSet=~CAP_KILL").spec
        #expect(
            set.capabilities.keep?.value.contains(.kill) == false
                && set.capabilities.keep?.value.contains(.fowner) == true)
        let user = try draft("User=redis\nCapabilityBoundingSet=CAP_CHOWN\nAmbientCapabilities=CAP_CHOWN CAP_KILL").spec
        #expect(user.capabilities.keep?.value.capabilities == [.chown])
        #expect(user.identity.user?.value == .name("redis") && user.identity.group == nil)
    }

    @Test func `drop-ins come after the unit, and an empty value resets`() throws {
        let made = draft(
            "ReadWritePaths=/a\nProtectSystem=full\nNice=3",
            ["b.conf": "ReadWritePaths=\nReadWritePaths=-/c /d\nProtectSystem=strict"])
        let spec = try made.spec
        #expect(spec.mount(at: "/a") == nil && spec.mount(at: "/d") != nil && spec.mount(at: "/c")?.optional == true)
        #expect(!spec.filesystem.writable.value && spec.process.nice?.value == 3)
        #expect(made.directives(.warning).contains("ReadWritePaths=/a"))
    }

    @Test func `drop-ins beside the unit are found by their names`() throws {
        let source = ImportSource(name: "x/a.service", text: Array("[Service]\nNice=1".utf8))
        let context = ImportContext(
            read: { $0 == "x/a.service.d/20-b.conf" ? Array("[Service]\nNice=7".utf8) : nil },
            list: { $0 == "x/a.service.d" ? ["20-b.conf", "README"] : [] })
        #expect(try SystemdImport.draft(of: [source], [], context).spec.process.nice?.value == 7)
    }

    @Test func `what a command line begins with stays before the launcher`() {
        let said = draft("ExecStart=-@/usr/bin/foo a $X").said(.warning)
        #expect(said.contains { $0.contains("ExecStart=-@immure run SPEC -- /usr/bin/foo a $X") }, "\(said)")
    }

    @Test func `specifiers stay in the unit`() throws {
        let made = draft(
            "ExecStart=/usr/bin/d --name %i\nRuntimeDirectory=d-%i\nReadWritePaths=%S/d/%i\nEnvironment=A=%%x B=%i")
        let spec = try made.spec
        #expect(spec.command == nil && spec.mount(at: "/var/lib/d//var/INSTANCE") == nil)
        #expect(made.said(.warning).contains { $0.contains("--env INSTANCE=%i") })
        #expect(spec.environment.set.first { $0.name == "A" }?.value.value == "%x")
        #expect(spec.environment.keep.map(\.value).contains("RUNTIME_DIRECTORY"))
    }

    @Test func `directories of the service are made`() throws {
        let made = draft(
            """
            ProtectSystem=strict
            StateDirectory=a a/b a
            RuntimeDirectory=r
            RuntimeDirectoryMode=0750
            LogsDirectory=l:m
            ReadWritePaths=/var/lib/a -/run/r
            """)
        let spec = try made.spec
        for path in ["/var/lib/a", "/var/lib/a/b", "/run/r", "/var/log/l"] {
            #expect(spec.mount(at: path)?.create?.isDirectory == true, "\(path)")
        }
        #expect(spec.mount(at: "/run/r")?.create?.mode == 0o750)
        #expect(draft("RuntimeDirectory=r\nRuntimeDirectoryMode=rwx").faults.count == 1)
    }

    @Test func `limits take systemd's units`() throws {
        let spec = try draft(
            "LimitNOFILE=1024:65536\nLimitMEMLOCK=64M\nLimitNICE=-5\nLimitRTTIME=infinity\nMemoryMax=1G\nTasksMax=12\nCPUQuota=150%"
        ).spec
        func limit(_ name: String) -> ResourceLimit? { spec.rlimits.first { $0.resource.name == name } }
        #expect(limit("nofile")?.soft == 1024 && limit("nofile")?.hard == 65536 && limit("memlock")?.soft == 64 << 20)
        #expect(limit("nice")?.soft == 25 && limit("rttime")?.soft == nil)
        #expect(spec.limits?.value.memory?.value == 1 << 30 && spec.limits?.value.pids?.value == 12)
    }

    /// The old names have a scale of their own, and count where the new one is not there.
    @Test(
        arguments: [
            ("CPUWeight=50\nIOWeight=70", 50, 70), ("CPUShares=512\nBlockIOWeight=1000", 50, 200),
            ("CPUWeight=9\nCPUShares=512\nBlockIOWeight=10\nIOWeight=3", 9, 3), ("CPUShares=262144", 10_000, nil),
            ("CPUWeight=idle", nil, nil), ("CPUShares=2\nCPUWeight=5\nCPUWeight=", 1, nil),
            ("IOWeight=5\nIOWeight=", nil, nil),
        ] as [(String, UInt64?, UInt64?)]) func `weights by both of their names`(
            text: String, cpu: UInt64?, io: UInt64?
        ) throws
    {
        let limits = try draft(text).spec.limits?.value
        #expect(limits?.cpuWeight?.value == cpu && limits?.ioWeight?.value == io)
    }

    @Test(arguments: [
        "IOWeight=0", "IOWeight=10001", "IOWeight=idle", "CPUWeight=fast", "CPUShares=1", "BlockIOWeight=5",
    ])
    func `what is no weight is a fault`(text: String) {
        #expect(draft(text).faults.count == 1)
    }

    @Test(arguments: [
        ("CPU=1min 30s", "cpu", 90, 90), ("CPU=500ms:2h", "cpu", 1, 7200), ("RTTIME=500ms", "rttime", 500_000, 500_000),
        ("RTTIME=2s:3000000", "rttime", 2_000_000, 3_000_000), ("AS=1G 512M", "as", 3 << 29, 3 << 29),
        ("AS=1.5G:2G", "as", 3 << 29, 2 << 30), ("NICE=+5", "nice", 15, 15), ("NICE=-20", "nice", 40, 40),
        ("NOFILE=1024 : 2048", "nofile", 1024, 2048), ("CORE=0", "core", 0, 0),
    ]) func `both bounds of a limit are the unit's`(line: String, name: String, soft: UInt64, hard: UInt64) throws {
        let limit = try draft("Limit" + line).spec.rlimits.first
        #expect(limit?.resource.name == name && limit?.soft == soft && limit?.hard == hard, "\(line)")
    }

    @Test(arguments: [
        "NOFILE=1024:", "NOFILE=:5", "NOFILE=x:5", "NOFILE=5:x", "NOFILE=1:2:3", "NOFILE=65536:1024", "AS=infinity:1G",
        "NOFILE=-1", "NOFILE=1K", "NICE=+20", "NICE=-21", "NICE=41", "AS=512M 1G", "AS=1.G", "AS=32E", "CPU=1 parsec",
    ]) func `what is no limit is a fault, and no half of it is kept`(line: String) {
        let made = draft("Limit" + line)
        #expect(made.faults.count == 1 && made.faults.first?.position?.line == 5, "\(made.faults)")
    }

    @Test func `what the launcher needs of the unit's limits is said`() {
        let narrow = draft("LimitAS=16M\nLimitDATA=1M\nLimitSTACK=64K\nLimitNOFILE=1024:65536").said(.warning)
        for name in ["LimitAS", "LimitDATA", "LimitSTACK"] {
            #expect(narrow.contains { $0.contains("needs \(name)=infinity") }, "\(narrow)")
        }
        #expect(!narrow.contains { $0.contains("hard limit") })
        #expect(draft("User=a\nLimitNOFILE=1024:65536").said(.warning).contains { $0.contains("keeps its line") })
        #expect(!draft("LimitAS=4G\nLimitSTACK=8M").said(.warning).contains { $0.contains("infinity") })
    }

    @Test func `what is unknown is an error, and what is not the jail's is said`() {
        #expect(draft("ProtectSytem=full").faults.first?.hint == "did you mean ProtectSystem?")
        #expect(draft("ProtectSytem=full").faults.first?.position?.line == 5)
        #expect(draft("SystemCallFilter=raed").faults.first?.hint == "did you mean read?")
        #expect(draft("Restart=always").directives(.outside).contains("Restart=always"))
        #expect(draft("ProcSubset=pid").hasLostRestrictions)
        #expect(draft("User=a\nNoExecPaths=/\nExecPaths=/usr").faults.isEmpty)
    }

    @Test func `an empty bounding set is the set of none, whatever is taken away from it`() throws {
        for unit in ["CapabilityBoundingSet=", "CapabilityBoundingSet=\nCapabilityBoundingSet=~CAP_KILL"] {
            let kept = try draft(unit).spec.capabilities.keep?.value
            #expect(kept?.isNone ?? true, "\(unit)")
        }
        let some = draft("CapabilityBoundingSet=CAP_CHOWN\nCapabilityBoundingSet=\nCapabilityBoundingSet=CAP_KILL")
        #expect(try some.spec.capabilities.keep?.value.capabilities == [.kill])
    }

    /// Whether a mount is there, and has just these of the options.
    private func has(_ spec: Spec, _ target: String, readOnly: Bool, noExecute: Bool = false) -> Bool {
        guard let asked = spec.mount(at: target)?.options.asked else { return false }
        return asked.contains(.readOnly) == readOnly && asked.contains(.noExecute) == noExecute
    }

    @Test func `what is read-only around stays so where nothing is executed`() throws {
        let strict = try draft("ProtectSystem=strict\nNoExecPaths=/p\nExecPaths=/p/bin\nReadWritePaths=/p/w").spec
        #expect(has(strict, "/p", readOnly: true, noExecute: true) && has(strict, "/p/bin", readOnly: true))
        #expect(has(strict, "/p/w", readOnly: false, noExecute: true))
        let both = try draft("ReadOnlyPaths=/p\nNoExecPaths=/p\nReadWritePaths=/p").spec
        #expect(has(both, "/p", readOnly: true, noExecute: true), "the more restrictive line holds")
    }

    @Test func `what is read-only within something writable has its mount`() throws {
        for outer in ["ReadWritePaths=/p", "BindPaths=/s:/p", "BindPaths=/p"] {
            let spec = try draft("ProtectSystem=strict\n\(outer)\nReadOnlyPaths=/p/w").spec
            #expect(has(spec, "/p", readOnly: false) && has(spec, "/p/w", readOnly: true), "\(outer)")
            #expect(spec.mount(at: "/p/w")?.source == .bind(outer.contains("/s") ? "/s/w" : "/p/w"), "\(outer)")
        }
        let state = try draft("ProtectSystem=strict\nStateDirectory=a\nReadOnlyPaths=/var/lib/a/conf").spec
        #expect(has(state, "/var/lib/a/conf", readOnly: true))
        let alone = draft("ProtectSystem=strict\nReadOnlyPaths=/p")
        #expect(try alone.spec.mount(at: "/p") == nil)
        #expect(alone.directives(.inForce).contains("ReadOnlyPaths=/p"))
        for (line, options) in [("ReadOnlyPaths", MountAttributes.readOnly), ("NoExecPaths", .noExecute)] {
            let made = draft("ProtectSystem=strict\nPrivateTmp=yes\n\(line)=/tmp")
            #expect(try made.spec.mount(at: "/tmp")?.options.asked == options && !made.hasLostRestrictions, "\(line)")
        }
    }

    @Test func `for one path what is read-only goes first`() throws {
        let made = draft("ProtectSystem=strict\nReadWritePaths=/\nProtectHome=read-only")
        let spec = try made.spec
        #expect(!spec.filesystem.writable.value)
        #expect(made.directives(.warning).contains("ReadWritePaths=/"))
        let open = try draft("ReadWritePaths=/\nProtectHome=read-only").spec
        #expect(open.filesystem.writable.value && has(open, "/home", readOnly: true))
    }

    @Test func `below what is hidden or empty nothing of the host is shown`() throws {
        let hidden = try draft("ProtectHome=yes\nReadWritePaths=/home/u\nBindPaths=/home/v").spec
        #expect(hidden.mount(at: "/home/u") == nil && hidden.mount(at: "/home/v") == nil)
        let empty = try draft("ProtectHome=tmpfs\nReadWritePaths=/home/u\nBindPaths=/home/v").spec
        #expect(empty.mount(at: "/home/u") == nil && empty.mount(at: "/home/v")?.source == .bind("/home/v"))
    }

    @Test func `the paths of another root are its own`() throws {
        for protect in ["ProtectSystem=yes", "ProtectSystem=full", "ProtectSystem=strict"] {
            let spec = try draft(
                """
                RootDirectory=/r
                \(protect)
                ProtectHome=read-only
                ReadOnlyPaths=/a
                ReadWritePaths=/b -/c
                NoExecPaths=/d
                """
            ).spec
            for mount in spec.filesystem.mounts where mount.target != "/dev/log" {
                if case .bind(let source) = mount.source { #expect(source == "/r" + mount.target, "\(protect)") }
            }
            #expect(spec.mount(at: "/b")?.source == .bind("/r/b") && spec.mount(at: "/d")?.source == .bind("/r/d"))
        }
    }

    @Test func `an empty value does not reset what systemd does not reset`() throws {
        let made = draft(
            """
            PrivateDevices=yes
            PrivateDevices=
            ProtectSystem=strict
            ProtectSystem=
            PrivateNetwork=yes
            PrivateNetwork=
            ProtectHome=yes
            ProtectHome=
            Nice=3
            Nice=
            """)
        let spec = try made.spec
        #expect(spec.filesystem.devices.value == .minimal && !spec.filesystem.writable.value)
        #expect(
            spec.network.mode?.value != .host
                && spec.mount(at: "/home")?.source == .tmpfs(size: nil, inodes: nil, mode: 0))
        #expect(spec.process.nice == nil && made.directives(.warning).contains { $0.hasPrefix("ProtectSystem=") })
    }

    @Test func `the log of the kernel is hidden among the host's devices`() throws {
        #expect(try draft("ProtectKernelLogs=yes\nUser=a").spec.mount(at: "/dev/kmsg")?.source == .hidden)
        let root = try draft("ProtectKernelLogs=yes").spec.mount(at: "/dev/kmsg")?.source
        #expect(root == .file(content: "", mode: 0))
        #expect(try draft("PrivateDevices=yes\nProtectKernelLogs=yes").spec.mount(at: "/dev/kmsg") == nil)
    }

    @Test func `what sys_admin could uncover is covered, as under systemd, and said`() throws {
        let root = draft("ProtectHome=yes\nInaccessiblePaths=/srv")
        #expect(try root.spec.mount(at: "/home")?.source == .tmpfs(size: nil, inodes: nil, mode: 0))
        #expect(root.directives(.lostRestriction) == ["InaccessiblePaths=/srv"])
        #expect(root.said(.warning).contains { $0.contains("sys_admin can uncover it") })
        for unit in ["User=a", "CapabilityBoundingSet=CAP_CHOWN"] {
            let made = draft("ProtectHome=yes\nInaccessiblePaths=/srv\n" + unit)
            #expect(try made.spec.mount(at: "/srv")?.source == .hidden && !made.hasLostRestrictions, "\(unit)")
        }
    }

    @Test func `a tmpfs takes several options`() throws {
        let spec = try draft("TemporaryFileSystem=/opt:ro,noexec,size=1M").spec
        #expect(has(spec, "/opt", readOnly: true, noExecute: true))
    }
}
