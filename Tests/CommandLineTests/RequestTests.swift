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

    /// The command of a spec that is run with these words.
    private func command(_ spec: Spec, _ request: RunRequest) -> Located<[String]>? {
        var spec = spec
        spec.takeCommand(from: request)
        return spec.command
    }

    @Test func `words after -- replace the command`() {
        #expect(command(spec(), RunRequest(words: ["ls"], replaces: true)) == Located(["ls"]))
    }

    @Test func `words without -- are appended to it`() {
        let wanted = Located(["cc", "-O2", "-c", "x.c"], at: place)
        #expect(command(spec(), RunRequest(words: ["-c", "x.c"])) == wanted)
    }

    @Test func `they are the command where the spec has none`() {
        #expect(command(Spec(), RunRequest(words: ["ls", "-l"])) == Located(["ls", "-l"]))
    }

    @Test func `-- with nothing after it leaves the command alone`() {
        #expect(command(spec(), RunRequest(replaces: true)) == spec().command)
    }
}
