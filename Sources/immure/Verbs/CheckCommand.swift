import ArgumentParser
import JailPlan
import JailRuntime
import JailSpec
import SpecFile

/// `immure check`: reads and validates, and touches nothing.
struct CheckCommand: ParsableCommand {
    static let configuration = Verb.check.configuration()

    @Flag(help: "print an array of diagnostics as JSON")
    var json = false

    @Argument(help: "the spec files", completion: .file())
    var spec: [String]

    mutating func run() throws {
        let surroundings = Caller.surroundings()
        var faults: [Diagnostic] = []
        for path in spec { faults += Self.faults(of: path, in: surroundings) }
        if json {
            Caller.show(JSON.array(faults.map { JSON($0) }).lines)
        } else {
            for fault in faults { Report.say(fault, as: .plain) }
        }
        if !faults.isEmpty { throw ExitCode(2) }
    }

    /// A fault without a place of its own is one of the file.
    private static func faults(of path: String, in surroundings: Surroundings) -> [Diagnostic] {
        let faults: [Diagnostic]
        do throws(Rejection) {
            let document = try Document.load(
                path: path, in: surroundings, reading: Caller.readSpec, translating: BundleSpec.translate)
            let decoded = Prepare.examine(document, in: surroundings)
            // What the launch would refuse is no more right for being well written.
            faults = decoded.diagnostics
        } catch {
            faults = error.diagnostics
        }
        return faults.map { fault in
            guard fault.position == nil else { return fault }
            return Diagnostic("\(path): \(fault.message)", at: nil, hint: fault.hint)
        }
    }
}
