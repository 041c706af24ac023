extension SectionRows {
    static let rlimits = SectionRows(
        "rlimits", "Limits of getrlimit(2). What is not named is inherited. One value is both limits.",
        keys: [
            KeyRow(
                "as", "core", "data", "fsize", "memlock", "msgqueue", "rss", "stack",
                as: .limit("size, \"unlimited\", or \"SOFT:HARD\" of these", "(0|[1-9][0-9]{0,18})[KMGT]B?|"),
                "In bytes."),
            KeyRow(
                "cpu", "locks", "nice", "nofile", "nproc", "rtprio", "rttime", "sigpending",
                as: .limit("number, \"unlimited\", or \"SOFT:HARD\" of these"), "See getrlimit(2) for their units."),
        ])
}

extension ValueForm {
    fileprivate static func limit(_ words: String, _ size: String = "") -> ValueForm {
        let one = "(unlimited|\(size)0|[1-9][0-9]{0,19})"
        return ValueForm(words, .either([.integer(0...Int64.max), .text("^\(one)(:\(one))?$")]))
    }
}
