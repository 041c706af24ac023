import SpecFile
import Testing

@Suite struct ParseTests {
    @Test func positionsCountBytes() throws {
        let node = try parse(Array("é = 1\n\"ü\".b = 'x'".utf8), file: "t")
        guard case .table(let table) = node.value else { return }
        #expect(table["ü"]?.keyPosition.column == 1)
    }
}
