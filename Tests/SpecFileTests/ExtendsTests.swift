import SpecFile
import TestSupport
import Testing

@Suite struct ExtendsTests {
    @Test func tablesMergeArraysAppendScalarsReplace() throws {
        let files = Files()
        files.write("base.toml", "a = 1\nx = 'base'\n[t]\nlist = ['1']\nk = 1\n[[m]]\nn = 1")
        files.write("other.toml", "x = 'other'\n[t]\nlist = ['2']")
        let spec = files.write(
            "s.toml", "extends = ['${BASE}', './other.toml']\nx = 'own'\n[t]\nlist = ['3']\nz = 2\n[[m]]\nn = 2")
        let document = try files.load(spec)
        #expect(document.root.at("a") == .integer(1) && document.root.at("x") == .string("own"))
        #expect(document.root.strings("t.list") == ["1", "2", "3"])
        #expect(document.root.at("t.k") == .integer(1) && document.root.at("t.z") == .integer(2))
        #expect(document.root["extends"] == nil)
        guard case .array(let tables)? = document.root.at("m") else { return }
        #expect(tables.map(\.position.file) == [files.path + "/base.toml", spec])
        #expect(document.files.map(\.path) == [spec, files.path + "/base.toml", files.path + "/./other.toml"])
        #expect(document.root["x"]?.node.position == Position(file: spec, line: 2, column: 5))
    }

    @Test func aSharedBaseIsMergedOnce() throws {
        let files = Files()
        files.write("base.toml", "list = ['b']\nx = 1")
        files.write("l.toml", "extends = ['base.toml']\nlist = ['l']\nx = 2")
        files.write("r.toml", "extends = ['./base.toml']\nlist = ['r']")
        let spec = files.write("s.toml", "extends = ['l.toml', 'r.toml', 'l.toml']")
        let root = try files.load(spec).root
        #expect(root.strings("list") == ["b", "l", "r"] && root.at("x") == .integer(2))
    }

    @Test func circlesDepthAndAbsence() throws {
        let files = Files()
        let a = files.write("a.toml", "\nextends = ['b.toml']")
        let b = files.write("b.toml", "extends = ['./a.toml']")
        let circle = files.failure(a)
        #expect(circle?.position == Position(file: b, line: 1, column: 12))
        #expect(circle?.message == "`extends` goes round in a circle: \(a) → \(b) → \(files.path)/./a.toml")

        for level in 0...17 { files.write("d\(level)", "extends = ['d\(level + 1)']") }
        files.write("d18", "")
        #expect(files.failure(files.path + "/d0")?.message.hasPrefix("`extends` is more than 16 deep: ") == true)
        #expect(try files.load(files.path + "/d2").files.count == 17)

        let lost = files.write("lost", "extends = ['nowhere']")
        #expect(files.failure(lost)?.position == Position(file: lost, line: 1, column: 12))
        #expect(files.failure(lost)?.message.contains("ENOENT") == true)
    }

    @Test func workIsBounded() throws {
        let files = Files()
        for level in 0..<16 {
            let again = Array(repeating: "'w\(level + 1)'", count: 15).joined(separator: ",")
            files.write("w\(level)", "extends = [\(again)]")
        }
        files.write("w16", "x = 1")
        let clock = ContinuousClock()
        var read = 0
        let time = try clock.measure {
            read = try files.load(files.path + "/w0").files.count
        }
        #expect(read == 17)
        #expect(time < .seconds(50))
        let many = (0..<257).map { index in
            files.write("m\(index)", "")
            return "'m\(index)'"
        }
        let wide = files.write("wide", "extends = [\(many.joined(separator: ","))]")
        #expect(files.failure(wide)?.message == "`extends` names more than 256 files in all")
    }

    @Test func kindsMustAgree() throws {
        let files = Files()
        files.write("base.toml", "[t]\nlist = ['1']\ns = 1\nu = { a = 1 }")
        for (text, message) in [
            ("[t]\nlist = 'x'", "t.list: a string here, but an array at \(files.path)/base.toml:2:8"),
            ("t = 1", "t: an integer here, but a table at \(files.path)/base.toml:1:1"),
            ("[t]\ns = [1]", "t.s: an array here, but an integer at \(files.path)/base.toml:3:5"),
            ("[t]\nu = 1", "t.u: an integer here, but a table at \(files.path)/base.toml:4:5"),
        ] {
            #expect(files.failure(files.write("s", "extends = ['base.toml']\n" + text))?.message == message)
        }
        let right = files.write("r", "extends = ['base.toml']\n[t]\ns = 'one kind of scalar for another'")
        #expect(throws: Never.self) { try files.load(right) }
    }

    @Test(arguments: [
        "extends = 'base.toml'", "extends = [1]", "extends = ['']", "extends = { a = 1 }", "extends = ['${NO}']",
        "extends = ['~root/x']", "extends = [\"a\\u0000b\"]", "extends = ['/dev/zero']", "extends = ['.']",
    ])
    func extendsThatAreWrong(text: String) throws {
        let files = Files()
        let file = files.write("s", text)
        #expect(files.failure(file)?.position?.file == file)
    }
}
