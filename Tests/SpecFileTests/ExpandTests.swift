import SpecFile
import Testing

@Suite struct ExpandTests {
    let here = Position(file: "dir/s.toml", line: 1, column: 1)
    let surroundings = Surroundings(
        environment: ["HOME": "/home/u", "A": "x", "T": "~", "E": "", "D": "${A}"], currentDirectory: "/cwd")

    @Test(arguments: [
        ("~", "/home/u"), ("~/a", "/home/u/a"), ("a~", "a~"), ("/~/a", "/~/a"), ("${A}", "x"),
        ("${A}${A}/${A}", "xx/x"),
        ("$A", "$A"), ("$", "$"), ("$$", "$$"), ("$${A}", "${A}"), ("$$${A}", "$${A}"), ("${E}a", "a"),
        ("${T}/a", "~/a"),
        ("~/${A}", "/home/u/x"), ("${D}", "${A}"), ("é${A}é", "éxé"),
    ])
    func expansion(written: String, result: String) throws {
        #expect(try surroundings.expand(written, at: here) == result)
    }

    @Test(arguments: ["~u", "~~", "${", "${A", "${}", "${NO}", "${A-b}", "${A B}", "${1}", "~${A}"])
    func expansionFails(written: String) {
        #expect(throws: Diagnostic.self) { try surroundings.expand(written, at: here) }
    }

    @Test func homeMustBeKnown() {
        for home in [nil, "", "relative"] as [String?] {
            let surroundings = Surroundings(variable: { _ in nil }, home: home, currentDirectory: "/")
            #expect(throws: Diagnostic.self) { try surroundings.expand("~/a", at: here) }
        }
    }

    @Test(arguments: [
        ("a", "s.toml", "/cwd/a"), ("a", "d/s.toml", "/cwd/d/a"), ("a", "/d/s.toml", "/d/a"), ("a", "/s.toml", "/a"),
        ("a", "--set", "/cwd/a"), ("../a", "d/s.toml", "/cwd/d/../a"), ("./a//b/", "s.toml", "/cwd/a/b"),
        (".", "../s.toml", "/"), ("/", "s", "/"), ("//", "s", "/"), ("/a/./", "s", "/a"),
    ])
    func hostPaths(written: String, file: String, result: String) throws {
        let position = Position(file: file, line: 1, column: 1)
        #expect(try surroundings.hostPath(written, at: position) == result)
    }

    @Test func quotingShowsWhatATerminalWouldObey() {
        #expect(quoted("a\"b\\c\n\u{1B}[31m\u{202E}\u{85}é") == "\"a\\\"b\\\\c\\n\\u{1b}[31m\\u{202e}\\u{85}é\"")
        #expect(quoted(String(repeating: "a", count: 5000)).utf8.count < 200)
    }

    @Test(arguments: ["", "a b", "it's", "a'\u{301}; touch x '", "''", "$(id)", "é"])
    func `a shell takes a word for that one word`(word: String) {
        let text = Array(shellWord(word).utf8)
        #expect(text.first == UInt8(ascii: "'") && text.last == UInt8(ascii: "'"))
        // Between two quotes everything is itself; a quote ends that, and stands behind a backslash outside.
        var (result, isQuoted, index) = ([UInt8](), false, 0)
        while index < text.count {
            if text[index] == UInt8(ascii: "'") {
                isQuoted.toggle()
            } else if !isQuoted {
                #expect(text[index] == UInt8(ascii: "\\"))
                index += 1
                result.append(text[index])
            } else {
                result.append(text[index])
            }
            index += 1
        }
        #expect(!isQuoted && result == Array(word.utf8))
    }
}

@Suite struct CurrentDirectoryTests {
    /// `/link` is another name of `/real`.
    @Test(
        arguments: [
            ("/real", "/link", "/link"), ("/real", "/real", "/real"), ("/real", "/elsewhere", "/real"),
            ("/real", "link", "/real"), ("/real", "", "/real"), ("/real", "/link/", "/real"),
            ("/real", "/a/../link", "/real"),
            ("/real", "/./link", "/real"), ("/real", nil, "/real"), ("(unreachable)/real", "/link", nil),
            ("", "/link", nil),
        ] as [(String, String?, String?)])
    func spelling(directory: String, written: String?, result: String?) {
        let spelt = Surroundings.spelling(of: directory, written: written) {
            $0.hasPrefix("/link") || $0.hasSuffix("/link")
        }
        #expect(spelt == result)
    }

    @Test func theVariableOfThatNameIsNotAsked() throws {
        let here = Position(file: "s.toml", line: 1, column: 1)
        let surroundings = Surroundings(environment: ["PWD": "/parent"], currentDirectory: "/parent/sub")
        #expect(try surroundings.expand("${PWD}", at: here) == "/parent/sub")
    }

    @Test(arguments: [
        ("../x.toml", "/a/b"), ("./../../x.toml", "/a"), ("../../../../x.toml", "/"), ("../d/../x.toml", "/a/b/d/.."),
        ("d/x.toml", "/a/b/c/d"), ("x.toml", "/a/b/c"),
    ])
    func theDirectoryOfASpecAbove(file: String, directory: String) {
        let surroundings = Surroundings(environment: [:], currentDirectory: "/a/b/c")
        #expect(surroundings.directory(of: Position(file: file, line: 1, column: 1)) == directory)
    }
}
