import SpecFile
import TestSupport
import Testing

@Suite struct ExtendsTests {
    @Test func tablesMergeArraysAppendScalarsReplace() throws {
        let scratch = try Scratch()
        try scratch.file("base.toml", "a = 1\nx = 'base'\n[t]\nlist = ['1']\nk = 1\n[[m]]\nn = 1")
        try scratch.file("other.toml", "x = 'other'\n[t]\nlist = ['2']")
        let spec = try scratch.file(
            "s.toml", "extends = ['${BASE}', './other.toml']\nx = 'own'\n[t]\nlist = ['3']\nz = 2\n[[m]]\nn = 2")
        let document = try Document.load(path: spec, in: surroundings)
        #expect(document.root.at("a") == .integer(1) && document.root.at("x") == .string("own"))
        #expect(document.root.strings("t.list") == ["1", "2", "3"])
        #expect(document.root.at("t.k") == .integer(1) && document.root.at("t.z") == .integer(2))
        #expect(document.root["extends"] == nil)
        guard case .array(let tables)? = document.root.at("m") else { return }
        #expect(tables.map(\.position.file) == [scratch.path + "/base.toml", spec])
        #expect(document.files.map(\.path) == [spec, scratch.path + "/base.toml", scratch.path + "/./other.toml"])
        #expect(document.root["x"]?.node.position == Position(file: spec, line: 2, column: 5))
    }

    @Test func aSharedBaseIsMergedOnce() throws {
        let scratch = try Scratch()
        try scratch.file("base.toml", "list = ['b']\nx = 1")
        try scratch.file("l.toml", "extends = ['base.toml']\nlist = ['l']\nx = 2")
        try scratch.file("r.toml", "extends = ['./base.toml']\nlist = ['r']")
        let spec = try scratch.file("s.toml", "extends = ['l.toml', 'r.toml', 'l.toml']")
        let root = try Document.load(path: spec, in: surroundings).root
        #expect(root.strings("list") == ["b", "l", "r"] && root.at("x") == .integer(2))
    }

    @Test func circlesDepthAndAbsence() throws {
        let scratch = try Scratch()
        let a = try scratch.file("a.toml", "\nextends = ['b.toml']")
        let b = try scratch.file("b.toml", "extends = ['./a.toml']")
        let circle = failure(a)
        #expect(circle?.position == Position(file: b, line: 1, column: 12))
        #expect(circle?.message == "`extends` goes round in a circle: \(a) → \(b) → \(scratch.path)/./a.toml")

        for level in 0...17 { try scratch.file("d\(level)", "extends = ['d\(level + 1)']") }
        try scratch.file("d18", "")
        #expect(failure(scratch.path + "/d0")?.message.hasPrefix("`extends` is more than 16 deep: ") == true)
        #expect(try Document.load(path: scratch.path + "/d2", in: surroundings).files.count == 17)

        let lost = try scratch.file("lost", "extends = ['nowhere']")
        #expect(failure(lost)?.position == Position(file: lost, line: 1, column: 12))
        #expect(failure(lost)?.message.contains("ENOENT") == true)
    }

    @Test func workIsBounded() throws {
        let scratch = try Scratch()
        for level in 0..<16 {
            let again = Array(repeating: "'w\(level + 1)'", count: 15).joined(separator: ",")
            try scratch.file("w\(level)", "extends = [\(again)]")
        }
        try scratch.file("w16", "x = 1")
        let clock = ContinuousClock()
        var read = 0
        let time = try clock.measure {
            read = try Document.load(path: scratch.path + "/w0", in: surroundings).files.count
        }
        #expect(read == 17)
        #expect(time < .seconds(50))
        let many = try (0..<257).map { index in
            try scratch.file("m\(index)", "")
            return "'m\(index)'"
        }
        let wide = try scratch.file("wide", "extends = [\(many.joined(separator: ","))]")
        #expect(failure(wide)?.message == "`extends` names more than 256 files in all")
    }

    @Test func kindsMustAgree() throws {
        let scratch = try Scratch()
        try scratch.file("base.toml", "[t]\nlist = ['1']\ns = 1\nu = { a = 1 }")
        for (text, message) in [
            ("[t]\nlist = 'x'", "t.list: a string here, but an array at \(scratch.path)/base.toml:2:8"),
            ("t = 1", "t: an integer here, but a table at \(scratch.path)/base.toml:1:1"),
            ("[t]\ns = [1]", "t.s: an array here, but an integer at \(scratch.path)/base.toml:3:5"),
            ("[t]\nu = 1", "t.u: an integer here, but a table at \(scratch.path)/base.toml:4:5"),
        ] {
            #expect(try failure(scratch.file("s", "extends = ['base.toml']\n" + text))?.message == message)
        }
        let right = try scratch.file("r", "extends = ['base.toml']\n[t]\ns = 'one kind of scalar for another'")
        #expect(throws: Never.self) { try Document.load(path: right, in: surroundings) }
    }

    @Test(arguments: [
        "extends = 'base.toml'", "extends = [1]", "extends = ['']", "extends = { a = 1 }", "extends = ['${NO}']",
        "extends = ['~root/x']", "extends = [\"a\\u0000b\"]", "extends = ['/dev/zero']", "extends = ['.']",
    ])
    func extendsThatAreWrong(text: String) throws {
        let scratch = try Scratch()
        let file = try scratch.file("s", text)
        #expect(failure(file)?.position?.file == file)
    }
}
