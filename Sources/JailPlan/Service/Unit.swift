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
    let command: [String]
    /// Whether the unit is a template, whose instances have directories of their own.
    let isTemplate: Bool
    /// Whether systemd starts the launcher as an ordinary user.
    var startsAsUser = false
    /// Whether that user is one of the unit's own, DynamicUser=.
    var isDynamic = false
    private(set) var directives: [Directive] = []
    private(set) var hints: [String] = []

    /// `command` is the command line of ExecStart, already absolute; `variables` become Environment=, specifiers and all.
    package init(_ spec: Spec, name: String, command: [String], variables: [(name: String, value: String)]) {
        self.spec = spec
        self.name = name
        self.command = command
        isTemplate = Self.isTemplate(variables)
        start(variables)
        stop()
        becomeUser()
        addDirectories()
        addAttributes()
        addLimits()
        addService()
        harden()
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
        if !isJob { lines += ["", "[Install]", "WantedBy=multi-user.target"] }
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

    /// A command that ends by itself: one that has a time to do so, and says nothing of being ready.
    private var isJob: Bool {
        if case .none = spec.service.notify.value { spec.timeout != nil } else { false }
    }

    private mutating func start(_ variables: [(name: String, value: String)]) {
        let notify = spec.service.notify
        if isJob {
            add(
                "Type", "oneshot", spec.timeout?.position,
                "a job, for a timer or another unit to start; it ends by itself")
        } else if case .none = notify.value {
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
        let reason = "125 to 127: the jail or its command could not be started, and would not be again"
        add("Restart", "on-failure", nil, reason)
        if let timeout = spec.timeout {
            add(
                "RestartPreventExitStatus", "124 125 126 127", timeout.position,
                "124 is the end of `timeout`; \(reason)")
        } else {
            add("RestartPreventExitStatus", "125 126 127", nil, reason)
        }
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
