import JailPlan
import JailScore
import JailSpec
import SpecFile
import TestSupport
import Testing

@Suite struct ScoreTests {
    @Test func theEmptySpecIsClosed() throws {
        let empty = Score(of: Spec())
        #expect(empty.exact == 0 && empty.tenths == 0 && empty.word == "closed" && empty.exposures == [])
        #expect(empty.listing(of: "x") == ["x: 0.0 of 10, closed"])
    }

    /// Whatever a key opens scores above the empty spec; what narrows, or does neither, scores the same.
    @Test(arguments: samples.map(\.text)) func aKeyByItself(text: String) throws {
        let effect = try #require(samples.first { $0.text == text }).effect
        let score = try score(text)
        #expect((score.exact > 0) == (effect == .opens), "\(text): \(score.exact)")
        #expect((score.tenths > 0) == (effect == .opens))
        #expect(score.narrowings.contains { $0.isInForce } == (effect == .narrows), "\(text)")
    }

    /// It stands for lines that are samples themselves, ids among them: by itself it opens, and on top of others no law holds.
    @Test func anInitOpensWhatItNeeds() throws {
        let score = try score("process.boot = true")
        #expect(score.tenths > 0 && score.exposures.allSatisfy { $0.origin != nil })
    }

    /// On top of every other spec as well: an opening raises the score, a narrowing lowers it where anything is open.
    @Test func inCompany() throws {
        let bases = samples.filter { $0.effect == .opens }.map(\.text) + [""]
        var pairs = 0
        for base in bases {
            let before = try score(base).exact
            for sample in samples where sample.effect != .neither {
                // Two texts that write one table cannot stand in one file.
                guard let both = try together(base, sample.text) else { continue }
                pairs += 1
                let after = Score(of: both).exact
                switch sample.effect {
                case .opens: #expect(after > before, "\(base) and \(sample.text)")
                case .narrows:
                    // In a tree of the host some of it narrows nothing.
                    let narrows = before > 0 && Score(of: both).narrowings.contains { $0.isInForce }
                    #expect(narrows ? after < before : after == before, "\(base) and \(sample.text)")
                case .neither: break
                }
            }
        }
        #expect(pairs > 2000, "\(pairs)")
    }

    /// nil where the two contradict each other, write the same key, or one closes what the other opens.
    func together(_ base: String, _ text: String) throws -> Spec? {
        guard !base.isEmpty else { return try spec(text) }
        let tables = try [base, text].map(table)
        if base == text || writesSame(tables[0], tables[1]) || Self.related(base, text) { return nil }
        guard let table = try? tables[0].merging(tables[1], .appending) else { return nil }
        let decoded = decode(table)
        return decoded.diagnostics.isEmpty ? decoded.spec : nil
    }

    /// Lines that are about one thing: the second answers the first instead of adding to it.
    private static func related(_ a: String, _ b: String) -> Bool {
        func both(_ one: String, _ other: String) -> Bool {
            (a.contains(one) && b.contains(other)) || (b.contains(one) && a.contains(other))
        }
        return both("seccomp", "seccomp") || both("capabilities", "capabilities") || both("mode", "namespaces.net")
            || both("identity", "identity") || both("capabilities", "identity") || both("memory", "tmp")
    }

    private func writesSame(_ a: Table, _ b: Table) -> Bool {
        a.entries.contains { entry in
            guard let other = b[entry.key] else { return false }
            guard case .table(let one) = entry.node.value, case .table(let two) = other.node.value else {
                // Arrays append.
                if case .array = entry.node.value { return false }
                return true
            }
            return writesSame(one, two)
        }
    }

    /// What is worse scores worse.
    @Test(arguments: [
        ("filesystem.ro = [\"/srv\"]", "filesystem.rw = [\"/srv\"]"),
        ("filesystem.ro = [\"/srv\"]", "filesystem.ro = [\"/home\"]"),
        ("filesystem.rw = [\"/srv\"]", "filesystem.rw = [\"/home/ada\"]"),
        ("filesystem.rw = [\"/home/ada/project\"]", "filesystem.rw = [\"/home/ada\"]"),
        ("filesystem.rw = [\"/home/ada/project\"]", "filesystem.rw = [\"/home/ada/.ssh\"]"),
        ("filesystem.rw = [\"/home/ada\"]", "filesystem.rw = [\"/etc\"]"),
        ("filesystem.ro = [\"/etc\"]", "filesystem.rw = [\"/etc/cron.d\"]"),
        ("filesystem.rw = [\"/home\"]", "filesystem.ro = [\"/var/run/docker.sock\"]"),
        ("filesystem.ro = [\"/run/dbus\"]", "filesystem.ro = [\"/run\"]"),
        ("filesystem.ro = [\"/srv/x.sock\"]", "filesystem.ro = [\"/run/user/1000\"]"),
        ("filesystem.root = \"host\"", "namespaces.mount = \"host\""),
        (
            "mount = [{ target = \"/m\", source = \"/srv\", options = [\"rw\"], idmap = true }]",
            "mount = [{ target = \"/m\", source = \"/srv\", options = [\"rw\", \"suid\"], idmap = true }]"
        ),
        ("filesystem.ro = [\"/:/host\"]", "filesystem.rw = [\"/:/host\"]"),
        ("filesystem.rw = [\"/:/host\"]", "namespaces.mount = \"host\""),
        ("filesystem = { root = \"host\", hide = [\"/run\"] }", "filesystem.root = \"host\""),
        ("identity.user = 100000", "identity.user = 1000"), ("identity.user = 1000", "identity.user = 0"),
        ("identity.group = 1000", "identity.group = 27"), ("identity.group = 27", "identity.group = 6"),
        ("identity.gid_map = \"auto\"", "identity.gid_map = [{ inside = 0, outside = 6, count = 1 }]"),
        ("identity.uid_map = \"auto\"", "identity.uid_map = [{ inside = 0, outside = 1001, count = 1 }]"),
        (
            "namespaces.pid = \"host\"\nnamespaces.user = \"host\"\nlandlock.scope = [\"signal\"]",
            "namespaces.pid = \"host\"\nnamespaces.user = \"host\""
        ),
        ("namespaces.mount = \"host\"\nlandlock.ro = [\"/usr\"]", "namespaces.mount = \"host\"\nlandlock.ro = [\"/\"]"),
        (
            "namespaces.mount = \"host\"\nlandlock.rw = [\"/srv\"]",
            "namespaces.mount = \"host\"\nlandlock.rw = [\"/srv\", \"/etc\"]"
        ),
        ("namespaces.mount = \"host\"\nlandlock.ro = [\"/\"]", "namespaces.mount = \"host\""),
        (
            "network = { mode = \"user\", allow = [\"10.0.0.0/8\"] }",
            "network = { mode = \"user\", allow = [\"0.0.0.0/1\", \"128.0.0.0/1\"] }"
        ),
        (
            "network = { mode = \"user\", allow = [\"deb.example.org\", \"*.example.org:80\"] }",
            "network = { mode = \"user\", allow = [\"deb.example.org\", \"192.0.2.1:443\"] }"
        ),
        (
            "network = { mode = \"user\", allow = [\"*.example.org\"] }",
            "network = { mode = \"user\", allow = [\"*.org\"] }"
        ),
        ("network = { mode = \"user\", allow = [\"*.org\"] }", "network.mode = \"host\""),
        ("network.mode = \"none\"", "network = { mode = \"user\", allow = [\"deb.example.org\"] }"),
        ("namespaces.uts = \"host\"", "namespaces.net = \"host\""),
        ("capabilities.keep = [\"net_bind_service\"]", "capabilities.keep = [\"net_admin\"]"),
        ("capabilities.keep = [\"net_admin\"]", "capabilities.keep = [\"sys_admin\"]"),
        ("capabilities.bounding = [\"sys_admin\"]", "capabilities.keep = [\"sys_admin\"]"),
        (
            "capabilities.keep = [\"sys_admin\"]",
            "identity.user = 0\ncapabilities.keep = [\"sys_admin\"]"
        ),
        ("environment.keep = [\"LANG\"]", "environment.keep = [\"GITHUB_TOKEN\"]"),
        ("environment.keep = [\"GITHUB_TOKEN\"]", "environment.keep = [\"*\"]"),
        ("seccomp.allow = [\"read\"]", "seccomp.allow = [\"bpf\"]"),
        ("seccomp.allow = [\"bpf\"]", "seccomp.profile = \"none\""),
        (
            "network.mode = \"host\"\nlandlock = { bind_tcp = [], connect_tcp = [] }",
            "network.mode = \"host\""
        ),
        (
            "[[mount]]\ntarget = \"/m\"\nsource = \"/srv\"\noptions = [\"noexec\"]",
            "[[mount]]\ntarget = \"/m\"\nsource = \"/srv\""
        ),
    ]) func worse(less: String, more: String) throws {
        #expect(try score(less).exact < score(more).exact)
    }

    /// By its text: no way to write a path makes it lighter.
    @Test(arguments: ["/etc/../etc", "/srv/../etc/.", "//etc/", "/etc/systemd/..", "/./etc"])
    func aPathByAnotherName(path: String) throws {
        #expect(try score("filesystem.rw = [\"\(path):/m\"]").exact == score("filesystem.rw = [\"/etc\"]").exact)
    }

    /// Everything at once stays below 10, and is what the last word is for.
    @Test func all() throws {
        let text = """
            filesystem = { root = "host", rw = ["/etc", "/home", "/run"], dev = "host" }
            network.mode = "host"
            namespaces = { user = "host", pid = "host", ipc = "host", nested = true }
            identity.user = 0
            capabilities.keep = ["sys_admin", "sys_module", "sys_rawio"]
            process = { no_new_privs = false, tty = "inherit", keyring = "inherit", fds = [3] }
            seccomp.profile = "none"
            """
        let score = try score(text)
        #expect(score.exact < 10 && score.tenths >= 95 && score.word == "dangerous")
        #expect(score.exposures.map(\.weight) == score.exposures.map(\.weight).sorted(by: >))
        #expect(score.exposures.allSatisfy { $0.origin != nil && !$0.advice.isEmpty })
    }

    @Test func aHundredHeavyOnesStayBelowTen() throws {
        let paths = (1...100).map { "\"/:/m/\($0)\"" }.joined(separator: ", ")
        let score = try score("filesystem.rw = [\(paths)]")
        #expect(score.exact < 10 && score.exact > 9.9)
    }

    @Test func whatIsPrinted() throws {
        let score = try score(
            "filesystem.rw = [\"/srv/data\"]\nnetwork.mode = \"host\"\nlimits.memory = \"1G\"\nlimits.pids = 64")
        let expected = """
            build.toml: 2.2 of 10, ok
              2.0  t.toml:2:16: network.mode: the host's network: all that listens there, and all that it reaches
                   narrower: "none"; or landlock.connect_tcp and bind_tcp with the ports that are needed, which count off
              0.5  t.toml:1:18: mount.rw: /srv/data can be written to
                   narrower: ro, or only the directory that is written to; as a [[mount]] with options = ["noexec"] it counts less
              -4%  t.toml:3:17: limits.memory narrows
              -4%  t.toml:4:15: limits.pids narrows
               15%  default: seccomp could narrow: profile = "strict", or default = "EPERM" with a list of what is allowed
            """
        let lines = score.listing(of: "build.toml")
        #expect(lines.prefix(8).joined(separator: "\n") == expected)
        #expect(lines.count == 15)
        let json = score.json(of: "build.toml").text
        #expect(
            json.hasPrefix("{\"spec\": \"build.toml\", \"score\": 2.2, \"word\": \"ok\", \"exposures\": [{\"id\": "))
        #expect(json.contains("\"weight\": 2.0") && json.contains("\"line\": 2, \"column\": 16"))
    }

    /// Each key of the spec is among the samples, so that a new one has been thought about.
    @Test func everyKeyIsThoughtAbout() throws {
        var written: Set<String> = []
        for sample in samples {
            guard case .table(let table) = try parse(Array(sample.text.utf8), file: "t.toml").value else { continue }
            collect(table, below: "", into: &written)
        }
        // What reads other files is read before there is a spec to score.
        let keys = Set(SectionRows.all.flatMap(\.keyPaths)).subtracting(["extends"])
        // The ranges of gid_map are those of uid_map, and all rlimits count as two of them do.
        let alike = ["identity.gid_map.", "rlimits."]
        #expect(keys.subtracting(written).filter { key in !alike.contains { key.hasPrefix($0) } } == [])
        #expect(
            written.subtracting(keys.union(SectionRows.all.map(\.name))).allSatisfy { $0.hasPrefix("environment.set.") }
        )
    }

    private func collect(_ table: Table, below prefix: String, into paths: inout Set<String>) {
        for entry in table.entries {
            let path = prefix.isEmpty ? entry.key : prefix + "." + entry.key
            paths.insert(path)
            switch entry.node.value {
            case .table(let inner): collect(inner, below: path, into: &paths)
            case .array(let nodes):
                for case .table(let inner) in nodes.map(\.value) { collect(inner, below: path, into: &paths) }
            default: break
            }
        }
    }
}
