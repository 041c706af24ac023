import ArgumentParser
import JailRuntime

/// `immure manual 1|5`: the sources of the manual pages, so that program and pages cannot drift apart.
struct ManualCommand: ParsableCommand {
    enum Section: String, ExpressibleByArgument, CaseIterable {
        case program = "1"
        case file = "5"
    }

    static let configuration = Verb.manual.configuration()

    @Argument(help: "1 for immure(1), 5 for immure.toml(5)")
    var section: Section

    mutating func run() throws {
        Caller.show(section == .program ? Manual.program : Manual.file)
    }
}

/// The pages.
enum Manual {}
