import ArgumentParser
import JailPlan
import JailRuntime
import JailScore
import JailSpec
import SpecFile

/// `immure score`: how far specs open the jail; touches nothing.
struct ScoreCommand: ParsableCommand {
    static let configuration = Verb.score.configuration(
        discussion: "The status is 0; 1 where a score is above the threshold; 2 where a spec is wrong.")

    /// A score in tenths.
    struct Threshold: ExpressibleByArgument {
        let tenths: Int

        /// `3`, or `3.5`: what is printed can be given back.
        init?(argument: String) {
            let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
            let parts = argument.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count <= 2, parts.allSatisfy({ $0.utf8.allSatisfy(digits.contains) }),
                let whole = UInt8(parts[0]), parts.count == 1 || parts[1].utf8.count == 1,
                let tenth = parts.count == 1 ? 0 : UInt8(parts[1])
            else { return nil }
            tenths = Int(whole) * 10 + Int(tenth)
            if tenths > 100 { return nil }
        }
    }

    @Flag(help: "print an array with an object for each spec as JSON")
    var json = false

    @Option(help: ArgumentHelp("end with status 1 where a score is above N", valueName: "N"))
    var threshold: Threshold?

    @Option(
        name: .customLong("set"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("override a key of the specs; the value is TOML; repeatable", valueName: "key.path=value"),
        completion: SettableKeys.completion)
    var overrides: [String] = []

    @Argument(help: "the spec files; without any the empty spec", completion: .file())
    var spec: [String] = []

    mutating func run() throws {
        let surroundings = Caller.surroundings()
        var scores: [(name: String, score: Score)] = []
        var isWrong = false
        let paths: [String?] = spec.isEmpty ? [nil] : spec
        for path in paths {
            do throws(Rejection) {
                let document = try Document.load(
                    path: path, overrides: overrides, in: surroundings, reading: Caller.readSpec,
                    translating: BundleSpec.translate)
                let decoded = try Prepare.decode(document, in: surroundings)
                scores.append((path ?? "the empty spec", Score(of: decoded)))
            } catch {
                isWrong = true
                for fault in error.diagnostics { Report.say(fault, as: .plain) }
            }
        }
        if json {
            Caller.show(JSON.array(scores.map { $0.score.json(of: $0.name) }).lines)
        } else {
            for (name, score) in scores {
                Caller.show(score.listing(of: name).map { Report.printable($0) + "\n" }.joined())
            }
        }
        if isWrong { throw ExitCode(2) }
        if let threshold, scores.contains(where: { $0.score.tenths > threshold.tenths }) { throw ExitCode(1) }
    }
}
