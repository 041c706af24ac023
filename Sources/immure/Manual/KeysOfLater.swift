extension Manual {
    /// What is decoded and validated, and refused by name at launch.
    static let laterSections = [
        SectionDescription(
            name: "[seccomp]", introduction: "Which system calls the command may make, seccomp(2).",
            keys: [
                KeyDescription(
                    "profile", "\"default\" | \"strict\" | \"none\" | a file",
                    "What the lists begin with. `none` by itself is what holds today, and is accepted."),
                KeyDescription(
                    "default", "errno | \"allow\" | \"kill\" | \"log\" | \"trap\"", "For calls that no list names."),
                KeyDescription("allow, deny, log, kill", "array of calls and @groups", "What becomes of these calls."),
                KeyDescription(
                    "[[seccomp.rule]]: call, action, args", "args: array of { index, op, value }",
                    "A rule that looks at arguments."),
            ], isLater: true),
        landlock,
        SectionDescription(
            name: "[network]",
            introduction:
                "In this version modes other than none and host, and the keys publish, allow and dns, are refused "
                + "at launch.",
            keys: [
                KeyDescription(
                    "mode", "\"none\" | \"host\" | \"user\" | \"veth\" | \"macvlan\", default \"none\"",
                    "`none`: a network of the jail's own with loopback up. `host`: the host's."),
                KeyDescription(
                    "publish", "array of [ADDRESS:]PORT:PORT[/tcp|/udp]", "Ports of the host that lead inside."),
                KeyDescription("allow", "array of NETWORK:PORT[/PROTOCOL]", "Where the jail may connect to."),
                KeyDescription("dns", "array of addresses", "The servers of the jail's resolv.conf."),
            ]),
    ]
}
