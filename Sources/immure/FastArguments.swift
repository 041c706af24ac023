/// The parser of the launches that carry no option: `run [SPEC] [--] [COMMAND ARG…]` and `SPEC [ARG…]`.
///
/// ArgumentParser takes longer than the kernel takes to make a jail; this takes microseconds. `CommandLineTests` holds the
/// two to the same answers.
enum FastArguments {
    /// What is asked for; nil where ArgumentParser has to say.
    static func parse(_ arguments: [String]) -> RunRequest? {
        guard let first = arguments.first else { return nil }
        if first == "run" { return parse(arguments.dropFirst(), allowsOptions: true) }
        // `immure SPEC ARG…`: after `#!` every further word belongs to the command, also one that begins with `-`.
        guard !isOption(first), Verb(rawValue: first) == nil else { return nil }
        return parse(arguments[...], allowsOptions: false)
    }

    private static func parse(_ arguments: ArraySlice<String>, allowsOptions: Bool) -> RunRequest? {
        var request = RunRequest()
        var rest = arguments
        if let spec = rest.first, spec != "--" {
            guard !isOption(spec) else { return nil }
            request.spec = spec
            rest.removeFirst()
        }
        if rest.first == "--" {
            request.replaces = true
            rest.removeFirst()
        } else if allowsOptions, let next = rest.first, isOption(next) {
            return nil
        }
        request.words = Array(rest)
        return request
    }

    /// A single `-` is a word.
    static func isOption(_ word: String) -> Bool { word.utf8.first == UInt8(ascii: "-") && word.utf8.count > 1 }
}
