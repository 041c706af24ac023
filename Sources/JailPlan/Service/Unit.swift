package import JailSpec
package import SpecFile

/// A unit of systemd for a spec: what systemd does better, or alone, as directives; the rest is immure's, in ExecStart.
///
/// No directive asks for what the spec does not: each line says where it comes from.
package struct Unit {
    /// A directive with its reason: the line of the spec, or words.
    struct Directive {
        let name: String
        let value: UnitText
        let origin: Position?
        let why: String
    }

    let spec: Spec
    let name: String
    private(set) var directives: [Directive] = []
    private(set) var hints: [String] = []

    /// `command` is the command line of ExecStart, already absolute; `variables` become Environment=, specifiers and all.
    package init(_ spec: Spec, name: String, command: [String], variables: [(name: String, value: String)]) {
        self.spec = spec
        self.name = name
        start(command, variables)
        stop()
        becomeUser()
        addDirectories()
        addAttributes()
        addLimits()
        addService()
    }

    mutating func add(_ name: String, _ value: UnitText, _ origin: Position?, _ why: String = "") {
        directives.append(Directive(name: name, value: value, origin: origin, why: why))
    }

    mutating func hint(_ line: String) { hints.append(line) }

    /// Whether the command takes the launcher's place, `Planner.decideShape` with no terminal and no result.
    var isDirect: Bool {
        spec.namespaces[.pid].value.isHost && spec.timeout == nil && !spec.namespaces[.time].value.isNew
    }

    /// The unit file. Each of its lines is one line to systemd as well, which takes a carriage return for an end and a
    /// backslash for the promise of more: what has them is refused.
    package func text() throws(Rejection) -> String {
        let description: UnitText = "\(plain: name) in a jail of immure"
        var lines = [
            "[Unit]", "Description=\(description.text)", "Documentation=man:immure(1) man:immure.toml(5)", "",
            "[Service]",
        ]
        var reason = ""
        for directive in directives {
            let words = [directive.origin?.description ?? "", directive.why].filter { !$0.isEmpty }
            let next = words.joined(separator: ": ")
            if next != reason && !next.isEmpty { lines.append("# \(next)") }
            reason = next
            lines.append("\(directive.name)=\(directive.value.text)")
        }
        lines += hints.map { "# \($0)" }
        lines += ["", "[Install]", "WantedBy=multi-user.target"]
        let faults = lines.filter { UnitText.hasControls($0) || $0.last == "\\" }
        guard faults.isEmpty else {
            throw Rejection(
                faults.map { line in
                    Diagnostic(
                        "\(quoted(line)): not one line of a unit: it has a control character, or a backslash at its end",
                        at: nil)
                })
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private mutating func start(_ command: [String], _ variables: [(name: String, value: String)]) {
        let notify = spec.service.notify
        if case .none = notify.value {
            add(
                "Type", "exec", nil,
                "started once immure is executed; a jail that cannot be made is a failure all the same")
        } else {
            add("Type", "notify", notify.position)
            // Where the pids are the host's, systemd sees the sender itself, and a launcher in front is the main process.
            let hearsAll =
                switch notify.value {
                case .all: true
                case .exec: false
                case .none, .main: !isDirect
                }
            let isSeen = spec.namespaces[.pid].value.isHost
            add("NotifyAccess", isSeen && hearsAll ? "all" : "main", notify.position)
        }
        add("ExecStart", "\(arguments: command)", nil, "the jail, all that the spec says of it")
        for (name, value) in variables {
            add("Environment", "\(assignment: name, value)", nil, "what the spec refers to as ${…}")
        }
    }

    private mutating func stop() {
        add("Restart", "on-failure", nil, "124 to 127 are immure's: the jail could not be made, and would not be again")
        add(
            "RestartPreventExitStatus", "125 126 127", nil,
            "124 to 127 are immure's: the jail could not be made, and would not be again")
        guard !isDirect else { return }
        let why = "the launcher passes signals on, once; status 128+n is a command that signal n ended, 143 SIGTERM"
        add("KillMode", "mixed", nil, why)
        add("SuccessExitStatus", "129 130 141 143", nil, why)
        let (seconds, _) = spec.grace.value.components
        add(
            "TimeoutStopSec", "\(seconds + 5)", spec.grace.position,
            "after `grace` the launcher kills the jail itself; systemd waits for that")
    }
}
