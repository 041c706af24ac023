import SpecFile

/// The text of a unit file, systemd.syntax(7), each directive with its reason in a comment.
struct UnitFileText {
    private var lines: [String] = []
    private var reason = ""

    mutating func section(_ name: String) {
        if !lines.isEmpty { lines.append("") }
        lines.append("[\(name)]")
        reason = ""
    }

    /// `why` is said once for directives in a row that have the same.
    mutating func add(_ name: String, _ value: UnitText, _ origin: Position? = nil, _ why: String = "") {
        let next = [origin?.description ?? "", why].filter { !$0.isEmpty }.joined(separator: ": ")
        if next != reason && !next.isEmpty { comment(next) }
        reason = next
        lines.append("\(name)=\(value.text)")
    }

    mutating func comment(_ text: String) { lines.append("# \(text)") }

    /// Each of its lines is one line to systemd as well, which takes a carriage return for an end and a backslash for the promise of
    /// more: what has them is refused.
    func text() throws(Rejection) -> String {
        let faults = lines.filter { UnitText.hasControls($0) || $0.last == "\\" }
        guard faults.isEmpty else {
            throw Rejection(
                faults.map { line in
                    Diagnostic(
                        "\(quoted(line)): not one line of a unit: it has a control character, or a backslash at its end",
                        at: nil)
                })
        }
        return lines.map { $0 + "\n" }.joined()
    }
}
