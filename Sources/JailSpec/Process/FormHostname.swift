import SpecFile

extension Form {
    /// hostname(7): labels of letters, digits and `-`, of up to 63 bytes each; sethostname(2) takes 64 in all.
    static func hostname(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> String {
        let name = try nonEmpty(node, decoding)
        if name.utf8.count > 64 { throw fault("\(quoted(name)) is longer than 64 bytes", node) }
        for label in name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard isLabel(label) else {
                throw fault(
                    "\(quoted(name)) is not a host name", node,
                    hint: "letters, digits, `-` and `.`; no part of it empty or beginning or ending with `-`")
            }
        }
        return name
    }

    /// One part of a name between dots.
    static func isLabel(_ label: Substring.UTF8View) -> Bool {
        guard let first = label.first, let last = label.last, label.count <= 63 else { return false }
        let plain = label.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        return plain && first != UInt8(ascii: "-") && last != UInt8(ascii: "-")
    }
}
