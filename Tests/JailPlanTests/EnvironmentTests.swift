import JailPlan
import JailSpec
import TestSupport
import Testing

@Suite struct EnvironmentTests {
    @Test func whatAJailHasByDefault() throws {
        #expect(
            try plan("").environment == [
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp", "SHELL=/bin/sh",
                "USER=nobody", "LOGNAME=nobody", "TERM=xterm", "LANG=C.UTF-8",
            ])
        #expect(try plan("", on: .root.with { $0.environment = [] }).variable("TERM") == nil)
    }

    @Test(arguments: [
        ("", Host.user, "ada"), ("identity.user = 0", .root, "root"),
        ("identity.user = 0", .root.with { $0.users = [] }, "root"), ("", .root.with { $0.users = [] }, "nobody"),
        ("identity.user = 33", .user, "www-data"),
    ]) func user(text: String, host: Host, name: String) throws {
        let plan = try plan(text, on: host)
        #expect(plan.variable("USER") == name && plan.variable("LOGNAME") == name)
    }

    @Test func aNumberWithoutANameHasNoUser() throws {
        let plan = try plan("identity.user = 4242")
        #expect(plan.variable("USER") == nil && plan.variable("LOGNAME") == nil && plan.variable("HOME") == "/tmp")
    }

    @Test(arguments: [
        ("keep = []", ["LANG=C.UTF-8"]), ("keep = [\"LANG\"]", ["LANG=de_DE.UTF-8"]),
        ("keep = [\"LC_*\"]", ["LANG=C.UTF-8", "LC_ALL=C"]),
        ("keep = [\"L*\"]", ["LANG=de_DE.UTF-8", "LC_ALL=C"]), ("keep = [\"LAN\", \"ANG\"]", ["LANG=C.UTF-8"]),
        ("keep = [\"*\"]", ["LANG=de_DE.UTF-8", "LC_ALL=C", "SECRET=s"]),
        ("keep = [\"*\"]\nunset = [\"L*\"]", ["LANG=C.UTF-8", "SECRET=s"]),
        ("keep = [\"*\"]\nunset = [\"LC_ALL\", \"SECRE\", \"PATH\"]", ["LANG=de_DE.UTF-8", "SECRET=s"]),
    ]) func keep(text: String, kept: [String]) throws {
        let host = Host.root.with { $0.environment = ["TERM=xterm", "LANG=de_DE.UTF-8", "LC_ALL=C", "SECRET=s"] }
        #expect(try plan("[environment]\n\(text)", on: host).environment.dropFirst(6) == kept[...])
    }

    @Test(arguments: [
        ("defaults = false", [String]()), ("defaults = false\nkeep = [\"TERM\"]", ["TERM=xterm"]),
        ("defaults = false\nset = { A = \"1\" }", ["A=1"]),
        ("defaults = false\npath = [\"/a\", \"/b\"]", ["PATH=/a:/b"]),
        ("defaults = false\nset = { PATH = \"\" }\npath = [\"/a\"]", ["PATH=/a"]),
        ("defaults = false\nset = { PATH = \"/x:/y\" }\npath = [\"/a\", \"/b\"]", ["PATH=/a:/b:/x:/y"]),
    ]) func anEmptyBeginning(text: String, environment: [String]) throws {
        #expect(try plan("[environment]\n\(text)").environment == environment)
    }

    /// Many names, each once, whatever the table of them holds: what was put last counts, where the first stood.
    @Test func manyNames() throws {
        let host = Host.root.with { host in
            host.environment = (0..<5_000).map { "N\($0 % 3_000)=\($0)" } + ["N\u{e9}=1", "Ne\u{301}=2"]
        }
        let found = try plan("environment = { defaults = false, keep = [\"N*\"] }", on: host).environment
        let wanted = (0..<3_000).map { "N\($0)=\($0 < 2_000 ? $0 + 3_000 : $0)" } + ["N\u{e9}=1", "Ne\u{301}=2"]
        #expect(found.map { Array($0.utf8) } == wanted.map { Array($0.utf8) })
    }

    /// A mark that combines makes one character of itself and the sign before it, and is no part of the name.
    @Test func aValueThatBeginsWithACombiningMark() throws {
        let host = Host.root.with { $0.environment = ["LANG=\u{301}=x"] }
        #expect(try plan("environment.keep = [\"LANG\"]", on: host).environment.last == "LANG=\u{301}=x")
        let set = try plan("environment.set = { LANG = \"\u{301}\" }", on: host)
        #expect(set.environment.last == "LANG=\u{301}")
    }

    /// From low to high: what the jail sets, what is kept, what the spec sets; a name is there once.
    @Test func precedence() throws {
        let host = Host.root.with { $0.environment += ["HOME=/caller", "PATH=/caller/bin", "A=caller"] }
        let kept = try plan("environment.keep = [\"HOME\", \"A\"]", on: host)
        #expect(kept.variable("HOME") == "/caller" && kept.variable("A") == "caller")
        #expect(kept.variable("PATH") != "/caller/bin")
        let set = try plan("[environment]\nkeep = [\"*\"]\nset = { HOME = \"/x\", A = \"spec\", B = \"\" }", on: host)
        #expect(set.variable("HOME") == "/x" && set.variable("A") == "spec" && set.variable("B") == "")
        let names = set.environment.map { $0.prefix { $0 != "=" } }
        #expect(Set(names).count == names.count)
    }

    @Test(arguments: [
        ("", Host.user, "/home/ada"), ("filesystem.home = false", .user, "/tmp"),
        ("filesystem = { tmp = false, home = false }", .user, "/"), ("filesystem.tmp = false", .root, "/"),
        ("filesystem.rw = [\"/home/ada\"]", .user, "/home/ada"), ("filesystem.ro = [\"/home\"]", .user, "/home/ada"),
        ("filesystem.ro = [\"/home/ad\"]", .user, "/home/ada"),
        ("filesystem = { home = false, ro = [\"/home/ada/src\"] }", .user, "/tmp"),
        ("filesystem.root = \"host\"", .user, "/home/ada"), ("filesystem.root = \"/srv/tree\"", .user, "/home/ada"),
        ("filesystem.root = \"empty\"", .user, "/tmp"),
        ("filesystem = { root = \"empty\", rw = [\"/home/ada/.cache\"] }", .user, "/home/ada"),
        ("filesystem = { root = \"empty\", ro = [\"/home\"] }", .user, "/home/ada"),
        ("namespaces.mount = \"host\"", .user, "/home/ada"),
        ("filesystem.root = \"host\"", .root, "/tmp"),
        ("filesystem.root = \"host\"\nidentity.user = 0", .root, "/root"),
        ("identity.user = 33", .root, "/var/www"), ("identity.user = 0", .root, "/root"),
    ]) func home(text: String, host: Host, home: String) throws {
        #expect(try plan(text, on: host).variable("HOME") == home)
    }

    private static let odd = [
        "", "relative", "/", "//home/x", "/home/x/", "/home/../x", "/a/./b", "/nonexistent", "/tmp", "/proc/x", "/dev",
        "/usr/games",
        "/bin", "/a\0b", "/" + String(repeating: "a", count: 256),
    ]

    /// What passwd(5) has there is no home that could be made.
    @Test(arguments: odd) func aHomeThatIsNone(home: String) throws {
        let host = Host.user.with { $0.users = [.init(name: "x", uid: 1000, gid: 1000, home: home, shell: "/bin/sh")] }
        let plan = try plan("", on: host)
        #expect(
            plan.variable("HOME") == "/tmp"
                && !plan.placements.contains { $0.hasSuffix(home) && home.hasPrefix("/home") })
    }

    @Test(arguments: ["filesystem = { root = \"host\", hide = [\"/home\"] }", "filesystem.hide = [\"/home\"]"])
    func aHiddenHomeIsNoHome(_ text: String) throws {
        let home = try plan(text, on: .user).variable("HOME")
        #expect(home == "/tmp")
    }
}
