import SpecFile
import Testing

@testable import JailSpec

/// The rows of keys are those that the decoder asks for, no more and no fewer: what is made of them (immure.toml(5), the
/// schema, the completion of `--set`) cannot drift from what is read.
@Suite struct KeyRowTests {
    /// Every key, asked for by a decoder that finds each table; and by one that reads the contract, where some keys are
    /// asked for only as what is written wants it.
    private func asked() throws -> [Survey.Key] {
        let empty = Decoding.survey(Table(), in: surroundings)
        guard case .table(let contract) = try parse(Array(contractText.utf8), file: "t.toml").value else { return [] }
        return empty + Decoding.survey(contract, in: surroundings)
    }

    @Test func `every key of the decoder has a row, and every row a key of the decoder`() throws {
        // The loader takes `extends` out before anything is decoded.
        let decoder = Set(try asked().map(\.path)).union(["extends"])
        let sections = SectionRows.all.map(\.name).filter { !$0.isEmpty }
        let rows = Set(SectionRows.all.flatMap(\.keyPaths)).union(sections)
        #expect(decoder.subtracting(rows) == [], "keys without a row")
        #expect(rows.subtracting(decoder) == [], "rows without a key")
    }

    @Test func `no key has two rows`() {
        let paths = SectionRows.all.flatMap(\.keyPaths)
        #expect(paths.count == Set(paths).count)
    }

    @Test func `tables and arrays of tables are called what they are`() throws {
        let repeated = Set(try asked().filter(\.isRepeatedTable).map(\.path))
        let inline = repeated.filter { path in !SectionRows.all.contains { $0.name == path } }
        #expect(inline == ["identity.uid_map", "identity.gid_map", "seccomp.rule.args"])
        #expect(Set(SectionRows.all.filter(\.isRepeated).map(\.name)) == repeated.subtracting(inline))
    }

    @Test func `what --set can name`() throws {
        let keys = try asked()
        let repeated = keys.filter(\.isRepeatedTable).map { $0.path + "." }
        // namespaces.time is a word or a table of two clocks.
        let tables = Set(SectionRows.all.filter { !$0.isRepeated }.map(\.name)).subtracting(["namespaces.time"])
        let wanted = Set(keys.map(\.path)).filter { path in
            !tables.contains(path) && !repeated.contains { path.hasPrefix($0) }
        }
        #expect(Set(SectionRows.settable).symmetricDifference(wanted) == [])
        #expect(SectionRows.settable.count == wanted.count)
    }

    /// A row says when it came, with the three numbers of a version.
    @Test func `since when a key is there`() {
        for row in SectionRows.all.flatMap(\.rows) {
            #expect(row.since.split(separator: ".").compactMap { UInt($0) }.count == 3, "\(row.names)")
        }
    }

    @Test func `a default is a value that the decoder takes`() throws {
        for section in SectionRows.all where !section.isRepeated {
            for row in section.rows {
                guard let standard = row.standard else { continue }
                for key in row.names {
                    let path = section.name.isEmpty ? key : "\(section.name).\(key)"
                    #expect(try faults("\(path) = \(standard)") == [])
                }
            }
        }
    }
}
