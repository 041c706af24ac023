import JailSpec
import SpecFile
import Testing

@Suite struct PatternTests {
    /// glob(7), a part at a time.
    @Test(
        arguments: [
            ("*", "a", true), ("*", "", true), ("*", ".a", false), (".*", ".a", true), ("a*c", "abc", true),
            ("a*c", "ac", true), ("a*c", "ab", false), ("?", "ä", false), ("??", "ä", true), ("?", ".", false),
            ("[a-c]", "b", true), ("[a-c]", "d", false), ("[!a-c]", "d", true), ("[^a]", "a", false),
            ("[]a]", "]", true),
            ("[a-]", "-", true), ("[a", "[a", true), ("[a", "a", false), ("a\\*", "a*", true), ("a\\*", "ab", false),
            ("[\\]]x", "]x", true), ("*.o", "x.o", true), ("*.o", "x.oo", false), ("**x", "axx", true),
            ("*a*b*c*d", "xxaxbxxcxxdxd", true), ("[z-a]", "b", false), ("\\", "\\", true),
        ] as [(String, String, Bool)])
    func names(pattern: String, name: String, matches: Bool) {
        switch PathPattern("/" + pattern).parts.first {
        case .pattern(let pieces): #expect(PathPattern.matches(name, pieces) == matches)
        case .name(let text): #expect((text == name) == matches)
        case .anywhere, nil: #expect(Bool(false))
        }
    }

    /// A name that fits badly takes no longer than the product of both lengths.
    @Test(.timeLimit(.minutes(1))) func manyStars() {
        let pattern = String(repeating: "*a", count: 120) + "b"
        guard case .pattern(let pieces)? = PathPattern("/" + pattern).parts.first else { return #expect(Bool(false)) }
        #expect(!PathPattern.matches(String(repeating: "a", count: 255), pieces))
    }

    @Test func partsOfAPath() {
        #expect(PathPattern("/a/**/b*").parts == [.name("a"), .anywhere, .pattern([.byte(98), .run])])
        #expect(PathPattern.beginning(of: "/home/*/x") == "/home" && PathPattern.beginning(of: "/**") == "/")
        #expect(PathPattern.beginning(of: "/a\\*/b/?") == "/a*/b")
    }

    @Test func whatAVariableStandsForIsLiteral() throws {
        let odd = Surroundings(environment: ["HOME": "/h[1]", "X": "*"], currentDirectory: "/c?")
        let node = try parse(
            Array("filesystem = { ro = [\"~/*.a\", \"${X}/b?\"], hide = [\"/${X}/*\"] }".utf8), file: "t.toml")
        guard case .table(let table) = node.value else { return }
        let mounts = Spec.decode(Document(root: table, files: []), in: odd).spec.filesystem.mounts
        #expect(mounts.map(\.target) == ["/h\\[1]/*.a", "/c\\?/\\*/b?", "/\\*/*"])
        #expect(mounts.allSatisfy { $0.isPattern })
    }

    @Test func aPathWithOddCharactersIsNone() throws {
        let odd = Surroundings(environment: ["HOME": "/h[1]"], currentDirectory: "/c[2]")
        let node = try parse(
            Array(
                "filesystem = { rw = [\"${PWD}\", \"~\"], hide = [\"~/x\"] }\n[[mount]]\ntarget = \"/x*\"\nsource = \"/y?\""
                    .utf8),
            file: "t.toml")
        guard case .table(let table) = node.value else { return }
        let mounts = Spec.decode(Document(root: table, files: []), in: odd).spec.filesystem.mounts
        #expect(mounts.map(\.target) == ["/c[2]", "/h[1]", "/h[1]/x", "/x*"] && !mounts.contains { $0.isPattern })
    }

    @Test(arguments: ["/a*:/b", "/a/../b*", "a*/../b"]) func wrongBinds(path: String) throws {
        #expect(try faults("filesystem.ro = [\"\(path)\"]").count == 1)
    }

    @Test(arguments: ["a*", "/a/../*", "./*"]) func wrongHides(path: String) throws {
        #expect(try faults("filesystem.hide = [\"\(path)\"]").count == 1)
    }

    @Test func writtenAndReadAgain() throws {
        let text =
            "filesystem = { ro = [\"/a*\"], rw = [\"/b/$${x}[!c]\"], devices = [\"/dev/v?\"], hide = [\"/d/**\"] }"
        let first = try spec(text)
        let second = try spec(SpecWriter.text(of: first))
        func words(_ spec: Spec) -> Set<String> {
            Set(spec.filesystem.mounts.map { "\($0.target) \($0.source) \($0.options) \($0.isPattern)" })
        }
        #expect(words(second) == words(first) && words(first).count == 4)
    }

    @Test(arguments: [
        ("create = true", 0), ("create = false", 0), ("create = \"file\"\nmode = \"0600\"", 0),
        ("create = true\nmode = \"1777\"", 0),
        ("create = \"file\"\nmode = \"1777\"", 1), ("create = \"dir\"", 1), ("mode = \"0700\"", 1),
        ("create = false\nmode = \"0700\"", 1), ("create = true\noptional = true", 1),
        ("create = true\noptional = false", 0),
    ]) func creation(keys: String, count: Int) throws {
        #expect(try faults("[[mount]]\ntarget = \"/x\"\nsource = \"/y\"\n\(keys)").count == count)
    }
}
