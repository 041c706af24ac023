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
