import JailSpec
import SpecFile
import Testing

@Suite struct FaultTests {
    @Test func unknownKeysNameTheNearest() throws {
        let decoded = try decode(
            """
            hostnme = "a"
            [filesytem]
            [filesystem]
            rw_ = []
            zzzzzz = 1
            [[mount]]
            target = "/t"
            type = "tmpfs"
            sizes = 1
            [capabilities]
            keep = ["net_bind_servise", "CAP_CHOWN"]
            [rlimits]
            nofiles = 1
            [namespaces.time]
            boot_time = "1s"
            [[seccomp.rule]]
            call = "read"
            action = "EPREM"
            args = [{ index = 0, op = "==", valeu = 1 }]
            """)
        let expected: [(Int, Int, String, String?)] = [
            (1, 1, "unknown key \"hostnme\"", "did you mean \"hostname\"?"),
            (2, 2, "unknown key \"filesytem\"", "did you mean \"filesystem\"?"),
            (4, 1, "unknown key \"rw_\" in [filesystem]", "did you mean \"rw\"?"),
            (5, 1, "unknown key \"zzzzzz\" in [filesystem]", nil),
            (9, 1, "unknown key \"sizes\" in [mount]", "did you mean \"size\"?"),
            (11, 9, "capabilities.keep: unknown capability \"net_bind_servise\"", "did you mean \"net_bind_service\"?"),
            (11, 29, "capabilities.keep: unknown capability \"CAP_CHOWN\"", "did you mean \"chown\"?"),
            (13, 1, "unknown key \"nofiles\" in [rlimits]", "did you mean \"nofile\"?"),
            (15, 1, "unknown key \"boot_time\" in [namespaces.time]", "did you mean \"boottime\"?"),
            (18, 10, "seccomp.rule.action: unknown action \"EPREM\"", "did you mean \"EPERM\"?"),
            (19, 9, "seccomp.rule.args: has no value", nil),
            (19, 33, "unknown key \"valeu\" in [seccomp.rule.args]", "did you mean \"value\"?"),
        ]
        #expect(decoded.diagnostics.count == expected.count, "\(decoded.diagnostics)")
        for (fault, (line, column, message, hint)) in zip(decoded.diagnostics, expected) {
            let place = Position(file: "dir/t.toml", line: line, column: column)
            #expect(fault == Diagnostic(message, at: place, hint: hint))
        }
    }

    static let mount = "[[mount]]\ntarget = \"/t\"\n"
    static func overlay(_ lower: String, _ upper: String, _ work: String) -> String {
        "type = \"overlay\"\nlower = [\"\(lower)\"]\nupper = \"\(upper)\"\nwork = \"\(work)\"\n"
    }
    static let contradictions = [
        Wrong("[[mount]]\ntype = \"proc\"", "has no target"),
        Wrong(mount, "has no type"),
        Wrong(mount + "type = \"nfs\"", "unknown word \"nfs\""),
        Wrong(mount + "type = \"bind\"", "has no source"),
        Wrong(mount + "type = \"symlink\"", "has no to"),
        Wrong(mount + "type = \"overlay\"", "has no lower"),
        Wrong(mount + "type = \"tmpfs\"\nlower = [\"a\"]", "lower: means nothing for the type \"tmpfs\""),
        Wrong(mount + "source = \"a\"\nsize = 1", "size: means nothing for the type \"bind\""),
        Wrong(mount + "type = \"proc\"\noptional = true", "optional: means nothing"),
        Wrong(mount + "type = \"overlay\"\nlower = [\"a\"]\nupper = \"b\"", "go together"),
        Wrong(mount + "type = \"overlay\"\nlower = [\"a\"]\nupper = \"b\"\nwork = \"b\"", "same directory as upper"),
        Wrong(mount + "type = \"overlay\"\nlower = [\"a\"]\nupper = \"a\"\nwork = \"b\"", "also the upper"),
        Wrong(mount + "type = \"overlay\"\nlower = []", "names no directory"),
        Wrong(
            mount + overlay("a", "u", "w") + "[[mount]]\ntarget = \"/s\"\n" + overlay("b", "u", "v"),
            "mount.upper: \"/cwd/dir/u\" is also the upper of the overlay at dir/t.toml:2:1"),
        Wrong(
            mount + overlay("a", "u", "w") + "[[mount]]\ntarget = \"/s\"\n" + overlay("b", "v", "w"),
            "is also the work of the overlay at dir/t.toml:2:1"),
        Wrong(
            mount + overlay("a", "u", "w") + "[[mount]]\ntarget = \"/s\"\n" + overlay("b", "v", "u/w"),
            "is inside the upper of the overlay at dir/t.toml:2:1"),
        Wrong(
            "[filesystem]\nroot = \"host\"\nchanges = \"./c\"\n" + mount + overlay("a", "v", "c/work"),
            "is also the work of the overlay at dir/t.toml:3:11"),
        Wrong(mount + "source = \"a\"\noptions = [\"ro\", \"rw\"]", "contradicts \"ro\""),
        Wrong(mount + "source = \"a\"\noptions = [\"ro\", \"ro\"]", "given twice"),
        Wrong(mount + "source = \"a\"\noptions = [\"nodev,context=x\"]", "unknown word"),
        Wrong(mount + "source = \"a\"\noptions = \"ro\"", "must be an array"),
        Wrong(mount + "type = \"tmpfs\"\noptions = [\"rbind\"]", "is for the type \"bind\""),
        Wrong("[mount]\ntarget = \"/t\"", "must be an array of tables"),
        Wrong("mount = [1]", "must be a table"),
        Wrong("[filesystem]\nro = [\"/a\"]\nrw = [\"/b:/a/\"]", "\"/a\" is given twice, first at dir/t.toml:2:7"),
        Wrong("filesystem = 1", "must be a table, not an integer"),
        Wrong("[network]\nmode = \"none\"\n[namespaces]\nnet = \"host\"", "contradicts namespaces.net"),
        Wrong("[network]\nmode = \"none\"\n[namespaces]\nnet = \"/run/n\"", "contradicts namespaces.net"),
        Wrong("[network]\nmode = \"host\"\n[namespaces]\nnet = \"new\"", "contradicts namespaces.net"),
        Wrong("[network]\nmode = \"user\"\n[namespaces]\nnet = \"host\"", "contradicts namespaces.net"),
        Wrong("[network]\nparent = \"eth0\"", "network.parent: means nothing where the mode is \"none\""),
        Wrong("[network]\nmode = \"macvlan\"\naddress = [\"10.9.0.2/24\"]", "\"macvlan\" needs the host's interface"),
        Wrong("[network]\nmode = \"ipvlan\"\nparent = \"eth0\"", "\"ipvlan\" needs an address"),
        Wrong("[network]\nmode = \"veth\"\nparent = \"br0\"", "\"veth\" needs an address"),
        Wrong(
            "[network]\nmode = \"veth\"\naddress = [\"10.9.0.2/24\"]\ngateway = \"10.9.1.1\"",
            "is in no network of network.address"),
        Wrong("[network]\nallow = [\"10.0.0.1\"]", "means nothing where the mode is \"none\""),
        Wrong(
            "[network]\nmode = \"host\"\npublish = [\"80:80\"]",
            "network.publish: means nothing where the mode is \"host\""),
        Wrong(
            "[namespaces]\nnet = \"/run/n\"\n[network]\npublish = [\"80:80\"]",
            "means nothing where the mode is \"host\""),
        Wrong(
            "[network]\npublish = [\"80:80\", \"127.0.0.1:80:81\"]",
            "port 80 of the host is published, first at dir/t.toml:2:12"),
        Wrong("[network]\npublish = [\"[::1]:80:80\", \"[::]:80:81\"]", "port 80 of the host is published"),
        Wrong("[network]\nmode = \"host\"\ndns = [\"10.0.0.1\"]", "means nothing where the mode is \"host\""),
        Wrong("[limits]\nmemory = 1\nmemory_high = 2", "is more than memory"),
        Wrong("[[limits.io]]\ndevice = \"/v\"", "limits nothing"),
        Wrong("[[limits.io]]\nrbps = 1", "has no device"),
        Wrong("[seccomp]\nallow = [\"read\"]\ndeny = [\"read\"]", "is also in seccomp.allow, first at dir/t.toml:2:10"),
        Wrong("[capabilities]\neffective = [\"chown\"]", "is not in permitted"),
        Wrong("[capabilities]\npermitted = [\"chown\"]\nambient = [\"chown\"]", "is not in inheritable"),
        Wrong("[identity]\nuid_map = []", "must be \"auto\""),
        Wrong("[identity]\nuid_map = \"all\"", "unknown word"),
        Wrong("[identity]\nuid_map = [{ inside = 0, outside = 0 }]", "has no count"),
        Wrong("[identity]\nuid_map = [{ inside = 0, outside = 0, count = 0 }]", "not within 1"),
        Wrong("[identity]\nuid_map = [{ inside = -1, outside = 0, count = 1 }]", "not within 0"),
        Wrong("[identity]\nuid_map = [{ inside = 4294967295, outside = 0, count = 1 }]", "not within 0"),
        Wrong("[identity]\nuid_map = [{ inside = 4294967294, outside = 0, count = 2 }]", "past the last id"),
        Wrong(
            "[identity]\nuid_map = [{inside=0,outside=0,count=10},{inside=9,outside=50,count=1}]",
            "another range inside"),
        Wrong(
            "[identity]\nuid_map = [{inside=0,outside=0,count=10},{inside=10,outside=9,count=1}]",
            "another range outside"),
        Wrong(
            "[identity]\nuid_map = ["
                + (0...340).map { "{inside=\($0),outside=\($0),count=1}" }.joined(separator: ",") + "]",
            "more than 340"),
    ]
    @Test(arguments: contradictions) func contradiction(wrong: Wrong) throws { try wrong.check() }

    @Test(arguments: [
        ("publish", "80", false), ("publish", "80:80", true), ("publish", "127.0.0.1:8080:80/tcp", true),
        ("publish", "[::1]:80:80/udp", true), ("publish", "::1:80:80", false), ("publish", "80:80/sctp", false),
        ("publish", "0:80", false), ("publish", "65536:80", false), ("publish", "256.0.0.1:80:80", false),
        ("allow", "10.0.0.0/8:443/tcp", true), ("allow", "10.0.0.1", true), ("allow", "10.0.0.0/33", false),
        ("allow", "[fe80::]/10:443", false), ("allow", "[fe80::/10]:443/tcp", true), ("allow", "::/0", true),
        ("allow", "10.0.0.1:443-450", true), ("allow", "10.0.0.1:450-443", false), ("allow", "10.0.0.1/tcp", false),
        ("allow", "010.0.0.1", false),
        ("dns", "10.0.0.53", true), ("dns", "::ffff:1.2.3.4", true), ("dns", "1:2:3:4:5:6:7:8", true),
        ("dns", "1:2:3:4:5:6:7:8:9", false), ("dns", "1::2::3", false), ("dns", ":1", false), ("dns", "1.2.3", false),
        ("dns", "1::", true), ("dns", ":::", false), ("dns", "12345::", false), ("dns", "", false),
    ])
    func addresses(key: String, value: String, right: Bool) throws {
        let found = try faults("[network]\nmode = \"user\"\n\(key) = [\"\(value)\"]")
        #expect(found.isEmpty == right, "\(found)")
    }

    @Test func aKeyOfAnotherTableIsNamedWithItsPlace() throws {
        let found = try hints("memory = 1\nquux = 1\n[process]\ntimeout = \"9s\"")
        #expect(found == ["did you mean \"memory\" in [limits]?", "did you mean \"timeout\" at the top level?"])
    }

    @Test func everyFaultIsReportedAtOnceInOrder() throws {
        let found = try faults(
            "[process]\nnice = 99\n[identity]\numask = 1\n[zzz]\n[filesystem]\ntmp = -1\nro = [1, 2]")
        #expect(found.map { String($0.prefix(4)) } == ["2:8:", "4:9:", "5:2:", "7:7:", "8:7:", "8:10"])
    }

    @Test func aFileThatIsWrongThroughoutIsCutShort() throws {
        let text = (0..<30_000).map { "key_\($0) = 1\n" }.joined()
        let clock = ContinuousClock()
        var found: [String] = []
        let time = try clock.measure { found = try faults(text) }
        #expect(found.count == 101 && found.last == "29900 more faults")
        #expect(time < .seconds(10))
    }

    @Test func emptySectionsAreAbsent() throws {
        let spec = try spec("[limits]\n[seccomp]\n[landlock]\n[filesystem]\n[network]")
        #expect(spec == Spec())
    }
}
