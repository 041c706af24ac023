import SpecFile
import Testing

@Suite struct TrustTests {
    @Test func trust() {
        func faults(_ owner: UInt32, _ mode: UInt32, _ link: Bool, by uid: UInt32) -> [String] {
            let file = SourceFile(path: "s", owner: owner, mode: mode, isSymlink: link)
            return Document(root: Table(), files: [file]).trustFaults(callerUID: uid).map(\.message)
        }
        #expect(faults(0, 0o644, false, by: 0) == [])
        #expect(faults(0, 0o664, false, by: 0) == ["the spec may be written by its group (mode 0664)"])
        #expect(faults(0, 0o666, false, by: 0) == ["the spec may be written by everyone (mode 0666)"])
        #expect(faults(0, 0o777, true, by: 0).count == 2)
        #expect(faults(1000, 0o600, false, by: 0) == ["the spec belongs to uid 1000, neither root nor the caller"])
        #expect(faults(1000, 0o664, true, by: 1001) == [])
        #expect(faults(1000, 0o666, true, by: 1000) == ["the spec may be written by everyone (mode 0666)"])
    }

    @Test func theEmptySpecNeedsNoFile() throws {
        #expect(try Files().load(nil) == Document(root: Table(), files: []))
        let files = Files()
        #expect(try files.load(files.write("e", "")).root == Table())
    }

    @Test func whoseAFileIs() throws {
        let files = Files()
        let file = files.write("a", "x = 1")
        #expect(try files.load(file).files == [SourceFile(path: file, owner: 1000, mode: 0o644, isSymlink: false)])
    }
}
