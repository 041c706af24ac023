import JailSpec
import SpecFile
import Testing

@Suite struct PathTests {
    static let long = "/" + String(repeating: "a/", count: 2100)
    static let longName = "/" + String(repeating: "a", count: 256)

    @Test(
        arguments: [
            "", "a", "./a", "/a/../b", "/..", "~u/a", "${NAME}/a", "${HOME}/../a", "/a\\u0000b", long, longName, "/",
            "//", "/./",
        ])
    func targetsAreAbsoluteAndPlain(path: String) throws {
        for text in [
            "[filesystem]\nro = [\"/s:\(path)\"]", "[[mount]]\ntype=\"proc\"\ntarget = \"\(path)\"",
        ] {
            #expect(try faults(text).count == 1, "\(text)")
            #expect(try decode(text).spec.filesystem.mounts.isEmpty)
        }
    }

    @Test func pathsAreCleaned() throws {
        let first = try spec(
            """
            [filesystem]
            ro = ["//a//b/./c/", "rel", "./x/../y:/t//u/", "~", "~/z", "${NAME}/q", "/p$q", "$${NAME}:/r", "/a:~/b", "/a:/${NAME}"]
            hide = ["~/.ssh", "/etc/${NAME}"]
            [[mount]]
            type = "tmpfs"
            target = "${HOME}/.cache"
            [[mount]]
            type = "tmpfs"
            target = "/$${x}/${NAME}"
            """)
        let mounts = first.filesystem.mounts
        let expected = [
            "/a/b/c", "/cwd/dir/rel", "/t/u", "/home/u", "/home/u/z", "/cwd/dir/value/q", "/p$q", "/r", "/home/u/b",
            "/value",
            "/home/u/.ssh", "/etc/value", "/home/u/.cache", "/${x}/value",
        ]
        #expect(mounts.map(\.target) == expected)
        #expect(mounts[2].source == .bind("/cwd/dir/x/../y"))
        #expect(mounts[7].source == .bind("/cwd/dir/${NAME}"))
        // Written and read again they are the same.
        let again = try JailSpecTests.spec(SpecWriter.text(of: first)).filesystem.mounts
        #expect(Set(again.map(\.target)) == Set(expected) && again.contains { $0.source == .bind("/cwd/dir/${NAME}") })
    }

    @Test(
        arguments: [
            ("a:b:c", "more than one colon"), (":", "empty path"), ("/a:", "empty path"), (":/a", "empty path"),
            ("${UNSET}/a", "UNSET is not set"), ("${HOME", "without `}`"), ("${}", "not the name of a variable"),
            ("${1A}", "not the name of a variable"), ("~root/a", "another user's home"), ("${EMPTY}", "empty path"),
            ("../a", "holds `..`"), ("${DOTS}/a", "holds `..`"), ("a\\u0000b", "NUL"), ("", "is empty"),
            ("/", "mounted on"),
            (long, "longer"), (longName, "longer"),
        ])
    func binds(path: String, fault: String) throws {
        for key in ["ro", "rw"] {
            let found = try faults("[filesystem]\n\(key) = [\"\(path)\"]")
            #expect(found.count == 1 && found[0].contains(fault), "\(found)")
        }
    }

    @Test func valuesAreLiteralWhereTheyAreNotPaths() throws {
        #expect(try spec("command = [\"${HOME}\", \"~\"]").command?.value == ["${HOME}", "~"])
    }

    @Test(arguments: [
        ("${HOME}/bin", "/home/u/bin"), ("~/bin", "/home/u/bin"), ("~", "/home/u"), ("$${HOME}", "${HOME}"),
        ("$HOME", "$HOME"),
        ("a~/b", "a~/b"), ("~a", "~a"), ("~a ${NAME}", "~a value"), ("~~", "~~"), ("${EMPTY}", ""), ("", ""),
        ("${PWD}/x", "/cwd/x"), ("a=$${b} $$ {", "a=${b} $$ {"),
    ])
    func valuesOfVariables(written: String, value: String) throws {
        let first = try spec("environment.set = { A = \"\(written)\" }")
        #expect(first.environment.set[0].value.value == value)
        // Written and read again it is the same.
        #expect(try spec(SpecWriter.text(of: first)).environment.set[0].value.value == value)
        #expect(try faults("environment.set = { A = \"${NO}\" }").count == 1)
        #expect(try faults("environment.set = { A = \"${A-b}\" }").count == 1)
    }

    @Test func directoriesOfTheSearchPath() throws {
        let spec = try spec("environment.path = [\"~/bin\", \"/opt/${NAME}//bin/\"]")
        #expect(spec.environment.path.map(\.value) == ["/home/u/bin", "/opt/value/bin"])
        for wrong in ["bin", "/a:/b", "/a/../b", "", "${NO}"] {
            #expect(try faults("environment.path = [\"\(wrong)\"]").count == 1, "\(wrong)")
        }
    }

    @Test func nothingIsTakenOutOfNothing() throws {
        #expect(try faults("environment.unset = [\"A\"]").count == 1)
        #expect(try faults("environment = { keep = [\"A*\"], unset = [\"AB\"] }").isEmpty)
    }

    @Test func roots() throws {
        let right: [(String, Filesystem.Root)] = [
            ("system", .system), ("host", .host), ("empty", .empty), ("/srv/t/", .directory("/srv/t")),
            ("./host", .directory("/cwd/dir/host")), ("~", .directory("/home/u")), (".", .directory("/cwd/dir")),
        ]
        for (text, root) in right {
            #expect(try spec("[filesystem]\nroot = \"\(text)\"").filesystem.root.value == root)
        }
        #expect(try faults("[filesystem]\nroot = \"hots\"").count == 1)
        #expect(try faults("[filesystem]\nroot = \"/\"").count == 1)
        #expect(try faults("[filesystem]\nwritable = true").isEmpty)
        #expect(try faults("[filesystem]\nroot = \"/srv\"\nwritable = true").isEmpty)
    }

    @Test func pathsOfNamespacesAndFiles() throws {
        let spec = try spec(
            "[namespaces]\nnet = \"/run/netns/a\"\nuts = \"./u\"\n[seccomp]\nprofile = \"s.json/../t.json\"")
        #expect(spec.namespaces[.net].value == .path("/run/netns/a"))
        #expect(spec.namespaces[.uts].value == .path("/cwd/dir/u"))
        #expect(spec.seccomp?.value.profile?.value == .file("/cwd/dir/s.json/../t.json"))
    }
}
