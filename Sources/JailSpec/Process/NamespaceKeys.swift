extension SectionRows {
    static let namespaces = SectionRows(
        "namespaces", "See namespaces(7).",
        keys: [
            KeyRow(
                "user", "mount", "pid", "net", "ipc", "uts", "cgroup", as: .namespace, default: "\"new\"",
                "A namespace of the jail's own, the caller's, or one that exists, by its file."),
            KeyRow(
                "time", as: .namespace,
                "The same; `host` unless `[namespaces.time]` moves a clock, which makes it `new`."),
            KeyRow(
                "nested", as: .boolean, default: "false",
                "Lets the command make namespaces of its own, so that jails nest."),
        ])

    static let clocks = SectionRows(
        "namespaces.time", keys: [KeyRow("monotonic", "boottime", as: .offset, default: "\"0s\"", "Moves that clock.")])
}

extension ValueForm {
    fileprivate static let namespace = ValueForm.words(["new", "host"], orPath: "path of a namespace's file")
}
