import ArgumentParser
import JailRuntime
import JailSpec
import SpecFile

/// Everything that is not a plain launch, through ArgumentParser.
enum CommandLineInterface {
    static func run(_ arguments: [String]) -> Never {
        guard let verb = arguments.first else {
            Caller.say("usage: " + Verb.usages.joined(separator: "\n       "))
            Caller.leave(125)
        }
        do {
            try refuseHelp(arguments)
            let tail = Tail(of: arguments)
            // Its own time is a part of what a command that is watched takes.
            if let learn = LearnCommand(plain: tail.head) { learn.perform(tail) }
            // A flag of ArgumentParser has no value.
            var command = try Immure.parseAsRoot(tail.head.map { $0 == "--why=all" ? "--why-all" : $0 })
            if let run = command as? RunCommand { Run.perform(run.request(tail)) }
            if let plan = command as? PlanCommand { plan.perform(tail) }
            if let enter = command as? EnterCommand { enter.perform(tail) }
            if let apply = command as? ApplyCommand { apply.perform(tail.words) }
            if let unit = command as? UnitCommand { unit.perform(tail) }
            if let learn = command as? LearnCommand { learn.perform(tail) }
            if let importing = command as? ImportCommand { importing.perform(tail.words) }
            try command.run()
            Caller.leave(0)
        } catch {
            leave(error, verb, arguments)
        }
    }

    /// ArgumentParser prints help on all commands for a name that is none.
    private static func refuseHelp(_ arguments: [String]) throws {
        guard Verb(rawValue: arguments[0]) == .help, arguments.count > 1, Verb(rawValue: arguments[1]) == nil else {
            return
        }
        throw ValidationError("no command is named \(quoted(arguments[1]))")
    }

    /// Help and versions end here as well: ArgumentParser throws them.
    private static func leave(_ error: any Error, _ verb: String, _ arguments: [String]) -> Never {
        if let exit = error as? ExitCode { Caller.leave(exit.rawValue) }
        if Immure.exitCode(for: error) == .success {
            Caller.show(Immure.fullMessage(for: error) + "\n")
            Caller.leave(0)
        }
        Report.say(diagnostic(Immure.message(for: error), verb, arguments))
        Caller.leave(Verb(rawValue: verb)?.usageStatus ?? 125)
    }

    /// ArgumentParser's sentence in the form of all other messages.
    private static func diagnostic(_ message: String, _ verb: String, _ arguments: [String]) -> Diagnostic {
        let line = message.split(separator: "\n").first.map(String.init) ?? "bad usage"
        // A sentence ends where a space follows: there are other full stops in `'<spec> ...'`.
        let stop = line.indices.first { line[$0] == "." && line[line.index(after: $0)...].first == " " }
        let first = String(stop.map { line[..<$0] } ?? (line.hasSuffix(".") ? line.dropLast() : line[...]))
        let advice = stop.map { line[line.index(after: $0)...].drop { $0 == " " } } ?? ""
        let hint: String
        if FastArguments.isOption(verb) {
            hint = "a launch with options or without a spec is written: immure run …"
        } else if verb == "import", let line = foreignLine(arguments) {
            hint = "immure import \(line)"
        } else if verb == "enter", message.contains("<pid>") {
            hint = "the number of the launcher: immure enter $(pgrep -n immure)"
        } else if !advice.isEmpty, !advice.hasSuffix(":") {
            hint = lowered(advice.hasSuffix(".") ? String(advice.dropLast()) : String(advice))
        } else if let key = key(in: first), Verb(rawValue: verb)?.takesSettings == true {
            hint = "it is a key of the spec: --set '\(key)=…'"
        } else if verb == "enter" {
            hint = "the jail is as it was launched: enter takes no options but the command's, after --"
        } else if Verb(rawValue: verb)?.takesCommand == true {
            hint = "options of the command go after --; the first line of a script is `#!/usr/bin/env -S immure`"
        } else {
            hint = "see immure help"
        }
        return Diagnostic(lowered(first), at: nil, hint: hint)
    }

    /// A command line of another tool that was written without the mark before it, with the mark.
    private static func foreignLine(_ arguments: [String]) -> String? {
        guard arguments.count > 2, !arguments.contains("--"), ["bwrap", "docker"].contains(arguments[1]) else {
            return nil
        }
        let words = arguments[2] == arguments[1] ? arguments.dropFirst(3) : arguments.dropFirst(2)
        return arguments[1] + " -- " + words.map { shellWord($0) }.joined(separator: " ")
    }

    /// The key of a spec that an unknown option is named like.
    private static func key(in message: String) -> String? {
        let quoted = message.split(separator: "'")
        guard quoted.count > 1, quoted[1].hasPrefix("--") else { return nil }
        let word = String(quoted[1].dropFirst(2).prefix { $0 != "=" }.map { $0 == "-" ? "_" : $0 })
        let keys = SectionRows.settable.filter { $0.split(separator: ".").last.map(String.init) == word }
        return keys.count == 1 ? keys[0] : nil
    }

    private static func lowered(_ sentence: String) -> String {
        sentence.prefix(1).lowercased() + sentence.dropFirst()
    }
}

/// The words that belong to the command of the jail, which no parser of ours may look into.
struct Tail {
    /// What is left for the parser.
    var head: [String]
    var words: [String] = []
    var replaces = false

    /// Options with a value in the next word.
    private static let valued: Set<String> = [
        "--set", "--result", "--changes", "--env", "-o", "--output", "--type", "--timer", "--socket", "--dropin",
    ]

    init(of arguments: [String]) {
        head = arguments
        if case .import? = arguments.first.flatMap(Verb.init), let end = arguments.firstIndex(of: "--") {
            cut(at: end, from: end + 1)
            return
        }
        guard let verb = arguments.first.flatMap(Verb.init), verb.takesCommand || verb.takesPaths else {
            return
        }
        var positionals = 0
        var index = 1
        while index < arguments.count {
            let word = arguments[index]
            if word == "--" {
                cut(at: index, from: index + 1)
                replaces = true
                return
            }
            if FastArguments.isOption(word) {
                if Self.valued.contains(word) { index += 1 }
            } else {
                positionals += 1
                // The first is the spec; the command begins with the second, and its options are its own.
                if positionals == 2, verb.takesCommand {
                    cut(at: index, from: index)
                    return
                }
            }
            index += 1
        }
    }

    private mutating func cut(at end: Int, from start: Int) {
        words = Array(head[start...])
        head = Array(head[..<end])
    }
}
