import JailSpec
import LinuxFacts
import SpecFile

/// bwrap(1)'s options, with how many words follow each.
package enum BubblewrapOptions {
    /// Those that no word follows. Lists of words, and searched: a dictionary, or a list of lists, is made when it is first looked at.
    private static let alone = [
        "--help", "--version", "--level-prefix", "--unshare-all", "--share-net", "--unshare-user", "--unshare-user-try",
        "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup", "--unshare-cgroup-try",
        "--disable-userns", "--assert-userns-disabled", "--clearenv", "--new-session", "--die-with-parent",
        "--as-pid-1",
    ]

    private static let withOne = [
        "--args", "--argv0", "--userns", "--userns2", "--pidns", "--uid", "--gid", "--hostname", "--chdir",
        "--unsetenv",
        "--lock-file", "--sync-fd", "--remount-ro", "--overlay-src", "--tmp-overlay", "--ro-overlay", "--exec-label",
        "--file-label", "--proc", "--dev", "--tmpfs", "--mqueue", "--dir", "--seccomp", "--add-seccomp-fd",
        "--block-fd",
        "--userns-block-fd", "--info-fd", "--json-status-fd", "--cap-add", "--cap-drop", "--perms", "--size",
    ]

    private static let withTwo = [
        "--setenv", "--bind", "--bind-try", "--dev-bind", "--dev-bind-try", "--ro-bind", "--ro-bind-try", "--bind-fd",
        "--ro-bind-fd", "--file", "--bind-data", "--ro-bind-data", "--symlink", "--chmod",
    ]

    private static let withThree = ["--overlay"]

    /// How many words follow an option; nil for what is none.
    private static func count(after word: String) -> Int? {
        if withTwo.contains(word) { return 2 }
        if alone.contains(word) { return 0 }
        if withOne.contains(word) { return 1 }
        return withThree.contains(word) ? 3 : nil
    }

    /// Whether immure, called by /proc/self/exe, is meant to be bubblewrap: by the first word.
    package static func hasOption(_ word: String) -> Bool { count(after: word) != nil }

    /// The names of all, sorted.
    package static var names: [String] { (alone + withOne + withTwo + withThree).sorted() }

    /// The most words that bubblewrap reads from descriptors.
    private static let limit = 9000

    /// An option with the words that follow it.
    struct Option {
        let name: String
        let values: [String]
        let directive: Directive
    }

    /// A command line taken apart.
    struct Line {
        var options: [Option] = []
        var command: [String] = []
        var commandDirective: Directive?
        fileprivate var wordsOfDescriptors = 0
    }

    /// Takes the words apart; those that `--args` brings stand in its place.
    static func read(
        _ words: [String], from name: String, _ context: ImportContext, into draft: inout Draft
    ) -> Line {
        var line = Line()
        read(words, name, context, &line, &draft, isFromDescriptor: false)
        return line
    }

    private static func read(
        _ words: [String], _ name: String, _ context: ImportContext, _ line: inout Line, _ draft: inout Draft,
        isFromDescriptor: Bool
    ) {
        var index = 0
        while index < words.count, !draft.isOver {
            let word = words[index]
            let position = Position(file: name, line: index + 1, column: 1)
            guard word.hasPrefix("-"), word != "--" else {
                let rest = words[(word == "--" ? index + 1 : index)...]
                // Those of a descriptor are options and nothing else, which bubblewrap passes over.
                if rest.isEmpty || isFromDescriptor { return }
                line.command = Array(rest)
                line.commandDirective = Directive(shown(line.command), at: position)
                return
            }
            guard let count = count(after: word) else {
                return draft.fail("Unknown option \(word)", Directive(word, at: position), hint: near(word))
            }
            guard index + count < words.count else {
                return draft.fail(
                    "\(word) takes \(count) argument\(count == 1 ? "" : "s")", Directive(word, at: position))
            }
            let values = Array(words[(index + 1)..<(index + 1 + count)])
            let option = Option(
                name: word, values: values, directive: Directive(shown([word] + values), at: position))
            draft.take(option.directive)
            index += 1 + count
            if word == "--args" {
                guard !isFromDescriptor else {
                    return draft.fail("--args not supported in arguments file", option.directive)
                }
                readArguments(option, context, &line, &draft)
            } else {
                line.options.append(option)
            }
        }
    }

    private static func readArguments(
        _ option: Option, _ context: ImportContext, _ line: inout Line, _ draft: inout Draft
    ) {
        guard let number = Int32(option.values[0]), number >= 0 else {
            return draft.fail("Invalid fd: \(option.values[0])", option.directive)
        }
        guard let bytes = context.readDescriptor(number) else {
            return draft.lose(
                "what descriptor \(number) holds is not known here; give it as a FILE", restricts: true,
                option.directive)
        }
        draft.isInForce(.nothing, "its words follow", option.directive)
        let words = split(bytes)
        line.wordsOfDescriptors += words.count
        guard line.wordsOfDescriptors <= limit else {
            return draft.fail("Exceeded maximum number of arguments \(limit)", option.directive)
        }
        read(
            words, "\(option.directive.position.file):--args \(number)", context, &line, &draft,
            isFromDescriptor: true)
    }

    /// Words that each end with a zero byte.
    static func split(_ bytes: [UInt8]) -> [String] {
        var parts = bytes.split(separator: 0, omittingEmptySubsequences: false)
        if parts.last?.isEmpty == true { parts.removeLast() }
        return parts.map { String(escaping: Array($0)) }
    }

    private static func near(_ word: String) -> String? {
        nearest(word, names).map { "did you mean \($0)?" }
    }
}
