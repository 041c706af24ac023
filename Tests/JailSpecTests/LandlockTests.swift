import JailSpec
import SpecFile
import Testing

@Suite struct LandlockTests {
    private func policy(_ text: String) throws -> LandlockPolicy? { try spec("[landlock]\n" + text).landlock?.value }

    /// Rights add up downwards (landlock(7)): a line that was to take some away would do nothing.
    @Test(arguments: [
        "rw = [\"/tmp\"]\nro = [\"/tmp/a\"]", "rwx = [\"/\"]\nro = [\"/etc\"]", "rwx = [\"/a\"]\nrw = [\"/a\"]",
        "ro = [\"/a/b\"]\nrx = [\"/a\"]", "rwx = [\"/a\"]\nrx = [\"/a/b/c\"]",
    ]) func aLineThatNarrowsNothing(_ text: String) throws {
        let found = try faults("[landlock]\n" + text)
        #expect(found.count == 1 && found[0].contains(" is within ") && found[0].contains("opens further"), "\(found)")
    }

    @Test(arguments: [
        "rx = [\"/usr\", \"/usr/bin\"]", "ro = [\"/\"]\nrx = [\"/usr\"]", "rx = [\"/usr\"]\nrw = [\"/usr/local\"]",
        "rw = [\"/tmp\"]\nro = [\"/tmpfiles\"]", "rw = [\"/a/b\"]\nro = [\"/a\"]",
    ]) func linesThatAdd(_ text: String) throws { _ = try policy(text) }

    @Test func anEmptyListClosesFilesToo() throws {
        #expect(try policy("rw = []")?.files?.value == .rw)
        #expect(try policy("bind_tcp = []")?.files == nil)
        #expect(try policy("") == nil)
    }

    @Test func pathsAreTheJails() throws {
        for path in ["usr", "${NAME}", "/a/../b", ""] {
            #expect(try faults("landlock.ro = [\"\(path)\"]").count == 1)
        }
    }

    /// Where the jail has the host's tree, they are also the host's: `~` and `${VAR}` expand.
    @Test func pathsExpand() throws {
        #expect(try policy("rw = [\"~/a\", \"${HOME}/b\"]")?.rules.map(\.path.value) == ["/home/u/a", "/home/u/b"])
        #expect(try spec("cwd = \"${HOME}\"").cwd.value == "/home/u")
    }
}
