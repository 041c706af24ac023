import SpecFile
import TestSupport
import Testing

@Suite struct ParseJSONTests {
    func value(_ text: String) throws -> Node.Value { try parseJSON(Array(text.utf8), file: "t").value }

    @Test func everyKindOfValue() throws {
        #expect(
            try value(#"[ "", 0, -5, true, false, [], {}, 9223372036854775807 ]"#)
                == .array([
                    Node(.string(""), at: at(1, 3)), Node(.integer(0), at: at(1, 7)), Node(.integer(-5), at: at(1, 10)),
                    Node(.boolean(true), at: at(1, 14)), Node(.boolean(false), at: at(1, 20)),
                    Node(.array([]), at: at(1, 27)), Node(.table(Table()), at: at(1, 31)),
                    Node(.integer(.max), at: at(1, 35)),
                ]))
        #expect(try value("18446744073709551615") == .unsigned(.max))
    }

    private func at(_ line: Int, _ column: Int) -> Position { Position(file: "t", line: line, column: column) }

    @Test func placesAndWhatIsNull() throws {
        guard case .table(let table) = try value("{ \"a\": null,\r\n\t\"é\" : \"ü\", \"b\":\n1 }") else { return }
        #expect(
            table.entries.map { "\($0.key) \($0.keyPosition) \($0.node.position)" } == [
                "é t:2:2 t:2:9", "b t:2:15 t:3:1",
            ])
    }

    @Test func escapes() throws {
        #expect(
            try value(#""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00\u0000x""#)
                == .string("\"\\/\u{8}\u{C}\n\r\tAé😀\u{0}x"))
    }

    static let wrong: [([UInt8], Int, Int, String)] = [
        (Array("".utf8), 1, 1, "the end of the file"), (Array("null".utf8), 1, 1, "not null"),
        (Array("{} x".utf8), 1, 4, "after the value"), (Array("{}\0".utf8), 1, 3, "0x0"),
        (Array("{\n\"a\": 1, \"a\": 2}".utf8), 2, 9, "\"a\" stands twice"), (Array("[1,]".utf8), 1, 4, "\"]\""),
        (Array("{\"a\":1,}".utf8), 1, 8, "a key must"), (Array("{a:1}".utf8), 1, 2, "a key must"),
        (Array("[1 2]".utf8), 1, 4, "a comma"), (Array("{\"a\" 1}".utf8), 1, 6, "a colon"),
        (Array("[01]".utf8), 1, 2, "leading zero"), (Array("[1.5]".utf8), 1, 2, "not whole"),
        (Array("[1e3]".utf8), 1, 2, "not whole"), (Array("[-]".utf8), 1, 3, "a digit"),
        (Array("[18446744073709551616]".utf8), 1, 2, "64 bits"),
        (Array("[-9223372036854775809]".utf8), 1, 2, "64 bits"),
        (Array("[nul]".utf8), 1, 2, "a value"), (Array("[null]".utf8), 1, 2, "null in an array"),
        (Array("'a'".utf8), 1, 1, "a value"), (Array("// x\n{}".utf8), 1, 1, "a value"),
        (Array("\u{FEFF}{}".utf8), 1, 1, "0xef"), (Array("\"a".utf8), 1, 1, "without an end"),
        (Array("\"a\nb\"".utf8), 1, 3, "within a string"), (Array("\"\0\"".utf8), 1, 2, "0x0"),
        (Array("\"".utf8) + [0xFF, 0x22], 1, 1, "UTF-8"), (Array("\"".utf8) + [0xC0, 0x80, 0x22], 1, 1, "UTF-8"),
        (Array("\"".utf8) + [0xED, 0xA0, 0x80, 0x22], 1, 1, "UTF-8"), (Array(#""\ud800""#.utf8), 1, 8, "surrogate"),
        (Array(#""\ud800A""#.utf8), 1, 8, "surrogate"), (Array(#""\udc00""#.utf8), 1, 8, "surrogate"),
        (Array(#""\x41""#.utf8), 1, 4, "escape"), (Array(#""\u00g0""#.utf8), 1, 6, "hexadecimal"),
        (Array("\"\\".utf8), 1, 3, "end of the file"),
        ([UInt8](repeating: UInt8(ascii: "["), count: 100_000), 1, 33, "nested more than 32"),
        ([0x1F, 0x8B, 8, 0], 1, 1, "0x1f"),
    ]

    @Test(arguments: wrong.indices) func faultsSayWhere(_ index: Int) {
        let (text, line, column, words) = Self.wrong[index]
        do throws(Diagnostic) {
            _ = try parseJSON(text, file: "t")
            Issue.record("accepted \(words)")
        } catch {
            #expect(error.message.contains(words), "\(error)")
            #expect(error.position == at(line, column), "\(error)")
        }
    }

    /// Cut or changed anywhere, a text is read or refused, and nothing else happens.
    @Test func spoilt() {
        let text = Array(#"{ "a": [ "x\u00e9", 12, { "b": null, "c": true } ], "é": -1 }"#.utf8)
        var generator = Seeded(7)
        for _ in 0..<2000 {
            var bytes = text
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            if Bool.random(using: &generator) {
                bytes[place] = UInt8.random(in: 0...255, using: &generator)
            } else {
                bytes.removeSubrange(place...)
            }
            do throws(Diagnostic) {
                _ = try parseJSON(bytes, file: "t")
            } catch {
                #expect(error.position != nil)
            }
        }
    }
}
