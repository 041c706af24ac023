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
    let options: Options
    /// Whether systemd starts the launcher as an ordinary user.
    package internal(set) var startsAsUser = false
    /// Whether that user is one of the unit's own, DynamicUser=.
    var isDynamic = false
    private(set) var directives: [Directive] = []
    private(set) var hints: [String] = []

    /// `command` is the command line of ExecStart, already absolute; `variables` become Environment=, specifiers and all.
    package init(
        _ spec: Spec, name: String, command: [String], variables: [(name: String, value: String)],
        options: Options = Options()
    ) {
        self.spec = spec
        self.name = name
        self.command = command
        self.options = options
        isTemplate = Self.isTemplate(variables)
        start(variables)
        stop()
        if let over = options.over {
            startsAsUser = over.startsAsUser
            clear(over)
            addLowPort(over: over)
            addDirectories(besides: over)
            if let limits = spec.limits, limits.value.scope.value == .unit { delegate(limits) }
            return
        }
        // A user's manager starts it as that user, who raises nothing.
        if options.isUsers {
            startsAsUser = true
        } else {
            becomeUser()
        }
        // It is taken as it stands, and a backslash would join the next line to it.
        if name.utf8.last != UInt8(ascii: "\\") {
            add("SyslogIdentifier", "\(plain: name)", nil, "in place of the launcher's own name")
        }
        addDirectories()
        addLowPort()
        if !options.isUsers { addAttributes() }
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

    /// The unit file.
    package func text() throws(Rejection) -> String {
        var file = UnitFileText()
        file.section("Unit")
        file.add("Description", "\(plain: name) in a jail of immure")
        file.add("Documentation", "man:immure(1) man:immure.toml(5)")
        if spec.service.sockets.value {
            file.add(
                "Requires", "\(plain: name).socket", spec.service.sockets.position,
                "without its sockets it does not start")
        }
        write(&file)
        for line in hints { file.comment(line) }
        if spec.service.sockets.value {
            file.section("Install")
            file.add("Also", "\(plain: name).socket")
        } else if kind != .oneshot {
            file.section("Install")
            file.add("WantedBy", options.isUsers ? "default.target" : "multi-user.target")
        }
        return try file.text()
    }

    /// The drop-in that starts the unit `over` in a jail.
    package func dropIn() throws(Rejection) -> String {
        var file = UnitFileText()
        write(&file)
        return try file.text()
    }

    private func write(_ file: inout UnitFileText) {
        file.section("Service")
        for directive in directives { file.add(directive.name, directive.value, directive.origin, directive.why) }
    }

    /// How systemd learns that it has started: as asked, or as the spec has it.
    var kind: Kind {
        if let kind = options.kind { return kind }
        // A command that may go without a manager does not promise to tell one that it has started.
        let tells = if case .none = spec.service.notify.value { false } else { !spec.service.optional.value }
        guard tells else { return spec.timeout == nil ? .exec : .oneshot }
        return .notify
    }

    private mutating func start(_ variables: [(name: String, value: String)]) {
        let notify = spec.service.notify
        let origin =
            options.kind != nil
            ? nil : kind == .notify ? notify.position : kind == .oneshot ? spec.timeout?.position : nil
        switch kind {
        case .oneshot: add("Type", "oneshot", origin, "a job, for a timer or another unit to start; it ends by itself")
        case .exec:
            add(
                "Type", "exec", nil,
                "started once immure is executed; a jail that cannot be made is a failure all the same")
        case .simple: add("Type", "simple", nil, "started before immure is executed")
        case .notify: add("Type", "notify", origin)
        }
        if case .none = notify.value {
        } else {
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
        if options.over != nil { add("ExecStart", "", nil, "in place of the unit's own") }
        let why = "the jail, all that the spec says of it"
        if let line = options.over?.command, spec.command == nil, !command.contains("--") {
            add("ExecStart", "\(arguments: command) -- \(specified: line)", nil, why)
        } else {
            add("ExecStart", "\(arguments: command)", nil, why)
        }
        // The current directory of a service is systemd's to set.
        for (name, value) in variables where name == "PWD" {
            add("WorkingDirectory", "\(specified: value)", nil, "what the spec refers to as ${PWD}")
        }
        for (name, value) in variables where name != "PWD" {
            add("Environment", "\(assignment: name, value)", nil, "what the spec refers to as ${…}")
        }
    }

    private mutating func stop() {
        let reason = "125 to 127: the jail or its command could not be started, and would not be again"
        if options.over == nil { add("Restart", "on-failure", nil, reason) }
        if let timeout = spec.timeout {
            add(
                "RestartPreventExitStatus", "124 125 126 127", timeout.position,
                "124 is the end of `timeout`; \(reason)")
        } else {
            add("RestartPreventExitStatus", "125 126 127", nil, reason)
        }
        if spec.process.boot.value {
            add("RestartForceExitStatus", "129", spec.process.boot.position, "the tree's own init wants a reboot")
        }
        guard !isDirect else { return }
        let why = "the launcher passes signals on, once; status 128+n is a command that signal n ended, 143 SIGTERM"
        add("KillMode", "mixed", nil, why)
        // systemd takes no job for done that a signal has ended (systemd.service(5)).
        if kind != .oneshot { add("SuccessExitStatus", "129 130 141 143", nil, why) }
        let (seconds, _) = spec.grace.value.components
        add(
            "TimeoutStopSec", "\(seconds + 5)", spec.grace.position,
            "after `grace` the launcher kills the jail itself; systemd waits for that")
    }
}
