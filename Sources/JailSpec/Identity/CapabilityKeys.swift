extension SectionRows {
    static let capabilities = SectionRows(
        "capabilities", "Names of capabilities(7) in lower case, without cap_. All sets are empty by default.",
        keys: [
            KeyRow(
                "keep", as: .capabilities,
                "Bounding, permitted and effective, and ambient where the command is not uid 0."),
            KeyRow(
                "bounding", "permitted", "effective", "inheritable", "ambient", as: .capabilities,
                "Each set by itself."),
        ])
}

extension ValueForm {
    fileprivate static let capabilities = ValueForm(
        "array of names", .list(.word(Capability.allCases.map(\.name)), distinct: true))
}
