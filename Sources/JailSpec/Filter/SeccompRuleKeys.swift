extension SectionRows {
    static let seccompRules = SectionRows(
        "seccomp.rule", repeated: true,
        """
        What becomes of a call whose arguments match all of `args`. What the kernel reads as 32 bits is compared as 32 bits. A
        rule that allows (or logs, which allows) opens a refused call for these arguments, and narrows an allowed one to them:
        nothing else that the profile or a list allows of the call is left, and the rest is refused as `default` says, or as the
        profile refuses it. Several such rules for a call add up, those of a spec that this one `extends` too. What a rule allows
        it allows even where the profile refuses some of it, as TIOCSTI with any ioctl on descriptor 1: compare that argument as
        well. Any other rule takes these arguments away, and nothing else.
        """,
        keys: [
            KeyRow(
                "call", as: ValueForm("name of a call", .text("^[a-z0-9_-]{1,64}$")), required: true, "The system call."
            ),
            KeyRow("action", as: .action, required: true, "What becomes of it."),
            KeyRow(
                "args", as: ValueForm("array of { index, op, value }", .list(.table(comparison))), default: "[]",
                """
                index 0 to 5; op == != < <= > >= (unsigned), or & (at least one of the bits is set); value a number, a name such
                as AF_UNIX, CLONE_NEWUSER, TIOCSTI, PR_SET_NAME, or several joined by |.
                """),
        ])

    private static let comparison = [
        KeyRow("index", as: .integer(0...5), required: true, "The argument, from 0."),
        KeyRow("op", as: .words(of: SeccompPolicy.Argument.Operator.self), required: true, "How it is compared."),
        KeyRow(
            "value",
            as: ValueForm("number or name", .either([.integer(0...Int64.max), .text("^[A-Z0-9_|a-fx]{1,256}$")])),
            required: true, "What with."),
    ]
}
