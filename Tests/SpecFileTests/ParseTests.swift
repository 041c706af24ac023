import SpecFile
import Testing

@Suite struct ParseTests {
    func table(_ text: String) throws -> Table {
        guard case .table(let table) = try parse(Array(text.utf8), file: "t").value else { return Table() }
        return table
    }

    @Test func positionsCountBytes() throws {
        let table = try table("a = 1\n\"é\".b = [ 'ü', 'x' ] # ß\n[t]\nk = { z = 1 }\n[[m]]\n[[m]]\nq = true\n")
        let places = table.entries.map { "\($0.key) \($0.keyPosition) \($0.node.position)" }
        #expect(places == ["a t:1:1 t:1:5", "é t:2:1 t:2:1", "t t:3:2 t:3:1", "m t:5:3 t:5:1"])
        guard case .array(let nodes)? = table.at("é.b") else { return }
        #expect(nodes.map(\.position.column) == [12, 18])
        guard case .array(let tables)? = table.at("m") else { return }
        #expect(tables.map(\.position.line) == [5, 6])
    }

    @Test func entriesKeepTheOrderOfTheText() throws {
        #expect(try table("z=1\na=2\nm.b=1\nm.a=2").entries.map(\.key) == ["z", "a", "m"])
    }

    @Test func markAndCarriageReturnsAreAccepted() throws {
        let table = try table("\u{FEFF}a = 1\r\nb = 'x'\r\n")
        #expect(table.at("b") == .string("x") && table["b"]?.node.position == Position(file: "t", line: 2, column: 5))
    }

    @Test func everyKindOfValue() throws {
        let table = try table("s='x'\ni=-5\nf=1.5\nb=true\nd=1979-05-27\na=[]\nt={}")
        #expect(
            table.entries.map(\.node.value) == [
                .string("x"), .integer(-5), .float(1.5), .boolean(true), .date, .array([]), .table(Table()),
            ])
        #expect(try self.table("i = 9223372036854775807").at("i") == .integer(Int64.max))
    }

    @Test func faultsSayWhere() throws {
        let wrong: [([UInt8], Int, Int, String)] = [
            (Array("a = 1\nb = 'x".utf8) + [0] + Array("y'".utf8), 2, 7, "a NUL byte"),
            (Array("a = 'é".utf8) + [0xFF] + Array("'".utf8), 1, 8, "not valid UTF-8"),
            ([0xFF], 1, 1, "not valid UTF-8"), ([0xC0, 0x80], 1, 1, "not valid UTF-8"),
            (Array("a='".utf8) + [0xED, 0xA0, 0x80, 0x27], 1, 4, "not valid UTF-8"),
            ([0xFF, 0xFE, 0x61, 0x00], 1, 1, "not valid UTF-8"), (Array("a = 1\na = 2".utf8), 2, 5, "cannot redefine"),
            (Array("[a]\n[a]".utf8), 2, 1, "cannot redefine"),
            (Array("a = 99999999999999999999".utf8), 1, 25, "64 bits"),
            (Array("k =5'''·'''".utf8), 1, 5, "expected digit"), (Array("[`a`]".utf8), 1, 2, "expected bare key"),
            (Array("[[é]]".utf8), 1, 3, "only in strings"),
            (Array("a\u{A0}= 1".utf8), 1, 2, "only in strings"), (Array("a · b".utf8), 1, 3, "only in strings"),
            (Array("é = 1".utf8), 1, 1, "only in strings"), (Array("a = ".utf8), 1, 5, "end-of-file"),
        ]
        for (text, line, column, message) in wrong {
            do throws(Diagnostic) {
                _ = try parse(text, file: "t")
                Issue.record("accepted \(message)")
            } catch {
                #expect(error.message.contains(message), "\(error)")
                #expect(error.position?.line == line, "\(error)")
                #expect(abs((error.position?.column ?? 0) - column) <= 1, "\(error)")
            }
        }
    }

    static let deep = [
        "a=" + String(repeating: "[", count: 100_000), "a=" + String(repeating: "{a=", count: 100_000),
        "a" + String(repeating: ".a", count: 400_000) + "=1", "[a" + String(repeating: ".a", count: 400_000) + "]",
        "a" + String(repeating: " . \"a\"", count: 100_000) + "=1",
        "a=\"\"\"\"\"\"\"\"\nb" + String(repeating: ".a", count: 400_000) + "=1",
        "a='''x'''''\nb" + String(repeating: ".a", count: 400_000) + "=1",
        "a=" + String(repeating: "{" + String(repeating: "a.", count: 30) + "a=", count: 60) + "1"
            + String(repeating: "}", count: 60),
    ]
    @Test(arguments: deep.indices) func depthIsAnError(index: Int) throws {
        #expect(throws: Diagnostic.self) { try parse(Array(Self.deep[index].utf8), file: "t") }
    }

    /// Found by the fuzzer: the message of the library quotes the line break that it did not expect.
    @Test(arguments: ["x = i\n", "x = 1979-05-27T0\n", "x = 0x\t", "x = \"\\\n"]) func messagesAreOneLine(text: String)
    {
        #expect {
            try parse(Array(text.utf8), file: "t")
        } throws: { error in
            guard let error = error as? Diagnostic else { return false }
            return !error.message.utf8.contains { $0 < 0x20 }
        }
    }

    @Test func noTextCrashes() throws {
        var state: UInt64 = 88_172_645_463_325_252
        let pieces = Array("[]{}\"'=.,#\n\r\t ab1-_\\:T0é\0".utf8) + [0xFF, 0xC3]
        for _ in 0..<3000 {
            var text: [UInt8] = []
            for _ in 0..<40 {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                text.append(pieces[Int(state % UInt64(pieces.count))])
            }
            do throws(Diagnostic) {
                _ = try parse(text, file: "t")
            } catch {
                #expect(error.position != nil)
                #expect(!error.message.utf8.contains(UInt8(ascii: "\n")))
            }
        }
    }
}
