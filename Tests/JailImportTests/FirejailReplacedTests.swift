import JailImport
import JailSpec
import SpecFile
import Testing

/// Lines of firejail about what the profile has put something else in the place of.
@Suite struct FirejailReplacedTests {
    private func draft(_ text: String) -> Draft {
        let profile = ImportSource(name: "a.profile", text: Array(text.utf8))
        return FirejailImport.draft(of: [profile], [], ImportContext(home: "/home/u"))
    }

    @Test(arguments: [
        ("noexec ${HOME}/.gnupg", ".gnupg", MountAttributes.noExecute), ("read-only ~/in", "in", .readOnly),
        ("read-only /home/u/in/x", "in/x", .readOnly), ("read-only ~\nread-write ~/Documents", "Documents", []),
        ("mkdir ~/made", "made", []), ("bind ~/a,~/b", "a", []),
    ])
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
}
