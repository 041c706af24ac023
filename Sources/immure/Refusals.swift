import JailPlan
import JailRuntime
import JailSpec
import SpecFile

extension Prepare {
    /// Everything that a launch would be refused for, as far as that can be known without one.
    ///
    /// What somebody else could have written is not tried, nor anything where a filter from outside or the host itself is in the way of
    /// every launch.
    static func refusals(of request: RunRequest, in surroundings: Surroundings) throws(Rejection) -> [Diagnostic] {
        let files = FilesRead(toLaunch: false)
        let spec = try read(request, from: files, toLaunch: false, mustBeTrusted: true, in: surroundings).spec
        try Caller.tryCalls(for: spec)
        var host = try host(for: spec)
        try host.probeNames(of: spec, readFrom: files)
        host.findDanglingLinks()
        let (plan, faults) = Planner.attempt(spec, on: host)
        let rest: [Diagnostic]
        do throws(Diagnostic) {
            rest = try plan.rehearse()
        } catch {
            throw Rejection(faults + [error])
        }
        // What a line cannot be planned for may be why its steps cannot be done.
        let told = faults.map(\.position)
        return faults + rest.filter { told.isEmpty || $0.position != nil && !told.contains($0.position) }
    }
}
