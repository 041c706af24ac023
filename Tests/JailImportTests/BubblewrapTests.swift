import JailImport
import JailSpec
import LinuxFacts
import SpecFile
import Testing

@Suite struct BubblewrapTests {
    private func draft(_ line: String, isRoot: Bool = false, group: UInt32? = nil) -> Draft {
        let words = line.split(separator: " ").map(String.init)
        return BubblewrapImport.draft(
            of: [], words, ImportContext(isRoot: isRoot, group: group, currentDirectory: "/work", home: "/home/u"))
    }

    @Test func `the loose defaults are written out`() throws {
        let spec = try draft("--ro-bind / / true").spec
        #expect(spec.filesystem.root.value == .host && !spec.filesystem.writable.value)
        for kind in [NamespaceKind.pid, .ipc, .uts, .cgroup] {
            #expect(spec.namespaces[kind].value == .host, "\(kind)")
        }
        #expect(spec.namespaces[.user].value == .new && spec.namespaces.nested.value)
        #expect(spec.network.mode?.value == .host && spec.landlock?.value.scope?.value.isEmpty == true)
        #expect(spec.seccomp?.value.profile?.value == SeccompPolicy.Profile.none)
        #expect(spec.environment.keep.map(\.value) == ["*"] && !spec.environment.defaults.value)
        #expect(spec.process.tty.value == .inherit && !spec.process.dieWithParent.value)
        #expect(spec.process.keyring.value == .inherit && spec.command?.value == ["true"])
        #expect(spec.mount(at: "/proc")?.source == .bind("/proc") && spec.filesystem.devices.value == .none)
        #expect(spec.filesystem.tmp.value == .none && spec.cwd.value == "/work")
        #expect(spec.capabilities.keep == nil && spec.identity.user == nil)
    }

    @Test(arguments: [
        ("--ro-bind / / --tmpfs /home --tmpfs /work", "/work"), ("--ro-bind /work /work", "/work"),
        ("--ro-bind /usr /usr --dir /work/a/b", "/work"), ("--ro-bind /usr /work/x", "/work"),
        ("--ro-bind / / --tmpfs /", "/"), ("--ro-bind /usr /usr --bind /home/u /home/u", "/home/u"),
        ("--ro-bind /tree /", "/work"), ("--ro-bind /other / --bind /home /home", "/home/u"),
        ("--ro-bind /usr /usr --symlink usr /work", "/"), ("--ro-bind /usr /usr --setenv HOME /usr/lib", "/usr/lib"),
        ("--ro-bind /usr /usr --bind /home /home --unsetenv HOME", "/"),
        ("--ro-bind /usr /usr --bind /home /home --clearenv", "/"),
    ]) func `a command starts where the caller is, else at home, else at the root`(_ line: String, _ cwd: String) throws
    {
        let context = ImportContext(
            currentDirectory: "/work", home: "/home/u", isDirectory: { ["/tree/work", "/usr/lib"].contains($0) })
        let words = line.split(separator: " ").map(String.init) + ["true"]
        #expect(try BubblewrapImport.draft(of: [], words, context).spec.cwd.value == cwd)
    }

    @Test func `what is said twice is no fault`() throws {
        let made = draft("--ro-bind / / --share-net --share-net --clearenv --setenv A b --clearenv true")
        #expect(try made.spec.network.mode?.value == .host)
        for words in ["--setenv A b", "--clearenv"] { #expect(made.directives(.warning).contains(words)) }
    }

    @Test func `of the options that share and unshare the network the last counts`() throws {
        for (line, mode) in [
            ("--share-net --unshare-all", nil), ("--share-net --unshare-net", nil),
            ("--unshare-net --share-net", Network.Mode.host),
            ("--unshare-all --share-net", .host), ("--share-net --unshare-all --share-net", .host),
            ("--unshare-all --share-net --unshare-net", nil),
        ] {
            let made = draft("--ro-bind / / \(line) true")
            #expect(try made.spec.network.mode?.value == mode, "\(line)")
            let isVain = line.hasPrefix("--share-net --unshare") && mode == nil || line == "--unshare-net --share-net"
            #expect(!isVain || made.said(.warning).contains { $0.contains("has no effect") }, "\(line)")
        }
    }

    @Test func `root keeps its user, its namespace and its capabilities`() throws {
        let spec = try draft("--ro-bind / / --cap-drop CAP_SYS_ADMIN true", isRoot: true).spec
        #expect(spec.namespaces[.user].value == .host && spec.identity.user?.value == .id(0))
        let kept = try #require(spec.capabilities.inheritable?.value)
        #expect(spec.capabilities.bounding?.value == kept && spec.capabilities.keep == nil)
        #expect(kept.contains(.chown) && !kept.contains(.sys_admin))
    }

    @Test func `root that becomes somebody else keeps what an option names`() throws {
        let line = "--ro-bind / / --unshare-user --uid 7"
        #expect(try draft("\(line) true", isRoot: true).spec.capabilities.keep == nil)
        let added = try draft("\(line) --cap-drop ALL --cap-add net_raw true", isRoot: true).spec
        #expect(added.capabilities.keep?.value.capabilities == [.net_raw])
    }

    /// Nothing of them stands in a file of accounts: what no option names is the caller's.
    @Test(
        arguments: [
            ("--uid 5", false, 1003, 5, 1003), ("--gid 7", false, 1003, nil, 7),
            ("--uid 5 --gid 7", false, 1003, 5, 7), ("", false, 1003, nil, nil),
            ("--unshare-user --uid 5", true, 0, 5, 0), ("--unshare-user --gid 7", true, 0, 0, 7), ("", true, 9, 0, 9),
            ("--unshare-user --uid 5", true, 9, 5, 9), ("--uid 0 --gid 9", true, 9, 0, 9),
            ("--userns 3 --uid 5", false, 1003, 5, nil),
        ] as [(String, Bool, UInt32, UInt32?, UInt32?)]) func `an id that no option names is the caller's`(
            _ words: String, _ isRoot: Bool, _ group: UInt32, _ user: UInt32?, _ expected: UInt32?
        ) throws
    {
        let identity = try draft("--ro-bind / / \(words) true", isRoot: isRoot, group: group).spec.identity
        #expect(identity.user?.value == user.map { .id($0) } && identity.group?.value == expected.map { .id($0) })
    }

    @Test func `another group than root's takes a user namespace`() {
        let refused = "Specifying --gid requires --unshare-user or --userns"
        #expect(draft("--ro-bind / / --gid 0 true", isRoot: true, group: 9).faults.map(\.message) == [refused])
        #expect(draft("--ro-bind / / --gid 9 true", isRoot: true, group: 9).faults.isEmpty)
    }

    @Test func `what is unshared is the jail's own`() throws {
        let spec = try draft("--unshare-all --die-with-parent --new-session --tmpfs / --proc /proc --dev /dev sh").spec
        for kind in [NamespaceKind.pid, .ipc, .uts, .cgroup, .net] { #expect(spec.namespaces[kind].value == .new) }
        #expect(spec.network.mode == nil && spec.process.tty.value == .none && spec.process.dieWithParent.value)
        #expect(spec.filesystem.proc.value && spec.filesystem.devices.value == .minimal)
        #expect(spec.filesystem.root.value == .empty && spec.cwd.value == "/")
        #expect(try draft("--unshare-all --share-net --tmpfs / sh").spec.network.mode?.value == .host)
    }

    @Test func `the last operation on a target is the one that counts`() throws {
        let made = draft("--bind /home/u /home/u --tmpfs /home --ro-bind /opt /opt sh")
        #expect(try made.spec.mount(at: "/home/u") == nil && made.spec.mount(at: "/home") != nil)
        #expect(made.said(.warning).contains { $0.contains("--tmpfs /home covers it") })
        let kept = draft("--tmpfs /home --bind /home/u /home/u sh")
        #expect(try kept.spec.mount(at: "/home/u")?.source == .bind("/home/u"))
        #expect(kept.said(.warning).isEmpty)
        let all = draft("--ro-bind /usr /usr --bind /srv/x / sh")
        #expect(try all.spec.mount(at: "/usr") == nil && all.spec.filesystem.root.value == .directory("/srv/x"))
        // A directory is no mount, and covers nothing.
        let directory = draft("--ro-bind /usr /usr/a --dir /usr sh")
        #expect(try directory.spec.mount(at: "/usr/a") != nil)
    }

    @Test func `binds keep what they say`() throws {
        let spec = try draft(
            "--unshare-pid --ro-bind /usr /usr --bind data /data --ro-bind-try /a:b /c --dev-bind-try /dev/dri /dev/dri "
                + "--symlink usr/bin /bin --perms 700 --dir /run/x --size 4096 --perms 1777 --tmpfs /tmp --mqueue /mq sh"
        ).spec
        #expect(spec.mount(at: "/usr")?.options.asked == .readOnly)
        #expect(spec.mount(at: "/data")?.source == .bind("/work/data"))
        #expect(spec.mount(at: "/c")?.source == .bind("/a:b") && spec.mount(at: "/c")?.optional == true)
        #expect(spec.mount(at: "/dev/dri")?.options.opened.hasAll(of: .noDevices) == true)
        let node = try draft("--ro-bind /dev/zero /x sh").spec.mount(at: "/x")
        #expect(node?.options.asked == .readOnly | .noDevices, "only --dev-bind opens a node")
        #expect(spec.mount(at: "/bin")?.source == .symlink(to: "usr/bin"))
        #expect(spec.mount(at: "/run/x")?.source == .directory(mode: 0o700))
        #expect(spec.mount(at: "/tmp")?.source == .tmpfs(size: 4096, inodes: nil, mode: 0o1777))
        #expect(spec.mount(at: "/mq")?.source == .mqueue && !spec.filesystem.proc.value)
    }

    @Test func `variables follow the order of the words`() throws {
        let made = draft("--setenv A 1 --setenv B ${X} --unsetenv A --unsetenv C --ro-bind / / sh")
        let rules = try made.spec.environment
        #expect(rules.set.map(\.name).sorted() == ["B", "PWD"] && rules.unset.map(\.value) == ["A", "C"])
        #expect(rules.set.first { $0.name == "B" }?.value.value == "${X}")
        #expect(made.directives(.warning).filter { $0.hasPrefix("--") } == ["--setenv A 1"])
        let cleared = try draft("--setenv A 1 --clearenv --setenv B 2 --chdir /usr --ro-bind / / sh").spec
        #expect(cleared.environment.keep.isEmpty && cleared.environment.set.map(\.name).sorted() == ["B", "PWD"])
        #expect(
            cleared.environment.set.first { $0.name == "PWD" }?.value.value == "/usr" && cleared.cwd.value == "/usr")
    }

    @Test func `what is wrong is named with its place`() {
        #expect(draft("--ro-bnd / / sh").faults.first?.message == "Unknown option --ro-bnd")
        #expect(draft("--ro-bnd / / sh").faults.first?.hint == "did you mean --ro-bind?")
        #expect(draft("--ro-bind / / --bind /x").faults.first?.position?.line == 4)
        #expect(draft("--hostname x sh").faults.first?.message == "Specifying --hostname requires --unshare-uts")
        #expect(draft("--uid x sh").faults.first?.message == "Invalid uid: x")
        #expect(draft("--symlink a /b --symlink c /b sh").faults.count == 1)
    }

    @Test func `what restricts and has no line is a loss`() {
        #expect(draft("--userns2 3 --ro-bind / / sh").hasLostRestrictions)
        #expect(draft("--exec-label x --ro-bind / / sh").directives(.lostRestriction) == ["--exec-label x"])
    }

    @Test func `what descriptors give stands in the spec by their numbers`() throws {
        let spec = try draft(
            "--ro-bind / / --tmpfs /t --file 5 /t/a --ro-bind-data 6 /t/b --ro-bind-fd 7 /t/c --seccomp 8 --lock-file /x sh"
        ).spec
        #expect(spec.mount(at: "/t/a")?.source == .passedFile(descriptor: 5, mode: 0o666))
        #expect(spec.mount(at: "/t/b")?.source == .passedFile(descriptor: 6, mode: 0o600))
        #expect(spec.mount(at: "/t/a")?.options.opened.hasAll(of: .readOnly) == true)
        #expect(spec.mount(at: "/t/c")?.sourceDescriptor?.value == 7)
        #expect(spec.seccomp?.value.programs?.value == [8] && spec.process.locks.value == ["/x"])
    }

    @Test func `a target is where the links before it lead`() throws {
        let spec = try draft("--ro-bind /usr /usr --symlink usr/lib /lib --ro-bind /opt /lib/x --ro-bind /srv /lib sh")
            .spec
        #expect(spec.mount(at: "/usr/lib")?.source == .bind("/srv") && spec.mount(at: "/usr/lib/x") == nil)
        #expect(spec.mount(at: "/lib")?.source == .symlink(to: "usr/lib"))
    }

    @Test func `directories on the way are as closed as what they are for`() throws {
        let spec = try draft("--tmpfs / --perms 0700 --dir /a/b --perms 0755 --dir /c/d sh").spec
        #expect(spec.mount(at: "/a")?.source == .directory(mode: 0o700) && spec.mount(at: "/a")?.optional == true)
        #expect(spec.mount(at: "/c") == nil)
    }

    @Test func `the program's own name is no command`() throws {
        #expect(try draft("bwrap --ro-bind / / sh").spec.command?.value == ["sh"])
        #expect(try draft("/usr/bin/bwrap --ro-bind / / sh").spec.filesystem.root.value == .host)
    }

    @Test func `every line says where it is from`() {
        let text = draft("--ro-bind / / --tmpfs /tmp sh").text(title: [])
        #expect(text.contains("# from bwrap:1 --ro-bind / /\nroot = \"host\""))
        #expect(text.contains("# from bwrap:4 --tmpfs /tmp\n[[mount]]"))
        #expect(text.contains("# as bwrap does: without --unshare-pid it is the caller's\npid = \"host\""))
    }
}
