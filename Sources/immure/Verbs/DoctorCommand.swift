import ArgumentParser
import JailPlan
import JailRuntime

/// `immure doctor`: what this host offers and lacks.
struct DoctorCommand: ParsableCommand {
    static let configuration = Verb.doctor.configuration(
        discussion: "The status is 0 where the empty spec can be launched, else 1.")

    @Flag(help: "print an array of findings as JSON")
    var json = false

    mutating func run() throws {
        let diagnosis = Diagnosis()
        Caller.show(json ? diagnosis.json.lines : diagnosis.listing(coloured: Report.isColoured(1)))
        if !diagnosis.isHealthy { throw ExitCode(1) }
    }
}

extension Diagnosis {
    /// The findings by section, the remedies below what they mend.
    fileprivate func listing(coloured: Bool) -> String {
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
