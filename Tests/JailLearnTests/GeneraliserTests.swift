import JailLearn
import JailSpec
import SpecFile
import Testing

@Suite struct GeneraliserTests {
    private static let context = LearnContext(command: ["tool"], current: "/home/u/work", home: "/home/u")

    private func spec(_ records: [AccessRecord], _ context: LearnContext = context) throws -> Spec {
        let learned = LearnedSpec(records, context)
        let root = try parse(Array(learned.text.utf8), file: "learned.toml")
        guard case .table(let table) = root.value else { throw Diagnostic("no table", at: nil) }
        let surroundings = Surroundings(variable: { _ in nil }, home: "/home/u", currentDirectory: "/")
        let decoded = Spec.decode(Document(root: table, files: []), in: surroundings)
        #expect(decoded.diagnostics.isEmpty, "\(learned.text)")
        return decoded.spec
    }

    /// What is shown of the host, each with a word for how.
    private func shown(_ records: [AccessRecord], _ context: LearnContext = context) throws -> [String] {
        try spec(records, context).filesystem.mounts.map { mount in
            let word =
                switch mount.source {
                case .bind: mount.create != nil ? "made" : mount.options.asked.isEmpty ? "rw" : "ro"
                case .directory: "dir"
                case .symlink(let to): "-> \(to)"
                default: "?"
                }
            return "\(mount.target) \(word)"
        }.sorted()
    }

    @Test func `the system, and what a jail has of its own, need no line`() throws {
        let records = ["/usr/lib/x", "/etc/hosts", "/proc/self/maps", "/dev/null", "/lib64/ld.so"].map {
            AccessRecord(.read, $0)
        }
        let own = [
            AccessRecord(.make, "/tmp/x"), AccessRecord(.makeDirectory, "/var/tmp/y"), AccessRecord(.write, "/dev/tty"),
        ]
        #expect(try shown(records + own) == ["/home/u/work dir"])
    }

    @Test func `a path goes to its anchor`() throws {
        let records = [
            "/home/u/work/a/b", "/home/u/.config/tool/c/d", "/home/u/.local/share/tool/e", "/var/lib/tool/f",
            "/opt/tool/bin/g", "/data/one",
        ].map { AccessRecord(.read, $0) }
        #expect(
            try shown(records) == [
                "/data/one ro", "/home/u/.config/tool ro", "/home/u/.local/share/tool ro", "/home/u/work ro",
                "/opt/tool ro", "/var/lib/tool ro",
            ])
    }

    @Test func `the git tree stands for what is in it`() throws {
        var context = Self.context
        (context.tree, context.current) = ("/home/u/work", "/home/u/work/sub")
        #expect(try shown([AccessRecord(.read, "/home/u/work/other")], context) == ["/home/u/work ro"])
    }

    @Test(arguments: ["/", "/home", "/home/u", "/home/u/.ssh", "/home/u/.config", "/data", "/var/lib"])
    func `no line shows all of what holds more than the command's own`(directory: String) throws {
        let prefix = directory == "/" ? "" : directory
        let names = ["a", "b", "c", "d"].map { prefix + "/zz" + $0 }
        let records = names.flatMap { [AccessRecord(.read, $0), AccessRecord(.make, $0 + "new")] }
        let shown = try shown(records + [AccessRecord(.list, directory)])
        #expect(!shown.contains { $0.hasPrefix(directory + " ") }, "\(shown)")
        #expect(names.allSatisfy { name in shown.contains { $0.hasPrefix(name + " ") } }, "\(shown)")
    }

    @Test(
        arguments: [nil, "", "/", "relative", "/etc", "/home", "/var/lib", "/nowhere", "/home/v", "/data/link"],
        [
            "/home", "/home/u", "/home/u/.ssh", "/home/u/.gnupg/private", "/home/u/.config", "/home/v", "/data/w",
            "/data/w/.local/share",
        ])
    func `whatever HOME says, the homes and keys of the accounts stay closed`(home: String?, directory: String) throws {
        var context = LearnContext(command: ["tool"], current: directory, home: home)
        (context.isRoot, context.homes) = (true, ["/home/u", "/data/w", "/root"])
        let names = ["a", "b", "c", "d"].map { directory + "/zz" + $0 }
        let records = names.flatMap { [AccessRecord(.read, $0), AccessRecord(.make, $0 + "new")] }
        let shown = try shown(records + [AccessRecord(.list, directory)], context)
        #expect(!shown.contains { $0 == directory + " ro" || $0 == directory + " rw" }, "\(shown)")
        #expect(names.allSatisfy { name in shown.contains { $0.hasPrefix(name + " ") } }, "\(shown)")
    }

    @Test(arguments: ["/home/u/.ssh", "/data/x/.gnupg"])
    func `a directory of keys that is made or moved is shown by no line`(path: String) throws {
        for act in [AccessRecord.Act.make, .makeDirectory, .replace] {
            let shown = try shown([AccessRecord(act, path)], Self.context)
            let closed = [path, "/data/x", "/home/u "]
            #expect(!shown.contains { line in closed.contains { line.hasPrefix($0) } }, "\(shown)")
        }
    }

    @Test(arguments: ["/home", "/home/u", "/home/u/.ssh", "/data/x/.gnupg", "/home/u/.config", "/data", "/var/lib"])
    func `a directory whose mode or times were set is not shown with what it holds`(directory: String) throws {
        let shown = try shown([AccessRecord(.write, directory), AccessRecord(.write, directory + "/file")])
        #expect(!shown.contains { $0 == directory + " ro" || $0 == directory + " rw" }, "\(shown)")
        #expect(directory == "/home" || shown.contains(directory + "/file rw"), "\(shown)")
    }

    @Test func `three of a directory stand for it, and two do not`() throws {
        func read(_ names: [String]) throws -> [String] {
            try shown(names.map { AccessRecord(.read, "/data/set/" + $0) })
        }
        #expect(try read(["a", "b"]) == ["/data/set/a ro", "/data/set/b ro", "/home/u/work dir"])
        #expect(try read(["a", "b", "c"]) == ["/data/set ro", "/home/u/work dir"])
    }

    @Test func `one file in a directory of srv stands for itself, three for their directory`() throws {
        func shown(_ act: AccessRecord.Act, _ names: [String]) throws -> [String] {
            try self.shown(names.map { AccessRecord(act, "/srv/" + $0) }).filter { $0 != "/home/u/work dir" }
        }
        #expect(try shown(.read, ["www/a"]) == ["/srv/www/a ro"])
        #expect(try shown(.read, ["www/a", "www/b", "www/c"]) == ["/srv/www ro"])
        #expect(try shown(.read, ["a", "b", "c"]) == ["/srv/a ro", "/srv/b ro", "/srv/c ro"])
        #expect(try shown(.write, ["www/x/log"]) == ["/srv/www/x/log rw"])
        #expect(try shown(.make, ["www/x/log"]) == ["/srv/www/x rw"])
    }

    @Test func `what is made makes its directory writable, what is written only itself`() throws {
        let records = [
            AccessRecord(.make, "/home/u/work/out/x"), AccessRecord(.write, "/home/u/work/log"),
            AccessRecord(.read, "/home/u/work/in"),
        ]
        #expect(try shown(records) == ["/home/u/work ro", "/home/u/work/log rw", "/home/u/work/out rw"])
    }

    @Test func `what is made at home is made for the jail, and never the home writable`() throws {
        let records = [
            AccessRecord(.makeDirectory, "/home/u/.tool"), AccessRecord(.make, "/home/u/.toolrc"),
            AccessRecord(.replace, "/home/u/.other"),
        ]
        #expect(try shown(records) == ["/home/u/.tool made", "/home/u/.toolrc made", "/home/u/work dir"])
        #expect(LearnedSpec(records, Self.context).untold.contains { $0.contains("/home/u/.other") })
    }

    @Test func `etc is never writable, and that is said`() throws {
        let records = [
            AccessRecord(.make, "/etc/x"), AccessRecord(.write, "/etc/hosts"), AccessRecord(.replace, "/usr/y"),
        ]
        #expect(try shown(records) == ["/home/u/work dir"])
        #expect(LearnedSpec(records, Self.context).untold.count == 3)
    }

    @Test func `links on the way stay links`() throws {
        let records = [AccessRecord(.link, "/home/u/data", "/data/u"), AccessRecord(.read, "/data/u/x")]
        #expect(try shown(records) == ["/data/u/x ro", "/home/u/data -> /data/u", "/home/u/work dir"])
    }

    @Test func `sockets of its own need no network`() throws {
        let own = [
            AccessRecord(.listen, "127.0.0.1:0", "inet"), AccessRecord(.connect, "127.0.0.1:40001", "inet"),
            AccessRecord(.listen, "@own", "unix"), AccessRecord(.connect, "@own", "unix"),
            AccessRecord(.listen, "0.0.0.0:8000", "inet"), AccessRecord(.connect, "127.0.0.1:8000", "inet"),
        ]
        #expect(try spec(own).network.mode == nil)
        for foreign in ["192.0.2.1:443", "127.0.0.1:631", "[2001:db8::1]:80", "@bus"] {
            let record = AccessRecord(.connect, foreign, foreign.hasPrefix("@") ? "unix" : "inet")
            #expect(try spec(own + [record]).network.mode?.value == .host, "\(foreign)")
        }
        // The own socket of that port is not the one of another machine.
        #expect(try spec(own + [AccessRecord(.connect, "192.0.2.1:8000", "inet")]).network.mode?.value == .host)
    }

    @Test func `characters that mean something in a spec are taken literally`() throws {
        let paths = ["/data/x/a:b", "/data/y/*", "/data/z/${HOME}", "/data/q/[a]"]
        let records = paths.map { AccessRecord(.read, $0) }
        let targets = try spec(records).filesystem.mounts.map(\.target)
        #expect(Set(paths).isSubset(of: targets), "\(targets)")
        #expect(try spec(records).filesystem.mounts.allSatisfy { !$0.isPattern })
    }

    @Test func `what the extended spec shows has no line`() throws {
        var context = Self.context
        context.granted = [.init("/data", .readOnly), .init("/home/u/work", .writable)]
        let records = [
            AccessRecord(.read, "/data/a"), AccessRecord(.write, "/data/b"), AccessRecord(.make, "/home/u/work/c"),
        ]
        #expect(try shown(records, context) == ["/data/b rw"])
    }

    @Test func `records are read back as they were written`() throws {
        var context = Self.context
        (context.tree, context.base, context.isRoot) = ("/home/u/work", "base.toml", true)
        context.homes = ["/data/w", "/home/u"]
        context.command = ["tool", "a\tb\nc\\d", ""]
        context.granted = [.init("/data", .readOnly), .init("/x", .writable)]
        let records: Set<AccessRecord> = [AccessRecord(.read, "/a\tb\n\\n"), AccessRecord(.link, "/l", "to\r")]
        let read = try #require(RecordFile.read(RecordFile.text(records.sorted(), context)))
        #expect(read.records == records && read.context == context)
        #expect(RecordFile.read("command = []\n") == nil)
    }

    @Test func `variables that lead to what was used are kept, and no others`() {
        let used: Set = [AccessRecord(.read, "/data/set/x"), AccessRecord(.execute, "/opt/t/bin/tool")]
        let environment = [
            ("DATA", "/data/set"), ("OTHER", "/data/other"), ("SECRET", "abc"), ("HOME", "/data"), ("LANG", "C"),
            ("PATH", "/usr/bin:/opt/t/bin"), ("LIB", "/usr/lib"), ("ROOT", "/"),
        ].map { (name: $0.0, value: $0.1) }
        let kept = Variables.records(
            of: environment, used: used, jailHome: "/data", homes: ["/data"], Self.context
        ).map(\.path)
        #expect(kept == ["DATA", "LANG", "PATH"])
    }

    /// Also where it leads to what every jail has of the host, or below the root.
    @Test(arguments: [
        ("/data", ["/data"], true), ("/", ["/"], true), ("/opt", ["/opt"], true), ("/etc", ["/etc"], true),
        ("/link", ["/link", "/data"], true), ("/other", ["/other"], false), ("/home/u", ["/home/u"], false),
        ("relative", ["/none/relative"], false),
    ]) func `a home that is not the account's is kept where it led to anything`(
        value: String, homes: [String], isKept: Bool
    ) {
        let used: Set = [
            AccessRecord(.read, "/data/set/x"), AccessRecord(.enter, "/opt"), AccessRecord(.read, "/etc/hostname"),
            AccessRecord(.read, "/home/u/x"), AccessRecord(.connect, "@name", "unix"),
        ]
        let kept = Variables.records(
            of: [(name: "HOME", value: value)], used: used, jailHome: "/home/u", homes: homes, Self.context)
        #expect(kept.map(\.path) == (isKept ? ["HOME"] : []))
    }

    @Test func `addresses get a network of the jail's own, where the host has what that takes`() throws {
        var context = Self.context
        context.leadsOut = true
        let records = ["192.0.2.1:443", "[2001:db8::1]:80", "192.0.2.9:0"].map { AccessRecord(.connect, $0, "inet") }
        let network = try spec(records, context).network
        #expect(network.mode?.value == .user)
        #expect(network.allow?.value.map(\.value.description) == ["192.0.2.1:443", "[2001:db8::1]:80"])
        for local in ["127.0.0.1:631", "@bus"] {
            let one = AccessRecord(.connect, local, local == "@bus" ? "unix" : "inet")
            #expect(try spec(records + [one], context).network.mode?.value == .host)
        }
    }

    @Test func `the protocol that was used is the one that is opened`() throws {
        var context = Self.context
        context.leadsOut = true
        func allowed(_ records: [AccessRecord]) throws -> [String]? {
            try spec(records, context).network.allow?.value.map(\.value.description)
        }
        func connect(_ detail: String, _ path: String = "192.0.2.1:443") -> AccessRecord {
            AccessRecord(.connect, path, detail)
        }
        #expect(try allowed([connect("tcp")]) == ["192.0.2.1:443/tcp"])
        #expect(try allowed([connect("udp")]) == ["192.0.2.1:443/udp"])
        #expect(try allowed([connect("aimed")]) == ["192.0.2.1:443/udp"])
        // What getaddrinfo(3) asks for before TCP.
        #expect(try allowed([connect("aimed"), connect("tcp")]) == ["192.0.2.1:443/tcp"])
        #expect(try allowed([connect("aimed"), connect("tcp"), connect("udp")]) == ["192.0.2.1:443"])
        #expect(try allowed([connect("inet"), connect("tcp")]) == ["192.0.2.1:443"])
        #expect(try allowed([connect("aimed", "192.0.2.1:53"), connect("udp", "192.0.2.1:53")]) == ["192.0.2.1:53"])
        // Of a name's addresses one is used, and the others are only asked about.
        let named = ["192.0.2.1", "192.0.2.2"].map { AccessRecord(.named, $0, "example.org") }
        let used = [connect("tcp"), connect("aimed", "192.0.2.2:443")]
        #expect(try allowed(used + named) == ["example.org:443/tcp"])
    }

    @Test func `an address where clouds serve metadata is told`() throws {
        var context = Self.context
        (context.leadsOut, context.metadata) = (true, ["169.254.169.254"])
        let reached = [AccessRecord(.connect, "169.254.169.254:80", "tcp")]
        let learned = LearnedSpec(reached, context)
        #expect(learned.openings.count == 1 && learned.openings[0].contains("169.254.169.254:80"))
        #expect(learned.text.contains("which may hold credentials of this machine"))
        #expect(LearnedSpec([AccessRecord(.connect, "192.0.2.1:80", "tcp")], context).openings == [])
        #expect(LearnedNetwork.hosts(reached) == ["169.254.169.254"])
        let read = try #require(RecordFile.read(RecordFile.text(reached, context)))
        #expect(LearnedSpec(read.records.sorted(), read.context).text == learned.text)
    }

    @Test func `the host's network is given with why, and with the ports that it opens`() throws {
        let records = [AccessRecord(.connect, "192.0.2.1:53", "inet"), AccessRecord(.listen, "0.0.0.0:8000", "inet")]
        let learned = LearnedSpec(records, Self.context)
        #expect(
            learned.text.contains("connects to 192.0.2.1:53, which takes the host's whole network, as nothing here"))
        #expect(learned.untold == ["listens at 0.0.0.0:8000: at the host's own port, as network.mode is \"host\""])
        let alone = LearnedSpec([records[1]], Self.context)
        #expect(
            alone.untold == [
                "listens at 0.0.0.0:8000: only the jail itself reaches it; network.publish = [\"8000:8000\"] lets this host in, "
                    + "and [\"0.0.0.0:8000:8000\"] others"
            ])
        #expect(
            LearnedSpec([AccessRecord(.listen, "[::1]:80", "inet")], Self.context).untold[0].contains("\"8080:80\""))
    }

    @Test func `what only asks for a route is no use of a port`() throws {
        let asked = ["0.0.0.0:8131", "[::]:8131"].map { AccessRecord(.connect, $0, "aimed") }
        let learned = LearnedSpec((asked + [AccessRecord(.listen, "0.0.0.0:8131", "inet")]).sorted(), Self.context)
        #expect(learned.untold.count == 1 && learned.untold[0].contains("network.publish = [\"8131:8131\"]"))
        #expect(learned.sharedNetwork == nil)
        // One that is connected to, and one that is sent to, are its own.
        for (transport, other) in [("inet", "udp"), ("udp", "inet")] {
            func untold(_ used: String) -> [String] {
                LearnedSpec(
                    [
                        AccessRecord(.connect, "0.0.0.0:8131", "aimed"), AccessRecord(.connect, "0.0.0.0:8131", used),
                        AccessRecord(.listen, "0.0.0.0:8131", transport),
                    ], Self.context
                ).untold
            }
            #expect(untold(transport) == [] && untold(other).count == 1)
        }
        let datagrams = LearnedSpec([AccessRecord(.listen, "127.0.0.1:5300", "udp")], Self.context)
        #expect(datagrams.untold[0].contains("network.publish = [\"5300:5300/udp\"]"))
    }

    @Test func `names take the place of addresses that were told for them, and of the servers that were asked`() throws
    {
        var context = Self.context
        (context.leadsOut, context.servers) = (true, ["192.0.2.53", "127.0.0.53"])
        let asked = ["192.0.2.53:53", "127.0.0.53:53"].map { AccessRecord(.connect, $0, "inet") }
        let named = ["203.0.113.1", "203.0.113.2"].map { AccessRecord(.named, $0, "example.org") }
        let reached = AccessRecord(.connect, "203.0.113.1:443", "inet")
        func allowed(_ records: [AccessRecord]) throws -> [String]? {
            let network = try spec(records, context).network
            return network.mode?.value == .user ? network.allow?.value.map(\.value.description) : nil
        }
        #expect(try allowed(asked + named + [reached]) == ["example.org:443"])
        // An address for which no name was asked, and a name that is only asked for.
        let plain = AccessRecord(.connect, "203.0.113.9:80", "inet")
        #expect(try allowed(asked + named + [plain]) == ["203.0.113.9:80", "example.org"])
        // Another server than the host's was meant itself.
        let other = AccessRecord(.connect, "198.51.100.1:53", "inet")
        #expect(try allowed([other, reached] + named) == ["198.51.100.1:53", "example.org:443"])
        // A name that leads to a private network is one that the jail's resolver answers with nothing.
        let within = AccessRecord(.namedWithin, "10.0.0.1", "db.example.org")
        #expect(try allowed([asked[0], within, reached] + named) == ["203.0.113.1:443", "192.0.2.53:53"])
        // What was asked in vain needs no network.
        let vain = LearnedSpec(asked, context)
        #expect(try spec(asked, context).network.mode == nil && vain.untold.count == 2)
    }

    @Test func `the host's network is looked at only where a command of the jail's own would need it`() {
        func matters(_ addresses: String...) -> Bool {
            LearnedNetwork.matters(addresses.map { AccessRecord(.connect, $0, $0.hasPrefix("@") ? "unix" : "inet") })
        }
        #expect(matters("192.0.2.1:443") && matters("127.0.0.53:53"))
        #expect(!matters() && !matters("127.0.0.1:80") && !matters("@bus") && !matters("192.0.2.1:0"))
        #expect(!matters("192.0.2.1:443", "127.0.0.1:80"))
        #expect(!LearnedNetwork.matters([AccessRecord(.read, "/data/f")]))
    }

    @Test func `root's command is whoever may use the files`() throws {
        var context = Self.context
        context.isRoot = true
        func user(_ records: [AccessRecord]) throws -> String? {
            try spec(records, context).identity.user.map {
                switch $0.value {
                case .id(let number): "\(number)"
                case .name(let name): name
                }
            }
        }
        let read = AccessRecord(.read, "/data/x/y")
        #expect(try user([read]) == nil)
        #expect(try user([read, AccessRecord(.owned, "/data/x/y", "1000 read")]) == "1000")
        let both = [read, AccessRecord(.owned, "/data/x/y", "0 read"), AccessRecord(.owned, "/data/x/y", "1000 read")]
        #expect(try user(both) == "0" && LearnedSpec(both, context).untold.count == 1)
        // What no line opens asks for nobody.
        #expect(try user([AccessRecord(.make, "/etc/x"), AccessRecord(.owned, "/etc/x", "0 make")]) == nil)
    }

    @Test func `the spec stays out of reach of a command that is root`() throws {
        var context = Self.context
        (context.isRoot, context.spec) = (true, "/home/u/work/s.toml")
        let made = [AccessRecord(.make, "/home/u/work/x"), AccessRecord(.owned, "/home/u/work/x", "0 make")]
        #expect(try shown(made, context) == ["/home/u/work rw", "/home/u/work/s.toml ro"])
        context.spec = "/elsewhere/s.toml"
        #expect(try shown(made, context) == ["/home/u/work rw"])
    }

    @Test func `a tight spec closes what was not used, without a line within a wider one`() throws {
        var context = Self.context
        context.isTight = true
        let records = [
            AccessRecord(.execute, "/usr/bin/tool"), AccessRecord(.read, "/usr/lib/a/1"),
            AccessRecord(.read, "/usr/lib/a/2"),
            AccessRecord(.read, "/usr/lib/a/3"), AccessRecord(.read, "/etc/hosts"),
            AccessRecord(.make, "/home/u/work/o/x"),
            AccessRecord(.read, "/home/u/work/o/y"), AccessRecord(.runMade, "/home/u/work/o/x"),
            AccessRecord(.list, "/"),
            AccessRecord(.make, "/tmp/x"), AccessRecord(.read, "/nowhere/shown"),
        ]
        let rules = try #require(try spec(records, context).landlock).value.rules
        #expect(
            rules.map { "\($0.grant.rawValue) \($0.path.value)" }.sorted() == [
                "ro /etc/hosts", "ro /nowhere/shown", "ro /proc", "ro /usr/lib/a", "rw /dev/null", "rw /tmp",
                "rwx /home/u/work/o", "rx /usr/bin/tool",
            ])
    }

    @Test func `lines that differ outside as well are no difference`() {
        func line(_ inside: String, _ one: String, _ other: String) -> Int? {
            OutputDifference.line(inside: Array(inside.utf8), outside: Array(one.utf8), again: Array(other.utf8))
        }
        #expect(line("a\n3\nb\n", "a\n1\nb\n", "a\n2\nb\n") == nil)
        #expect(line("a\n3\nc\n", "a\n1\nb\n", "a\n2\nb\n") == 3)
        #expect(line("a\n3\n", "a\n1\nb\n", "a\n2\nb\n") == 3)
        #expect(line("a\n1\nb\nc\n", "a\n1\nb\n", "a\n2\nb\n") == 4)
        // Where even the number of lines is its own, what is always there must be there.
        #expect(line("x\nend\n", "1\n2\nend\n", "3\nend\n") == nil)
        #expect(line("x\n", "1\n2\nend\n", "3\nend\n") == 3)
        #expect(line("", "", "") == nil && line("e", "", "") == 1)
    }

    @Test func `addresses of sockets`() {
        #expect(SocketAddress([2, 0, 0, 80, 127, 0, 0, 1]) == .inet("127.0.0.1", port: 80))
        let six = [10, 0, 1, 187, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 15) + [1] + [0, 0, 0, 0]
        #expect(SocketAddress(six) == .inet("[::1]", port: 443))
        #expect(SocketAddress([1, 0] + Array("/run/x\0yz".utf8)) == .path(Array("/run/x".utf8)))
        #expect(SocketAddress([1, 0, 0] + Array("own".utf8)) == .abstract("own"))
        #expect(SocketAddress([16, 0, 1]) == nil && SocketAddress([2, 0, 0, 80]) == nil && SocketAddress([1]) == nil)
    }

    @Test func `flags of open`() {
        #expect(!OpenFlags(0).writes && OpenFlags(1).writes && OpenFlags(2).writes && OpenFlags(0o1000).writes)
        #expect(OpenFlags(0o100).creates && !OpenFlags(0o10_000_102).creates && !OpenFlags(0o10_000_002).writes)
        #expect(OpenFlags.creat.creates && OpenFlags.creat.writes)
    }
}
