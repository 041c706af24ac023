package import JailPlan

/// One thing that a section of the spec needs, and whether this host has it.
package struct Finding: Sendable {
    package enum State: String, Sendable {
        case ok
        /// The host lacks it; what needs it is refused, and all else works.
        case absent
        /// Without it not even the empty spec can be launched.
        case broken
    }

    let section: String
    let name: String
    let state: State
    let detail: String
    var remedy: String?
}

/// What `immure doctor` finds out about this host for this caller.
package struct Diagnosis: Sendable {
    package private(set) var findings: [Finding] = []

    /// Examines the host; what is tried for real is tried in a child that ends at once.
    package init() {
        var examination = Examination()
        examination.examine()
        findings = examination.findings
    }

    /// Whether the empty spec can be launched.
    package var isHealthy: Bool { !findings.contains { $0.state == .broken } }

    package var json: JSON {
        .array(
            findings.map { finding in
                .object([
                    ("section", .string(finding.section)), ("name", .string(finding.name)),
                    ("state", .string(finding.state.rawValue)), ("detail", .string(finding.detail)),
                    ("remedy", JSON(finding.remedy)),
                ])
            })
    }

    /// The findings by section, the remedies below what they mend.
    package func listing(coloured: Bool) -> String {
        var result = ""
        var section = ""
        let width = findings.map(\.name.utf8.count).max() ?? 0
        for finding in findings {
            if finding.section != section {
                section = finding.section
                result += section + "\n"
            }
            let state = finding.state.rawValue
            let padded = state + String(repeating: " ", count: 7 - state.utf8.count)
            let colour = finding.state == .ok ? "32" : finding.state == .absent ? "33" : "1;31"
            let shown = coloured ? "\u{1b}[\(colour)m\(padded)\u{1b}[0m" : padded
            let name = finding.name + String(repeating: " ", count: width - finding.name.utf8.count)
            result += "  \(shown) \(name)  \(Report.printable(finding.detail))\n"
            if let remedy = finding.remedy { result += "          remedy: \(Report.printable(remedy))\n" }
        }
        return result
    }
}
