extension Manual {
    /// What is decoded and validated, and refused by name at launch.
    static let laterSections = [
        seccomp,
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
