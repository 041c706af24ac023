import SpecFile
import TestSupport
import Testing

/// What `extends` claims of itself, tried on random files.
@Suite struct MergeLawTests {
    /// Laying three files over one another gives the same whichever two are put together first, places and faults
    /// included: a base may be split in two, or two be made one.
    @Test func extendsIsAssociative() throws {
        var (same, refused) = (0, 0)
        for seed in 1...2000 as ClosedRange<UInt64> {
            var random = Seeded(seed)
            let files = try ["a", "b", "c"].map { try table(Self.text(using: &random), file: $0) }
            let left = merge(merge(.success(files[0]), .success(files[1])), .success(files[2]))
            let right = merge(.success(files[0]), merge(.success(files[1]), .success(files[2])))
            switch (left, right) {
            case (.success(let one), .success(let other)):
                same += 1
                #expect(one == other, "seed \(seed)")
            case (.failure, .failure): refused += 1
            default: Issue.record("seed \(seed): refused in one order only")
            }
        }
        #expect(same > 200 && refused > 200, "\(same) \(refused)")
    }

    /// The same through files: a list of bases, and a base that is itself such a list.
    @Test func aListOfBasesMayBeGrouped() throws {
        let files = Files()
        var same = 0
        for seed in 1...200 as ClosedRange<UInt64> {
            var random = Seeded(seed)
            for name in ["a", "b", "c"] { files.write(name, Self.text(using: &random)) }
            files.write("bc", "extends = ['b', 'c']")
            files.write("ab", "extends = ['a', 'b']")
            let specs = [
                files.write("flat", "extends = ['a', 'b', 'c']"), files.write("right", "extends = ['a', 'bc']"),
                files.write("left", "extends = ['ab', 'c']"),
            ]
            let roots = specs.map { spec in try? files.load(spec).root }
            #expect(roots[0] == roots[1] && roots[0] == roots[2], "seed \(seed)")
            if roots[0] != nil { same += 1 }
        }
        #expect(same > 20, "\(same)")
    }

    /// The empty file changes nothing, on either side.
    @Test func theEmptyFileIsNeutral() throws {
        for seed in 1...500 as ClosedRange<UInt64> {
            var random = Seeded(seed)
            let table = try table(Self.text(using: &random), file: "a")
            #expect(try table.merging(Table(), .appending) == table && Table().merging(table, .appending) == table)
        }
    }

    private func table(_ text: String, file: String) throws -> Table {
        guard case .table(let table) = try parse(Array(text.utf8), file: file).value else { return Table() }
        return table
    }

    private func merge(_ under: Result<Table, Diagnostic>, _ over: Result<Table, Diagnostic>) -> Result<
        Table, Diagnostic
    > {
        Result { () throws(Diagnostic) in try under.get().merging(try over.get(), .appending) }
    }

    /// A few keys with values of every kind, so that two files often meet.
    private static func text(using random: inout Seeded) -> String {
        let keys = ["a", "b", "c", "d", "e", "f"].filter { _ in Bool.random(using: &random) }
        return keys.map { "\($0) = \(value(of: $0, using: &random, depth: 0))" }.joined(separator: "\n")
    }

    /// A key has mostly the one kind of value, so that not everything is refused.
    private static func value(of key: String, using random: inout Seeded, depth: Int) -> String {
        let number = Int.random(in: 0..<100, using: &random)
        let isTable = (key == "a" || key == "b") != (number < 4)
        let isArray = (key == "c" || key == "d") != (number >= 96)
        if isTable && depth < 3 {
            let inner = ["a", "c", "f"].filter { _ in Bool.random(using: &random) }
            return "{ "
                + inner.map { "\($0) = \(value(of: $0, using: &random, depth: depth + 1))" }
                .joined(separator: ", ") + " }"
        }
        return isArray ? "[\(number), \(number % 7)]" : "\(number)"
    }
}
