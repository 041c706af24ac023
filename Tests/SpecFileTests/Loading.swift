import SpecFile
import Testing

let surroundings = Surroundings(environment: ["HOME": "/home/u", "BASE": "base.toml"], currentDirectory: "/cwd")

/// The one diagnostic of a load that must fail.
func failure(_ path: String?, overrides: [String] = [], _ place: SourceLocation = #_sourceLocation) -> Diagnostic? {
    do throws(Rejection) {
        _ = try Document.load(path: path, overrides: overrides, in: surroundings)
        Issue.record("no error", sourceLocation: place)
        return nil
    } catch {
        #expect(error.diagnostics.count == 1, sourceLocation: place)
        return error.diagnostics.first
    }
}

extension Table {
    /// The value at a dotted path.
    func at(_ path: String) -> Node.Value? {
        var table = self
        let parts = path.split(separator: ".")
        for part in parts.dropLast() {
            guard case .table(let next)? = table[String(part)]?.node.value else { return nil }
            table = next
        }
        return parts.last.flatMap { table[String($0)]?.node.value }
    }

    /// The strings of an array at a dotted path.
    func strings(_ path: String) -> [String]? {
        guard case .array(let nodes)? = at(path) else { return nil }
        return nodes.map { if case .string(let text) = $0.value { text } else { "?" } }
    }
}
