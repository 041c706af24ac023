import ArgumentParser
import JailRuntime
import SpecFile

/// `immure enter`: one more command in a running jail.
struct EnterCommand: ParsableCommand {
    static let configuration = Verb.enter.configuration(
        discussion: "The status is the command's, as that of run; 125 where nothing of it ran.")

    @Argument(help: "the launcher, `immure run`, or the first process of the jail, as they are numbered here")
    var pid: Int32

    func perform(_ tail: Tail) -> Never {
        do throws(Diagnostic) {
            let words = tail.words.isEmpty ? ["/bin/sh"] : tail.words
            Caller.leave(try EnterJail.perform(pid, words, terminal: Caller.variable("TERM")))
        } catch {
            Report.say(error)
            Caller.leave(125)
        }
    }
}
