extension SectionRows {
    static let environment = SectionRows(
        "environment",
        "The command's environment has PATH, HOME, USER, LOGNAME, SHELL and TERM, set for the jail, and:",
        keys: [
            KeyRow(
                "keep",
                as: ValueForm(
                    "array of names, or prefixes with *", .list(.text(pattern: "^[^=*]*[*]?$", length: 1...Int.max))),
                "Variables of the caller that are kept."),
            KeyRow(
                "set",
                as: ValueForm("table of strings", .dictionary(names: "^[^=]+$", of: .text(upTo: 131_071))),
                "Variables that are set."),
        ])
}
