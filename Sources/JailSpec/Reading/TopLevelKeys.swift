extension SectionRows {
    package static let topLevel = SectionRows(
        "",
        keys: [
            KeyRow(
                "command", as: ValueForm("array of strings", .list(.text(), 1...Int.max)),
                "The program and its arguments. A name without a slash is looked up in the PATH of the jail."),
            KeyRow("cwd", as: .jailPath, default: "\"/\"", "The working directory, inside the jail."),
            KeyRow(
                "hostname", as: .hostname,
                """
                The host name inside, which a private /etc/hosts gives an address. Absent: the host's.
                """),
            KeyRow(
                "timeout", as: .positiveDuration,
                "Wall-clock time. When it is over the command gets `process.stop_signal`, and the status is 124."),
            KeyRow("grace", as: .duration, default: "\"5s\"", "The time between that signal and SIGKILL."),
            KeyRow(
                "extends", as: ValueForm("array of paths", .list(.nonEmpty)),
                """
                Specs that are read first, in this order; paths are relative to this file. Tables merge, arrays append,
                other values replace.
                """),
        ])
}

extension ValueForm {
    private static let label = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"

    fileprivate static let hostname = ValueForm("string", .text("^\(label)([.]\(label))*$", upTo: 64))
}
