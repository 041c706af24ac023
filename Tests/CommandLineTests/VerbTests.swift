import ArgumentParser
import Testing

@testable import immure

/// A verb stands wherever people look for it.
@Suite struct VerbTests {
    @Test(arguments: Verb.allCases) func `neither parser takes a verb for a spec`(verb: Verb) {
        #expect(FastArguments.parse([verb.rawValue, "x"]) == nil || verb == .run)
    }

    @Test func `ArgumentParser has each, in the same order`() {
        let names = Immure.configuration.subcommands.map { $0.configuration.commandName }
        let wanted = Verb.allCases.filter { $0 != .help }.map(\.rawValue)
        #expect(names == wanted)
    }

    @Test(arguments: Verb.allCases) func `each stands in the manual, the usage and the help`(
        verb: Verb
    ) {
        #expect(Manual.program.contains("\n\\fBimmure \(verb.rawValue)\\fR"), "SYNOPSIS")
        let tag = Roff.escaped(verb.rawValue + (verb.arguments.isEmpty ? "" : " " + verb.arguments))
        #expect(Manual.program.contains(".TP\n\\fB\(tag)\\fR\n"), "COMMANDS")
        #expect(Verb.usages.contains { $0 == verb.usage })
        #expect(Immure.helpMessage().contains("immure \(verb.rawValue)"), "usage")
        for shell in [CompletionShell.bash, .zsh, .fish] {
            #expect(Immure.completionScript(for: shell).contains(verb.rawValue), "\(shell)")
        }
    }

    /// The words after the spec are the command's, and no option is looked for among them.
    @Test(arguments: Verb.allCases) func `whose words may be a command's`(verb: Verb) {
        let tail = Tail(of: [verb.rawValue, "a.toml", "ls", "--json"])
        #expect(tail.words == (verb.takesCommand ? ["ls", "--json"] : []))
    }
}
