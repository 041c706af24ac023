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
        result.nice = section.value("nice", Form.integer(-20...19))
        result.oomScoreAdjust = section.value("oom_score_adj", Form.integer(-1000...1000))
        result.cpus = section.value("cpus", Form.cpuList)
        result.keyring = section.value("keyring", Form.word(ProcessAttributes.Keyring.self)) ?? result.keyring
        section.finish()
        return result
    }

    private mutating func descriptors(_ key: String) -> Located<[Int32]>? {
        distinct(key, Form.descriptor).map { Located($0.value.map(\.value).sorted(), at: $0.position) }
    }
}

extension Form {
    /// A descriptor to pass on; /proc/sys/fs/nr_open is 2^20 unless an administrator raised it.
    fileprivate static func descriptor(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> Int32 {
        let number = try integer(0...Int32.max)(node, decoding)
        if number <= 2 { throw fault("\(number) is passed on anyway", node, hint: "list descriptors from 3") }
        return number
    }
}
