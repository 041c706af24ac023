/// What becomes of a file that is written in another language than a spec, such as the config.json of an OCI bundle.
package struct Translation: Sendable {
    /// As reading a spec that says the same would give it, with the places of that file.
    package let root: Table
    package let faults: [Diagnostic]
    /// What else must be trusted where the file is.
    package let files: [SourceFile]

    package init(root: Table, faults: [Diagnostic], files: [SourceFile] = []) {
        (self.root, self.faults, self.files) = (root, faults, files)
    }
}

/// Who translates a text, in the name of the file: this module knows no other language.
package typealias Translator = (_ text: [UInt8], _ file: String) -> Translation

/// Whether a text is to be an object of JSON: no TOML begins with a brace.
func isJSON(_ text: [UInt8]) -> Bool {
    for byte in text {
        switch byte {
        case 0x20, 0x09, 0x0A, 0x0D: continue
        default: return byte == UInt8(ascii: "{")
        }
    }
    return false
}
