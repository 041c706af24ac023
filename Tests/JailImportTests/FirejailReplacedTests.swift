import JailImport
import JailSpec
import LinuxFacts
import SpecFile
import Testing

/// Lines of firejail about what the profile has put something else in the place of.
@Suite struct FirejailReplacedTests {
    private func draft(_ text: String) -> Draft {
        let profile = ImportSource(name: "a.profile", text: Array(text.utf8))
        return FirejailImport.draft(of: [profile], [], ImportContext(home: "/home/u"))
    }

    private static let parts: [(line: String, path: String, options: MountAttributes)] = [
        ("noexec ${HOME}/.gnupg", ".gnupg", .noExecute), ("read-only ~/in", "in", .readOnly),
        ("read-only /home/u/in/x", "in/x", .readOnly), ("read-only ~\nread-write ~/Documents", "Documents", []),
        ("mkdir ~/made", "made", []), ("bind ~/a,~/b", "a", []),
    ]

    @Test(arguments: parts)
    func `below a home that a directory stands in place of, files are that directory's`(
        line: String, path: String, options: MountAttributes
    ) throws {
        for directory in ["/home/u/bx", "/srv/bx"] {
            let made = draft("private \(directory)\n\(line)")
            let mounts = try made.spec.filesystem.mounts
            #expect(made.faults.isEmpty && !made.hasLostRestrictions)
            let mount = try #require(mounts.first { $0.source == .bind("\(directory)/\(path)") }, "\(line)")
            #expect(mount.target == "/home/u/\(line.hasPrefix("bind") ? "b" : path)" && mount.options.asked == options)
            for mount in mounts {
                guard case .bind(let source) = mount.source, source.hasPrefix("/home/u") else { continue }
                #expect(isWithin(source, directory), "\(line) shows \(source)")
            }
        }
    }

    @Test func `a pattern that restricts part of another home is lost`() throws {
        for text in ["read-only ~/.*rc", "noexec ~/*/bin", "read-only /home/*/.x"] {
            let made = draft("private /srv/bx\n\(text)")
            #expect(made.hasLostRestrictions || text.contains("/.x"), "\(text)")
            #expect(try !made.spec.filesystem.mounts.contains { $0.isPattern }, "\(text)")
        }
        let spec = try draft("private /srv/bx\nread-only /home/*/.x").spec
        #expect(spec.mount(at: "/home/u/.x")?.source == .bind("/srv/bx/.x"))
    }

    @Test func `a private home has nothing of what is whitelisted in it`() throws {
        for text in ["private", "private /srv/bx", "private-home a"] {
            let made = draft("\(text)\nwhitelist ${HOME}/.secret\nwhitelist /home/u/.other*")
            #expect(try made.spec.mount(at: "/home/u/.secret") == nil && made.spec.mount(at: "/home/u/.other*") == nil)
            #expect(made.directives(.warning).contains("whitelist ${HOME}/.secret"), "\(text)")
        }
        let spec = try draft("private /srv/bx\nprivate-home a\nwhitelist ~/b").spec
        #expect(spec.mount(at: "/home/u")?.source == .bind("/srv/bx") && spec.mount(at: "/home/u/a") == nil)
    }

    @Test(arguments: [
        ("private-tmp", "/tmp", "/tmp"), ("private-tmp", "/", "/tmp"), ("whitelist /tmp/x", "/tmp", "/tmp"),
        ("private-tmp", "/var/tmp", "/var/tmp"), ("private", "${HOME}", "/home/u"), ("private", "/home/*", "/home/u"),
        ("private", "/home", "/home/u"), ("private-home a", "~", "/home/u"), ("whitelist ~/D", "~", "/home/u"),
        ("private-dev", "/dev/shm", "/dev/shm"), ("private-dev", "/dev", "/dev/shm"),
    ])
    func `what the jail has of its own is restricted as it would be`(shown: String, line: String, target: String) throws
    {
        for (word, options) in [
            ("read-only", MountAttributes.readOnly), ("noexec", .noExecute), ("blacklist", .readOnly),
        ] where word != "blacklist" || line != "/" {
            let made = draft("\(shown)\n\(word) \(line)")
            let mount = try #require(try made.spec.mount(at: target), "\(word) \(line)")
            guard case .tmpfs = mount.source else {
                Issue.record("\(word) \(line) shows something")
                continue
            }
            #expect(mount.options.asked == options, "\(word) \(line)")
            #expect(made.hasLostRestrictions == (word == "blacklist" && line == "/dev"))
            let both = try draft("\(shown)\n\(word) \(line)\nnoexec \(line)\nread-only \(line)").spec
            #expect(both.mount(at: target)?.options.asked.hasAll(of: .readOnly | .noExecute) == true)
        }
    }

    @Test func `a blacklisted place of the jail's own is not there`() throws {
        for node in ["null", "tty", "pts"] {
            let made = draft("private-dev\nblacklist /dev/\(node)")
            #expect(try made.spec.mount(at: "/dev/\(node)")?.source == .hidden && !made.hasLostRestrictions)
        }
        #expect(try draft("private-dev\nblacklist /dev/sda").spec.mount(at: "/dev/sda") == nil)
        for path in ["/dev", "/dev/*", "/dev/fd"] {
            #expect(draft("private-dev\nblacklist \(path)").hasLostRestrictions, "\(path)")
        }
        let home = try draft("blacklist ${HOME}").spec.mount(at: "/home/u")
        #expect(home?.options.asked == .readOnly, "nothing can be made in it")
        for text in ["tmpfs ~/D\nblacklist ~/D", "blacklist ~/D\ntmpfs ~/D"] {
            #expect(try draft(text).spec.mount(at: "/home/u/D")?.source == .hidden, "\(text)")
        }
    }

    @Test func `what stores files in the host's devices is read-only where a line says so`() throws {
        let made = draft("read-only /dev/shm")
        let mount = try made.spec.mount(at: "/dev/shm")
        #expect(mount?.source == .bind("/dev/shm") && mount?.options.asked == .readOnly && !made.hasLostRestrictions)
        #expect(try draft("noexec /dev/shm").spec.mount(at: "/dev/shm") == nil)
    }

    @Test func `namespaces that are refused are neither made nor entered`() throws {
        let made = draft("restrict-namespaces user\nrestrict-namespaces net")
        let rules = try #require(try made.spec.seccomp).value.rules
        #expect(rules.filter { $0.call.value == "setns" }.count == 2)
        for rule in rules where ["clone", "unshare", "setns"].contains(rule.call.value) {
            let value = rule.arguments[0].value.value
            #expect(value == "CLONE_NEWNET|CLONE_NEWUSER" || rule.arguments[0].op == .equal && value == "0")
        }
        let whole = try draft("restrict-namespaces\nrestrict-namespaces net").spec
        #expect(!whole.namespaces.nested.value)
    }
}
