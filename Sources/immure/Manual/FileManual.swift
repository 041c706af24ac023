extension Manual {
    /// immure.toml(5).
    static var file: String {
        var page = Roff(title: "immure.toml", section: 5, summary: "what a jail of immure(1) is like")
        page.section("Description")
        page.paragraph(
            """
            A spec is a TOML 1.0 file. An empty one is a jail without network, capabilities or the caller's files; each key
            opens something, or narrows it further. An unknown key or word is an error, never passed over, and all errors of
            a file are reported at once.
            """)
        values(&page)
        page.section("Keys")
        for section in sections { add(section, to: &page) }
        page.section("Example")
        page.example(
            """
            #!/usr/bin/env -S immure
            command = ["make", "-j4"]
            cwd = "/src"
            timeout = "10min"

            [filesystem]
            rw = [".:/src"]
            ro = ["/opt/sdk"]

            [environment]
            keep = ["LANG", "LC_*"]
            set = { CC = "gcc" }

            [rlimits]
            nofile = "1024:4096"
            core = 0
            """)
        page.section("See also")
        page.paragraph("immure(1), namespaces(7), capabilities(7), mount(8), getrlimit(2), systemd.exec(5)")
        return page.text
    }

    private static func values(_ page: inout Roff) {
        page.section("Values")
        page.item(
            "size", "A number of bytes, or a string with K, M, G, T (powers of 1024) or KB, MB, GB, TB (of 1000).")
        page.item("duration", "A string with ms, s, min or h.")
        page.item(
            "path",
            """
            Of the host: relative to the directory of the file that it stands in, or to the current directory with --set.
            `~` is the caller's home, ${NAME} a variable of the caller's environment (an error where it is not set), and
            $${ a literal ${. Of the jail: absolute.
            """)
    }

    private static func add(_ section: SectionDescription, to page: inout Roff) {
        page.subsection(section.name)
        if !section.introduction.isEmpty { page.paragraph(section.introduction) }
        if section.isLater {
            page.paragraph("Read and validated by this version, and refused by name at launch.")
        }
        for key in section.keys { page.item(key.key, "(\(key.form)) \(key.meaning)") }
    }
}
