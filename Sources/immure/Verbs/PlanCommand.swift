import ArgumentParser
import JailPlan
import JailRuntime
import SpecFile

/// `immure plan`: what a launch would do, in order.
struct PlanCommand: ParsableCommand {
    static let configuration = Verb.plan.configuration()

    @OptionGroup var launch: LaunchOptions

    @Flag(help: "print an array of operations as JSON")
    var json = false

    func perform(_ tail: Tail) -> Never {
        let request = RunRequest(
            spec: launch.spec, overrides: launch.overrides, words: tail.words, replaces: tail.replaces)
        do throws(Rejection) {
            let plan = try Prepare.plan(for: request, toLaunch: false)
            Caller.show(json ? plan.json.lines : plan.listing.map { Report.printable($0) + "\n" }.joined())
            Caller.leave(0)
        } catch {
            for fault in error.diagnostics { Report.say(fault) }
            Caller.leave(125)
        }
    }
}
