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

    package let section: String
    package let name: String
    package let state: State
    package let detail: String
    package var remedy: String?
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
}
