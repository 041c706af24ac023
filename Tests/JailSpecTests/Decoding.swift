import JailSpec
import SpecFile
import Testing

/// The surroundings of every test here: nothing of the machine that runs it.
let surroundings = Surroundings(
    environment: ["HOME": "/home/u", "NAME": "value", "EMPTY": "", "DOTS": "../.."], currentDirectory: "/cwd")

/// Decodes a text as the file `dir/t.toml`.
func decode(_ text: String) throws -> Decoded {
    let node = try parse(Array(text.utf8), file: "dir/t.toml")
    guard case .table(let table) = node.value else { throw Rejection([]) }
    return Spec.decode(Document(root: table, files: []), in: surroundings)
}

/// The spec of a text that must be right.
func spec(_ text: String, _ place: SourceLocation = #_sourceLocation) throws -> Spec {
    let decoded = try decode(text)
    #expect(decoded.diagnostics == [], "\(text)", sourceLocation: place)
    return decoded.spec
}

/// The faults of a text as `line:column: message`.
func faults(_ text: String) throws -> [String] {
    try decode(text).diagnostics.map { fault in
        let place = fault.position.map { "\($0.line):\($0.column): " } ?? ""
        return place + fault.message
    }
}

/// The hints of a text's faults.
func hints(_ text: String) throws -> [String] { try decode(text).diagnostics.compactMap(\.hint) }

/// A text and how the one fault in it must begin.
struct Wrong: CustomTestStringConvertible, Sendable {
    let text: String
    let fault: String

    init(_ text: String, _ fault: String) {
        self.text = text
        self.fault = fault
    }

    var testDescription: String { String(text.prefix(80)) }

    func check() throws {
        let found = try faults(text)
        #expect(found.count == 1 && found[0].contains(fault), "\(text.prefix(200)): \(found)")
    }
}
