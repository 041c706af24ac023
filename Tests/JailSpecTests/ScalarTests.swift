import JailSpec
import SpecFile
import Testing

/// What a lenient parser would let through, field by field.
@Suite struct ScalarTests {
    @Test(
        arguments: [
            "\"01\"", "\"1 \"", "\" 1\"", "\"0x1\"", "\"-1\"", "\"+1\"", "\"4294967295\"", "\"4294967296\"", "\"\"",
            "\"1\\u0000\"", "\"18446744073709551616\"", "\"a b\"", "\"a:b\"", "\"-a\"", "\"root\\n\"", "-1",
            "4294967295",
            "4294967296", "1.0", "true", "[]", "{}", "1979-05-27", "\"0b1\"", "\"１\"",
        ])
    func accountsAreExact(value: String) throws {
        for key in ["user", "group"] { #expect(try faults("[identity]\n\(key) = \(value)").count == 1) }
        #expect(try faults("[identity]\ngroups = [\(value)]").count == 1)
        #expect(try decode("[identity]\nuser = \(value)").spec.identity.user == nil)
    }

    @Test func accountsThatAreRight() throws {
        let right: [(String, Identity.Account)] = [
            ("0", .id(0)), ("\"0\"", .id(0)), ("\"1\"", .id(1)), ("4294967294", .id(4_294_967_294)),
            ("\"4294967294\"", .id(4_294_967_294)), ("\"nobody\"", .name("nobody")), ("\"_apt\"", .name("_apt")),
            ("\"systemd-network\"", .name("systemd-network")), ("\"host$\"", .name("host$")),
        ]
        for (text, account) in right {
            #expect(try spec("[identity]\nuser = \(text)").identity.user?.value == account)
        }
    }

    static let wrongSizes = [
        "\"123bogus\"", "\"\"", "-12345678", "\"-12345678\"", "\" -12345678\"", "\"18446744073709551616\"",
        "\"9223372036854775809\"", "\"1.5G\"", "\"1 M\"", "\"M\"", "\"1m\"", "\"1MiB\"", "\"1KM\"", "\"0x10\"",
        "\"1e3\"",
        "\"010\"", "\"99999999999T\"", "1.5", "true", "[1]", "\"1M\\u0000\"", "\"٣M\"",
    ]
    @Test(arguments: wrongSizes)
    func sizes(value: String) throws {
        for text in [
            "[limits]\nmemory = \(value)", "[limits]\nswap = \(value)",
            "[[mount]]\ntarget=\"/t\"\ntype=\"tmpfs\"\nsize = \(value)",
            "[[limits.io]]\ndevice=\"/d\"\nrbps = \(value)",
        ] {
            #expect(try faults(text).count == 1, "\(text)")
        }
    }

    @Test func sizesThatAreRight() throws {
        let right: [(String, UInt64)] = [
            ("1", 1), ("\"1\"", 1), ("\"1K\"", 1024), ("\"10MB\"", 10_000_000), ("\"2G\"", 2 << 30),
            ("\"1TB\"", 1_000_000_000_000),
            ("9223372036854775807", 1 << 63 - 1),
        ]
        for (text, size) in right {
            #expect(try spec("[limits]\nmemory = \(text)").limits?.value.memory?.value == size)
        }
        for zero in ["0", "\"0\"", "\"0M\""] {
            #expect(try faults("[limits]\nmemory = \(zero)").count == 1)
            #expect(try faults("[filesystem]\ntmp = \(zero)").count == 1)
            #expect(try spec("[limits]\nswap = \(zero)").limits?.value.swap?.value == 0)
        }
        #expect(try spec("[filesystem]\ntmp = false").filesystem.tmp.value == .none)
    }

    @Test(
        arguments: [
            "\"5\"", "5", "0", "\"\"", "\"5 s\"", "\"5sec\"", "\"-1s\"", "\"1.5s\"", "\"s\"", "\"1d\"", "\"0s\"",
            "\"01s\"", "\"9999999999999h\"", "\"99999999999999999999ms\"", "true", "\"1h30min\"",
        ])
    func durations(value: String) throws { #expect(try faults("timeout = \(value)").count == 1) }

    @Test func durationsThatAreRight() throws {
        let right: [(String, Duration)] = [
            ("500ms", .milliseconds(500)), ("1s", .seconds(1)), ("10min", .seconds(600)), ("1h", .seconds(3600)),
        ]
        for (text, duration) in right { #expect(try spec("timeout = \"\(text)\"").timeout?.value == duration) }
        #expect(try hints("timeout = 5") == ["write \"5s\" for seconds"])
        #expect(try spec("[namespaces.time]\nboottime = \"-1h\"").namespaces.boottime?.value == .seconds(-3600))
        #expect(try spec("grace = \"0s\"").grace.value == .zero)
        #expect(try faults("grace = \"-1s\"").count == 1)
    }

    @Test(arguments: [
        "\"9\"", "\"10000\"", "\"\"", "22", "0o22", "\"0o22\"", "\"-1\"", "\"1 \"", "\"000000\"", "\"u=rwx\"",
    ])
    func modes(value: String) throws {
        #expect(try faults("[[mount]]\ntarget=\"/t\"\ntype=\"dir\"\nmode=\(value)").count == 1)
        #expect(try faults("[identity]\numask = \(value)").count == 1)
    }

    @Test func modesThatAreRight() throws {
        #expect(try spec("[identity]\numask = \"0022\"").identity.umask?.value == 0o22)
        #expect(try faults("[identity]\numask = \"1000\"").count == 1)
        let mount = try spec("[[mount]]\ntarget=\"/t\"\ntype=\"dir\"\nmode=\"1777\"").filesystem.mounts[0]
        #expect(mount.source == .directory(mode: 0o1777))
        #expect(try spec("[[mount]]\ntarget=\"/t\"\ntype=\"dir\"").filesystem.mounts[0].source == .directory(mode: nil))
    }

    @Test(arguments: [
        ("dir", "2755", 0), ("dir", "4755", 1), ("tmpfs", "3777", 0), ("tmpfs", "4777", 1), ("file", "1644", 1),
    ])
    func modesWithBitsThatHaveNoEffect(_ type: String, _ mode: String, _ count: Int) throws {
        #expect(try faults("[[mount]]\ntarget=\"/t\"\ntype=\"\(type)\"\nmode=\"\(mode)\"").count == count)
    }

    @Test(arguments: [
        ("proc", ["suid", "dev", "exec"], ["rw", "ro", "nosuid"]), ("sysfs", ["rw", "suid", "dev", "exec"], ["ro"]),
        ("devpts", ["suid", "exec"], ["rw", "dev", "nodev"]), ("mqueue", ["suid", "dev", "exec"], ["rw", "noexec"]),
        ("cgroup", ["suid", "dev", "exec"], ["rw", "ro"]), ("tmpfs", [], ["rw", "suid", "dev", "exec"]),
    ])
    func optionsThatATypeDoesNotTake(_ type: String, _ refused: [String], _ taken: [String]) throws {
        func count(_ word: String) throws -> Int {
            try faults("[[mount]]\ntarget=\"/t\"\ntype=\"\(type)\"\noptions=[\"\(word)\"]").count
        }
        for word in refused { #expect(try count(word) == 1, "\(word)") }
        for word in taken { #expect(try count(word) == 0, "\(word)") }
    }

    @Test(arguments: [
        "", "a", "3-1", "1,,2", "1-", "-1", "0-99999", "1-2-3", "0,0", "0-3,2", " 1", "1 ", "01",
        "99999999999999999999",
    ])
    func cpuLists(value: String) throws {
        #expect(try faults("[process]\ncpus = \"\(value)\"").count == 1)
        #expect(try faults("[limits]\ncpus = \"\(value)\"").count == 1)
    }

    @Test func cpuListsThatAreRight() throws {
        #expect(try spec("[process]\ncpus = \"6,0-3\"").process.cpus?.value == [0, 1, 2, 3, 6])
    }

    @Test(arguments: ["\"150\"", "150", "\"0%\"", "\"-1%\"", "\"1.5%\"", "\"%\"", "\"99999999999%\"", "1.5"])
    func percentages(value: String) throws { #expect(try faults("[limits]\ncpu = \(value)").count == 1) }

    @Test(
        arguments: [
            "\"2:1\"", "\"1:2:3\"", "\":\"", "\"1:\"", "\":1\"", "\"\"", "-1", "\"-1\"", "\"unlimited:1\"",
            "\"infinity\"",
            "\"18446744073709551615\"", "\"18446744073709551616\"", "\"0x10\"", "\"1 \"", "true", "1.0", "\"1K\"",
        ])
    func rlimits(value: String) throws { #expect(try faults("[rlimits]\nnofile = \(value)").count == 1) }

    @Test func rlimitsThatAreRight() throws {
        let right: [(String, UInt64?, UInt64?)] = [
            ("5", 5, 5), ("\"5\"", 5, 5), ("\"1:2\"", 1, 2), ("\"unlimited\"", nil, nil), ("\"1:unlimited\"", 1, nil),
            ("\"1M:2M\"", 1 << 20, 2 << 20),
        ]
        for (text, soft, hard) in right {
            let limit = try spec("[rlimits]\nas = \(text)").rlimits[0]
            #expect(limit.resource == .as && limit.soft == soft && limit.hard == hard, "\(text)")
        }
    }

    @Test(
        arguments: [
            "\"\"", "\"a b\"", "\"-a\"", "\"a-\"", "\"a..b\"", "\".a\"", "\"a\\u0000b\"", "\"a/b\"", "\"é\"",
            "\"a\\n\"", "1",
            "\"\(String(repeating: "a", count: 65))\"",
        ])
    func hostnames(value: String) throws { #expect(try faults("hostname = \(value)").count == 1) }

    @Test(arguments: ["\"ls\"", "[]", "[\"\"]", "[\"a\\u0000\"]", "[1]", "{}"])
    func commands(value: String) throws { #expect(try !faults("command = \(value)").isEmpty) }

    @Test(
        arguments: [
            ("process", "fds", "[2]"), ("process", "fds", "[-1]"), ("process", "fds", "[3, 3]"),
            ("process", "fds", "[\"3\"]"),
            ("process", "fds", "3"), ("process", "nice", "20"), ("process", "nice", "-21"),
            ("process", "oom_score_adj", "1001"),
            ("process", "tty", "\"yes\""), ("process", "init", "\"true\""), ("process", "init", "1"),
            ("process", "keyring", "\"old\""), ("limits", "cpu_weight", "0"), ("limits", "cpu_weight", "10001"),
            ("limits", "io_weight", "0"), ("limits", "io_weight", "10001"),
            ("limits", "pids", "0"), ("limits", "pids", "-1"), ("landlock", "bind_tcp", "[65536]"),
            ("landlock", "bind_tcp", "[80, 80]"), ("landlock", "minimum_abi", "0"),
            ("landlock", "scope", "[\"signals\"]"),
            ("environment", "keep", "[\"A=B\"]"), ("environment", "keep", "[\"*A\"]"),
            ("environment", "keep", "[\"\"]"),
            ("environment", "keep", "\"A\""), ("environment", "set", "{ A = 1 }"),
            ("environment", "set", "{ \"\" = \"x\" }"),
            ("environment", "set", "{ \"A=B\" = \"x\" }"), ("environment", "set", "{ A = \"\\u0000\" }"),
            ("seccomp", "default", "\"EPREM\""), ("seccomp", "default", "1"), ("seccomp", "allow", "[\"Read\"]"),
            ("seccomp", "allow", "[\"@\"]"), ("seccomp", "allow", "[\"\"]"), ("seccomp", "profile", "\"defualt\""),
            ("namespaces", "nested", "\"yes\""), ("namespaces", "pid", "\"New\""), ("namespaces", "time", "\"none\""),
            ("network", "mode", "\"bridge\""), ("capabilities", "keep", "[\"chown\", \"chown\"]"),
            ("capabilities", "keep", "[\"CAP_CHOWN\"]"), ("capabilities", "keep", "[\"all\"]"),
            ("capabilities", "keep", "\"chown\""),
        ])
    func words(section: String, key: String, value: String) throws {
        let found = try faults("[\(section)]\n\(key) = \(value)")
        #expect(found.count == 1 && found[0].contains("\(section).\(key)"), "\(found)")
    }
}
