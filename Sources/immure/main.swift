import JailPlan
import JailRuntime
import JailSpec
import SpecFile

let arguments = CommandLine.arguments
let separator = arguments.firstIndex(of: "--") ?? arguments.count
let path = separator > 2 ? arguments[2] : nil
let command = Array(arguments.dropFirst(separator + 1))
let surroundings = Caller.surroundings()
do throws(Rejection) {
    let document = try Document.load(path: path, in: surroundings)
    let decoded = Spec.decode(document, in: surroundings)
    for d in decoded.diagnostics { Caller.say("\(d.position.map { "\($0): " } ?? "")\(d.message)") }
    guard decoded.diagnostics.isEmpty else { Caller.leave(125) }
    var spec = decoded.spec
    if !command.isEmpty { spec.command = Located(command) }
    switch Planner.plan(spec, on: .probe(for: spec)) {
    case .failure(let faults):
        for d in faults.diagnostics { Caller.say("\(d.position.map { "\($0): " } ?? "")\(d.message)") }
        Caller.leave(125)
    case .success(let plan):
        let outcome = Launch(plan).run()
        if case .failed = outcome.ending { Caller.say("failed") }
        Caller.leave(outcome.status)
    }
} catch {
    for d in error.diagnostics { Caller.say("\(d.position.map { "\($0): " } ?? "")\(d.message)") }
    Caller.leave(125)
}
