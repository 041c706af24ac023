extension SectionRows {
    static let environment = SectionRows(
        "environment",
        "The command's environment has PATH, HOME, USER, LOGNAME, SHELL, TERM and LANG=C.UTF-8, set for the jail, and:",
        keys: [
            KeyRow("defaults", as: .boolean, default: "true", "false: not those, it starts empty."),
            KeyRow("keep", as: .variables, "Variables of the caller that are kept."),
            KeyRow("unset", as: .variables, "Variables that are not kept, although `keep` lets them through."),
            KeyRow(
                "path", as: ValueForm("array of paths", .list(ValueForm.jailPath.shape)),
                "Directories that go before those of PATH, whoever sets it."),
            KeyRow(
                "set",
                as: ValueForm("table of strings", .dictionary(names: "^[^=]+$", of: .text(upTo: 131_071))),
                "Variables that are set. A `~` or `~/` at the start of a value and ${NAME} anywhere expand as in paths."
            ),
        ])
}

extension ValueForm {
    fileprivate static let variables = ValueForm(
        "array of names, or prefixes with *", .list(.text(pattern: "^[^=*]*[*]?$", length: 1...Int.max)))
}
