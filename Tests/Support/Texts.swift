package import JailSpec
package import SpecFile

/// What a spec of a test is read in: nothing of the machine that runs it.
package let adasSurroundings = Surroundings(environment: ["HOME": "/home/ada"], currentDirectory: "/cwd")

/// The table of a text, which must be one.
package func table(_ text: String) throws -> Table {
    guard case .table(let table) = try parse(Array(text.utf8), file: "t.toml").value else { throw Rejection([]) }
    return table
}

/// The spec of a table, with its faults.
package func decode(_ table: Table, in surroundings: Surroundings = adasSurroundings) -> Decoded {
    Spec.decode(Document(root: table, files: []), in: surroundings)
}

/// The spec of a text, which must be right: its faults are thrown.
package func spec(_ text: String) throws -> Spec {
    let decoded = decode(try table(text))
    guard decoded.diagnostics.isEmpty else { throw Rejection(decoded.diagnostics) }
    return decoded.spec
}
