import JailSpec
import LinuxFacts
import SpecFile

/// bwrap(1)'s options, with how many words follow each.
package enum BubblewrapOptions {
    static let arguments: [String: Int] = [
        "--help": 0, "--version": 0, "--args": 1, "--argv0": 1, "--level-prefix": 0, "--unshare-all": 0,
        "--share-net": 0, "--unshare-user": 0, "--unshare-user-try": 0, "--unshare-ipc": 0, "--unshare-pid": 0,
        "--unshare-net": 0, "--unshare-uts": 0, "--unshare-cgroup": 0, "--unshare-cgroup-try": 0, "--userns": 1,
        "--userns2": 1, "--disable-userns": 0, "--assert-userns-disabled": 0, "--pidns": 1, "--uid": 1, "--gid": 1,
        "--hostname": 1, "--chdir": 1, "--clearenv": 0, "--setenv": 2, "--unsetenv": 1, "--lock-file": 1,
        "--sync-fd": 1, "--bind": 2, "--bind-try": 2, "--dev-bind": 2, "--dev-bind-try": 2, "--ro-bind": 2,
        "--ro-bind-try": 2, "--bind-fd": 2, "--ro-bind-fd": 2, "--remount-ro": 1, "--overlay-src": 1,
        "--overlay": 3, "--tmp-overlay": 1, "--ro-overlay": 1, "--exec-label": 1, "--file-label": 1, "--proc": 1,
        "--dev": 1, "--tmpfs": 1, "--mqueue": 1, "--dir": 1, "--file": 2, "--bind-data": 2, "--ro-bind-data": 2,
        "--symlink": 2, "--seccomp": 1, "--add-seccomp-fd": 1, "--block-fd": 1, "--userns-block-fd": 1,
        "--info-fd": 1, "--json-status-fd": 1, "--new-session": 0, "--die-with-parent": 0, "--as-pid-1": 0,
        "--cap-add": 1, "--cap-drop": 1, "--perms": 1, "--size": 1, "--chmod": 2,
    ]

    /// Whether immure, called by /proc/self/exe, is meant to be bubblewrap: by the first word.
    package static func hasOption(_ word: String) -> Bool { arguments[word] != nil }

    /// The names of all, sorted.
    package static var names: [String] { arguments.keys.sorted() }

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
        while index < words.count {
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
            guard let count = arguments[word] else {
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
        draft.isInForce("its words follow", option.directive)
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
        nearest(word, arguments.keys.sorted()).map { "did you mean \($0)?" }
    }
}
