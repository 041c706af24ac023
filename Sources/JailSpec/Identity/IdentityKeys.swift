extension SectionRows {
    static let identity = SectionRows(
        "identity", "Who the command is, inside.",
        keys: [
            KeyRow(
                "user", as: .account,
                """
                Absent: the caller's own uid, or nobody (65534) where the caller is uid 0. Names are those of the jail's own
                /etc/passwd; as root, where that is not the host's, a name is refused unless a map leads it to another id
                of the host, for whoever writes the tree would choose one.
                """),
            KeyRow("group", as: .account, "Absent: the group of `user`, or the caller's, or nogroup."),
            KeyRow(
                "groups",
                as: ValueForm(
                    "array of names and numbers", .list(ValueForm.account.shape, 0...65_536, distinct: true)),
                default: "[]",
                """
                Supplementary groups. An ordinary user cannot drop those held: refused where this is written, else reported.
                """),
            KeyRow("umask", as: .plainMode, default: "\"022\"", "Whatever the caller's is."),
            KeyRow(
                "uid_map", "gid_map", as: .idMap,
                """
                The id maps of user_namespaces(7). `auto`: the caller's ranges in /etc/subuid and /etc/subgid, from 0
                upwards, but for the caller's own id, which (unless it is root's) is itself. Absent: only the command's own id.
                """),
        ])

    fileprivate static let rangeRows = [
        KeyRow("inside", as: .integer(0...Int64(Form.lastID)), required: true, "The first id, inside the jail."),
        KeyRow("outside", as: .integer(0...Int64(Form.lastID)), required: true, "The id that it is outside."),
        KeyRow("count", as: .integer(1...Int64(UInt32.max)), required: true, "How many ids."),
    ]
}

extension ValueForm {
    fileprivate static let account = ValueForm(
        "name or number",
        .either([
            .integer(0...Int64(Form.lastID)),
            .text("^(0|[1-9][0-9]{0,9}|[A-Za-z_][A-Za-z0-9_.-]*[$]?)$", upTo: 256),
        ]))

    fileprivate static let idMap = ValueForm(
        "\"auto\" | array of { inside, outside, count }",
        .either([.word(["auto"]), .list(.table(SectionRows.rangeRows), 1...340)]))
}
