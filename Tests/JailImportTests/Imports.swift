import JailImport
import JailSpec
import SpecFile
import Testing

/// What an import says, as tests ask for it.
extension Draft {
    /// The spec that its own text reads back as.
    var spec: Spec {
        get throws {
            #expect(faults.isEmpty, "\(faults)")
            let text = text(title: ["test"])
            let here = Surroundings(
                variable: { ["HOME": "/home/u", "PWD": "/work"][$0] ?? "/var/\($0)" }, home: "/home/u",
                currentDirectory: "/work")
            guard case .table(let table) = try parse(Array(text.utf8), file: "made.toml").value else {
                throw NoTable()
            }
            let decoded = Spec.decode(Document(root: table, files: []), in: here)
            #expect(decoded.diagnostics.isEmpty, "\(decoded.diagnostics)\n\(text)")
            return decoded.spec
        }
    }

    struct NoTable: Error {}

    /// The messages of one kind, without their directives.
    func said(_ kind: ImportNote.Kind) -> [String] { notes.filter { $0.kind == kind }.map(\.reason) }

    /// The words of the directives of one kind.
    func directives(_ kind: ImportNote.Kind) -> [String] { notes.filter { $0.kind == kind }.map(\.directive.words) }
}

extension Spec {
    func mount(at target: String) -> Mount? { filesystem.mounts.first { $0.target == target } }
}
