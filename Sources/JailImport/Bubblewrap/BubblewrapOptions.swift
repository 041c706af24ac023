import JailSpec
import SpecFile

/// bwrap(1)'s options, with how many words follow each.
enum BubblewrapOptions {
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
    }

    /// Takes the words apart; those that `--args` brings stand in its place.
    static func read(
        _ words: [String], from name: String, _ context: ImportContext, into draft: inout Draft
    ) -> Line {
        var line = Line()
        read(words, name, context, &line, &draft, depth: 0)
        return line
    }

    private static func read(
        _ words: [String], _ name: String, _ context: ImportContext, _ line: inout Line, _ draft: inout Draft,
        depth: Int
    ) {
        var index = 0
        while index < words.count {
            let word = words[index]
            let position = Position(file: name, line: index + 1, column: 1)
            guard word.hasPrefix("-"), word != "--" else {
                let rest = words[(word == "--" ? index + 1 : index)...]
                if rest.isEmpty { return }
                line.command = Array(rest)
                line.commandDirective = Directive(shown(line.command), at: position)
                return
            }
            guard let count = arguments[word] else {
                return draft.fail("unknown option \(word)", Directive(word, at: position), hint: near(word))
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
                readArguments(option, context, &line, &draft, depth)
            } else {
                line.options.append(option)
            }
        }
    }

    /// Bubblewrap takes at most 9000 words in all.
    private static func readArguments(
        _ option: Option, _ context: ImportContext, _ line: inout Line, _ draft: inout Draft, _ depth: Int
    ) {
        guard depth < 8 else { return draft.fail("--args within --args, too deep", option.directive) }
        guard let number = Int32(option.values[0]) else {
            return draft.fail("Invalid fd: \(option.values[0])", option.directive)
        }
        guard let bytes = context.readDescriptor(number) else {
            return draft.lose(
                "what descriptor \(number) holds is not known here; give it as a FILE", restricts: true,
                option.directive)
        }
        draft.isInForce("its words follow", option.directive)
        read(
            split(bytes), "\(option.directive.position.file):--args \(number)", context, &line, &draft, depth: depth + 1
        )
    }

    /// Words that each end with a zero byte.
    static func split(_ bytes: [UInt8]) -> [String] {
        var parts = bytes.split(separator: 0, omittingEmptySubsequences: false)
        if parts.last?.isEmpty == true { parts.removeLast() }
        return parts.map { String(decoding: $0, as: UTF8.self) }
    }

    private static func near(_ word: String) -> String? {
        nearest(word, arguments.keys.sorted()).map { "did you mean \($0)?" }
    }
}
