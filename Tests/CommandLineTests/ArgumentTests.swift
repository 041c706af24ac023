import ArgumentParser
import Testing

@testable import immure

/// Both parsers give the same answer wherever the fast one gives any.
@Suite struct ArgumentTests {
    static let launches: [(words: [String], request: RunRequest)] = [
        (["run"], RunRequest()),
        (["run", "--"], RunRequest(replaces: true)),
        (["run", "--", "ls", "-l"], RunRequest(words: ["ls", "-l"], replaces: true)),
        (["run", "--", "--", "x"], RunRequest(words: ["--", "x"], replaces: true)),
        (["run", "--", "--help"], RunRequest(words: ["--help"], replaces: true)),
        (["run", "a.toml"], RunRequest(spec: "a.toml")),
        (["run", "a.toml", "--"], RunRequest(spec: "a.toml", replaces: true)),
        (["run", "a.toml", "--", "ls"], RunRequest(spec: "a.toml", words: ["ls"], replaces: true)),
        (["run", "a.toml", "ls", "-l", "--", "x"], RunRequest(spec: "a.toml", words: ["ls", "-l", "--", "x"])),
        (["run", "a.toml", "ls", "--set", "x"], RunRequest(spec: "a.toml", words: ["ls", "--set", "x"])),
        (["run", "a.toml", "-", "x"], RunRequest(spec: "a.toml", words: ["-", "x"])),
        (["run", "-", "x"], RunRequest(spec: "-", words: ["x"])),
        (["run", "", ""], RunRequest(spec: "", words: [""])),
        (["run", "check", "plan"], RunRequest(spec: "check", words: ["plan"])),
        (["run", "ä.toml", "…"], RunRequest(spec: "ä.toml", words: ["…"])),
    ]

    @Test(arguments: launches) func `a launch without options`(words: [String], request: RunRequest) throws {
        #expect(FastArguments.parse(words) == request)
        #expect(try slow(words) == request)
    }

    @Test(arguments: [
        (["run", "--set", "a=1"], RunRequest(overrides: ["a=1"])),
        (["run", "--set=a=1"], RunRequest(overrides: ["a=1"])),
        (
            ["run", "a.toml", "--set", "a=1", "--set", "b=-2", "--", "ls"],
            RunRequest(spec: "a.toml", overrides: ["a=1", "b=-2"], words: ["ls"], replaces: true)
        ),
        (["run", "--set", "-a=1", "a.toml"], RunRequest(spec: "a.toml", overrides: ["-a=1"])),
        (
            ["run", "--result", "r.json", "a.toml", "ls", "-l"],
            RunRequest(spec: "a.toml", result: "r.json", words: ["ls", "-l"])
        ),
        (["run", "a.toml", "--explain", "ls"], RunRequest(spec: "a.toml", explains: true, words: ["ls"])),
        (["run", "a.toml", "--result", "FD:3", "ls"], RunRequest(spec: "a.toml", result: "FD:3", words: ["ls"])),
        (
            ["run", "a.toml", "--result=FD:3", "--", "ls"],
            RunRequest(spec: "a.toml", result: "FD:3", words: ["ls"], replaces: true)
        ),
    ]) func `a launch with options`(words: [String], request: RunRequest) throws {
        #expect(FastArguments.parse(words) == nil)
        #expect(try slow(words) == request)
    }

    @Test(arguments: [
        (["a.toml"], RunRequest(spec: "a.toml")),
        (["a.toml", "-c", "x.c"], RunRequest(spec: "a.toml", words: ["-c", "x.c"])),
        (["a.toml", "--help"], RunRequest(spec: "a.toml", words: ["--help"])),
        (["a.toml", "--", "ls"], RunRequest(spec: "a.toml", words: ["ls"], replaces: true)),
        (["./run", "x"], RunRequest(spec: "./run", words: ["x"])),
    ]) func `a spec that is a script`(words: [String], request: RunRequest) {
        #expect(FastArguments.parse(words) == request)
    }

    @Test(arguments: [
        [], ["--help"], ["--version"], ["-h"], ["check", "a"], ["plan"], ["score"], ["syscalls"], ["doctor"], ["help"],
        ["completion", "bash"],
        ["manual", "1"], ["run", "--help"], ["run", "-h"], ["run", "a.toml", "--nonsense"], ["--", "ls"],
    ]) func `what ArgumentParser has to answer`(words: [String]) {
        #expect(FastArguments.parse(words) == nil)
    }

    @Test(arguments: [
        ["run", "--nonsense"], ["run", "--set"], ["run", "--result"], ["run", "-x", "a.toml"],
        ["run", "--result", "a", "--result", "b", "--json"],
    ]) func `bad usage`(words: [String]) {
        #expect(throws: (any Error).self) { try slow(words) }
    }

    /// Every list of up to four words out of those that mean something to a parser.
    @Test func `all short launches`() throws {
        let words = ["--", "a.toml", "ls", "-", "-x", "--set", "k=1", "--help"]
        var lists: [[String]] = [[]]
        for _ in 0..<4 {
            for list in lists {
                guard let fast = FastArguments.parse(["run"] + list) else { continue }
                #expect(try slow(["run"] + list) == fast, "\(list)")
            }
            lists = lists.flatMap { list in words.map { list + [$0] } }
        }
    }

    /// The same of `learn`, which has a short way of its own.
    @Test func `all short words of learn`() throws {
        let words = ["a.toml", "-", "", "-x", "-o", "--output", "--stat", "--tight", "--try", "--no-verify", "--help"]
        var lists: [[String]] = [[]]
        for _ in 0..<3 {
            for list in lists {
                guard let fast = LearnCommand(plain: ["learn"] + list) else { continue }
                let slow = try #require(try Immure.parseAsRoot(["learn"] + list) as? LearnCommand)
                #expect(fast.spec == slow.spec && fast.output == slow.output, "\(list)")
                #expect(fast.stat == slow.stat && fast.tight == slow.tight, "\(list)")
                #expect(fast.tries == slow.tries && fast.trusts == slow.trusts, "\(list)")
            }
            lists = lists.flatMap { list in words.map { list + [$0] } }
        }
        for words in [["learn", "--nonsense"], ["learn", "-o"], ["run"]] {
            #expect(LearnCommand(plain: words) as Any? == nil)
        }
    }

    private func slow(_ words: [String]) throws -> RunRequest {
        let tail = Tail(of: words)
        let command = try Immure.parseAsRoot(tail.head)
        return try #require(command as? RunCommand).request(tail)
    }
}
