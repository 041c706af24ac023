import JailSpec
import Testing

@testable import immure

/// The manual has every row of keys; `JailSpecTests` holds the rows to the decoder.
@Suite struct ManualTests {
    /// Each section of the page, by its heading, with its lines.
    private var sections: [Substring: Substring] {
        var result: [Substring: Substring] = [:]
        let lines = Manual.file.split(separator: "\n", omittingEmptySubsequences: false)
        let start = lines.firstIndex(of: ".SH KEYS") ?? lines.endIndex
        let end = lines[start...].dropFirst().firstIndex { $0.hasPrefix(".SH ") } ?? lines.endIndex
        let text = lines[start..<end].joined(separator: "\n")
        for part in text.split(separator: "\n.SS ").dropFirst() {
            let heading = part.prefix { $0 != "\n" }
            result[Substring(heading)] = part.dropFirst(heading.count)
        }
        return result
    }

    @Test func `every key has its item in its section`() throws {
        let sections = sections
        #expect(sections.count == SectionRows.all.count)
        for section in SectionRows.all {
            let text = try #require(sections[Roff.escaped(section.heading)[...]], "\(section.heading)")
            let tags = text.split(separator: "\n").filter { $0.hasPrefix("\\fB") && $0.hasSuffix("\\fR") }
            let names = tags.flatMap { $0.dropFirst(3).dropLast(3).split(separator: ", ").map(String.init) }
            #expect(names == section.rows.flatMap(\.names), "\(section.heading)")
        }
    }

    @Test func `nothing is left to roff that it would take for its own`() {
        for page in [Manual.program, Manual.file] {
            for line in page.split(separator: "\n") where line.hasPrefix("'") || line.hasPrefix(".") {
                #expect(
                    [".TH", ".SH", ".SS", ".PP", ".TP", ".IP", ".RS", ".RE", ".nf", ".fi"].contains {
                        line.hasPrefix($0)
                    },
                    "\(line)")
            }
        }
    }
}
