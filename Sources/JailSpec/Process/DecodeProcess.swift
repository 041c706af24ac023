import LinuxFacts
import SpecFile

extension Section {
    /// `[process]`.
    mutating func process() -> ProcessAttributes {
        var result = ProcessAttributes()
        guard var section = section("process") else { return result }
        result.noNewPrivileges = section.value("no_new_privs", Form.boolean) ?? result.noNewPrivileges
        result.initProcess = section.value("init", Form.boolean) ?? result.initProcess
        result.dieWithParent = section.value("die_with_parent", Form.boolean) ?? result.dieWithParent
        result.tty = section.value("tty", Form.word(ProcessAttributes.Terminal.self)) ?? result.tty
        result.fds = section.descriptors("fds") ?? result.fds
        result.locks =
            section.distinct("locks", Form.expandedTarget).map { list in
                Located(list.value.map(\.value), at: list.position)
            } ?? result.locks
        result.nice = section.value("nice", Form.integer(-20...19))
        result.oomScoreAdjust = section.value("oom_score_adj", Form.integer(-1000...1000))
        result.cpus = section.value("cpus", Form.cpuList)
        result.keyring = section.value("keyring", Form.word(ProcessAttributes.Keyring.self)) ?? result.keyring
        result.stopSignal = section.value("stop_signal", Form.stopSignal) ?? result.stopSignal
        result.boot = section.value("boot", Form.boolean) ?? result.boot
        result.argv0 = section.value("argv0", Form.text)
        result.jobserver = section.value("jobserver", Form.boolean) ?? result.jobserver
        section.finish()
        return result
    }

    private mutating func descriptors(_ key: String) -> Located<[Int32]>? {
        distinct(key, Form.descriptor).map { Located($0.value.map(\.value).sorted(), at: $0.position) }
    }
}

extension Form {
    /// Signals that end or ask for something; those that stop, continue or mean nothing by default ask for no end.
    fileprivate static func stopSignal(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> Int32 {
        let name = try nonEmpty(node, decoding)
        guard let number = SignalName.number(name) else {
            let known = SignalName.all.map { "SIG" + $0 }
            let near = known.contains("SIG" + name) ? "SIG" + name : nearest(name, known)
            throw fault(
                "\(quoted(name)) is not a signal", node,
                hint: near.map { "did you mean \(quoted($0))?" } ?? "such as \"SIGTERM\", \"SIGINT\", \"SIGRTMIN+3\"")
        }
        switch SignalName.name(number) {
        case "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG":
            throw fault("\(name) asks nobody to end", node)
        default: return number
        }
    }

    /// A descriptor to pass on; /proc/sys/fs/nr_open is 2^20 unless an administrator raised it.
    fileprivate static func descriptor(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> Int32 {
        let number = try integer(0...Int32.max)(node, decoding)
        if number <= 2 { throw fault("\(number) is passed on anyway", node, hint: "list descriptors from 3") }
        return number
    }
}
