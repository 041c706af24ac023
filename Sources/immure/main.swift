import JailRuntime
import SpecFile

// Nothing here but the choice of a parser: globals of this file belong to the main actor.
if Caller.wasGivenPrivilege {
    Report.say(
        Diagnostic(
            "refuses to run set-user-ID, set-group-ID or with file capabilities", at: nil,
            hint: "take the bits off; immure needs none: chmod u-s,g-s, setcap -r"))
    Caller.leave(125)
}
let started = Caller.arguments
FuseMounter.answer(as: started.first)
if let words = BubblewrapFront.words(of: started) { BubblewrapFront.perform(words) }
let arguments = Array(started.dropFirst())
if let request = FastArguments.parse(arguments) { Run.perform(request) }
CommandLineInterface.run(arguments)
