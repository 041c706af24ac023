import Testing

@testable import JailRuntime

@Suite("Line ends of a jail's terminal")
struct LineEndsTests {
    /// What comes out of pieces in all, and what is held back at the end.
    private static func undone(_ pieces: [String]) -> (text: String, rest: String) {
        var ends = LineEnds()
        var all: [UInt8] = []
        for (number, piece) in pieces.enumerated() { all += ends.take(Array(piece.utf8), undone: true, number) }
        return (String(decoding: all, as: UTF8.self), String(decoding: ends.release(), as: UTF8.self))
    }

    @Test(
        "However a text is cut, the same comes out",
        arguments: ["a\r\nb\r\n", "\r\n", "a\r\r\nb", "\ra\n\r", "50%\r51%\r"])
    func pieces(_ text: String) {
        let characters = text.unicodeScalars.map { String($0) }
        let whole = Self.undone([text])
        let cut = Self.undone(characters)
        #expect(cut.text + cut.rest == whole.text + whole.rest)
        #expect(whole.text + whole.rest == text.replacing("\r\n", with: "\n"))
    }

    @Test("A return at an end goes out after a moment, and with what ends the text at once")
    func moment() {
        var ends = LineEnds()
        #expect(ends.take(Array("50%\r".utf8), undone: true, 0) == Array("50%".utf8))
        #expect(ends.milliseconds(0) == 20 && ends.release(19_999_999) == [] && ends.release(20_000_000) == [0x0D])
        #expect(ends.milliseconds(0) == nil && ends.release() == [])
        _ = ends.take([0x0D], undone: true, 0)
        #expect(ends.take([], undone: true, 1) == [0x0D] && ends.milliseconds(1) == nil)
    }

    @Test("What is not undone stays, and what was held back before comes first")
    func asItIs() {
        var ends = LineEnds()
        #expect(ends.take(Array("a\r\n\r".utf8), undone: false, 0) == Array("a\r\n\r".utf8))
        _ = ends.take([0x0D], undone: true, 0)
        #expect(ends.take(Array("\nx".utf8), undone: false, 0) == Array("\r\nx".utf8))
    }
}
