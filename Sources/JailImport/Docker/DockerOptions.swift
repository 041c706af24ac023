import JailSpec
import SpecFile

/// The options of `docker run`, and what becomes of those that no other line has to do with.
enum DockerOptions {
    enum Meaning {
        /// The importer reads it.
        case read
        case outside(String)
        case inForce(String)
        case lost(String)
        case lostRestriction(String)
    }

    /// Long names of what has a letter.
    static let letters: [Character: String] = [
        "a": "attach", "c": "cpu-shares", "d": "detach", "e": "env", "h": "hostname", "i": "interactive", "l": "label",
        "m": "memory", "P": "publish-all", "p": "publish", "q": "quiet", "t": "tty", "u": "user", "v": "volume",
        "w": "workdir",
    ]

    /// Other names of the same.
    static let others = ["net": "network", "dns-option": "dns-opt", "net-alias": "network-alias"]

    /// Those that no word follows.
    static let flags: [String: Meaning] = [
        "detach": .outside("immure stays; a unit detaches it: immure unit"),
        "interactive": .inForce("standard input is passed on"),
        "tty": .inForce("a terminal of its own at a terminal"), "rm": .read, "init": .inForce("a reaper is pid 1"),
        "read-only": .read, "privileged": .lost("all capabilities and devices of the host: name those that are needed"),
        "publish-all": .lost("ports that the image names: network.publish has them by number"),
        "no-healthcheck": .outside(""), "sig-proxy": .outside("signals are forwarded"),
        "disable-content-trust": .outside("of the image"), "quiet": .outside(""),
        "oom-kill-disable": .lost("no kernel with cgroup v2 has it"), "use-api-socket": .lost("the engine's socket"),
    ]

    /// Those that a word follows.
    static let valued: [String: Meaning] = {
        var result: [String: Meaning] = [:]
        for name in [
            "env", "env-file", "volume", "mount", "tmpfs", "device", "workdir", "user", "group-add", "entrypoint",
            "hostname", "network", "publish", "dns", "add-host", "cap-add", "cap-drop", "security-opt", "memory",
            "memory-swap", "cpus", "cpu-shares", "cpu-quota", "cpu-period", "cpuset-cpus", "blkio-weight",
            "pids-limit", "shm-size",
            "ulimit", "oom-score-adj", "stop-signal", "stop-timeout", "ipc", "pid", "uts", "userns", "cgroupns",
            "runtime", "isolation", "cgroup-parent", "sysctl",
        ] { result[name] = .read }
        for name in [
            "name", "label", "label-file", "cidfile", "restart", "log-driver", "log-opt", "pull", "platform", "attach",
            "detach-keys", "health-cmd", "health-interval", "health-retries", "health-start-period", "health-timeout",
            "health-start-interval", "expose", "annotation", "volume-driver",
        ] { result[name] = .outside("") }
        for (name, reason) in [
            ("dns-search", "a list of domains to search"), ("dns-opt", "options of resolvers"),
            ("domainname", "an NIS domain name"), ("ip", "an address"), ("ip6", "an address"),
            ("mac-address", "an address"), ("link", "a name of another container"), ("link-local-ip", "an address"),
            ("network-alias", "a name among containers"), ("volumes-from", "mounts of another container"),
            ("gpus", "devices that the engine's own runtime finds: name them by --device"),
            ("memory-reservation", "limits.memory_high is near to it"),
            ("memory-swappiness", "no cgroup v2 has it"), ("kernel-memory", "no cgroup v2 has it"),
        ] { result[name] = .lost(reason) }
        for (name, reason) in [
            ("cpuset-mems", "the memory nodes that may be used"), ("blkio-weight-device", "limits.io has it, by hand"),
            ("device-read-bps", "limits.io has it, by hand"),
            ("device-write-bps", "limits.io has it, by hand"), ("device-read-iops", "limits.io has it, by hand"),
            ("device-write-iops", "limits.io has it, by hand"), ("storage-opt", "the size of the root"),
            ("device-cgroup-rule", "rules of devices"), ("cpu-rt-period", "real time of a group"),
            ("cpu-rt-runtime", "real time of a group"),
        ] { result[name] = .lostRestriction(reason) }
        return result
    }()

    static var names: [String] {
        (Array(flags.keys) + Array(valued.keys) + Array(others.keys)).map { "--" + $0 }.sorted()
    }

    struct Option {
        let name: String
        let value: String
        let directive: Directive
    }

    /// A command line taken apart: the options, the image and the command after it.
    struct Line {
        var options: [Option] = []
        var image: (name: String, directive: Directive)?
        var command: [String] = []
    }

    static func read(_ words: [String], into draft: inout Draft) -> Line {
        var line = Line()
        var index = 0
        while index < words.count {
            let word = words[index]
            let position = Position(file: "docker", line: index + 1, column: 1)
            guard word.hasPrefix("-"), word != "-", word != "--" else {
                if word == "--" { index += 1 }
                guard index < words.count else { return line }
                line.image = (words[index], Directive(words[index], at: position))
                line.command = Array(words[(index + 1)...])
                return line
            }
            index += 1
            var next: String? { index < words.count ? words[index] : nil }
            let parts = split(word)
            for (place, part) in parts.enumerated() {
                let at = Position(file: "docker", line: position.line, column: place + 1)
                let name = others[part.name] ?? part.name
                if flags[name] != nil {
                    let directive = Directive(word, at: at)
                    draft.take(directive)
                    guard let isOn = part.value.map(truth) ?? true else {
                        draft.fail("\(quoted(part.value ?? "")) is not true or false", directive)
                        return line
                    }
                    for earlier in line.options where earlier.name == name {
                        draft.warn("has no effect: \(directive.reference) comes later", earlier.directive)
                    }
                    line.options.removeAll { $0.name == name }
                    if isOn {
                        line.options.append(Option(name: name, value: "", directive: directive))
                    } else {
                        draft.isInForce(.nothing, directive)
                    }
                } else if valued[name] != nil {
                    guard let value = part.value ?? next else {
                        draft.fail("--\(name) takes a word", at: at)
                        return line
                    }
                    if part.value == nil { index += 1 }
                    let directive = Directive(shown(["--\(name)", value]), at: at)
                    draft.take(directive)
                    line.options.append(Option(name: name, value: value, directive: directive))
                } else {
                    let hint = nearest(word, names).map { "did you mean \($0)?" }
                    draft.fail("docker run has no option \(word)", at: at, hint: hint)
                    return line
                }
            }
        }
        return line
    }

    /// What ParseBool of Go takes for true or false; nil for neither.
    static func truth(_ word: String) -> Bool? {
        if ["1", "t", "T", "TRUE", "true", "True"].contains(word) { return true }
        return ["0", "f", "F", "FALSE", "false", "False"].contains(word) ? false : nil
    }

    /// `--name=value` is one option, `-itv/a:/b` three of which the last has a value.
    private static func split(_ word: String) -> [(name: String, value: String?)] {
        if let long = word.after("--") {
            let (name, value) = long.cut("=")
            return [(name, value)]
        }
        var result: [(String, String?)] = []
        var rest = word.dropFirst()
        while let letter = rest.popFirst() {
            let name = letters[letter] ?? String(letter)
            guard flags[name] != nil || rest.isEmpty else {
                result.append((name, String(rest.first == "=" ? rest.dropFirst() : rest)))
                return result
            }
            result.append((name, nil))
        }
        return result
    }
}
