import JailSpec
import SpecFile
import Testing

@testable import immure

/// Which command a spec and the words of the command line make.
@Suite struct RequestTests {
    private let place = Position(file: "a.toml", line: 1, column: 11)

    private func spec() -> Spec {
        var spec = Spec()
        spec.command = Located(["cc", "-O2"], at: place)
        return spec
    }

    @Test func `words behind -- replace the command`() {
        let result = spec().running(RunRequest(words: ["ls"], replaces: true))
        #expect(result.command == Located(["ls"]))
    }

    @Test func `words without -- are appended to it`() {
        let result = spec().running(RunRequest(words: ["-c", "x.c"]))
        #expect(result.command == Located(["cc", "-O2", "-c", "x.c"], at: place))
    }

    @Test func `they are the command where the spec has none`() {
        #expect(Spec().running(RunRequest(words: ["ls", "-l"])).command == Located(["ls", "-l"]))
    }

    @Test func `-- with nothing behind it leaves the command alone`() {
        #expect(spec().running(RunRequest(replaces: true)).command == spec().command)
    }
}
