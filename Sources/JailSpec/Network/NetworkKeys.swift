extension SectionRows {
    static let network = SectionRows(
        "network",
        """
        `user` takes pasta(1) or slirp4netns(1), nft(8) and /dev/net/tun, but no privilege. The host's own addresses (those of its interfaces,
        and what local routes make its own), its gateways, link-local addresses, groups (multicast, broadcast) and those that clouds serve their metadata at
        are out of reach, unless `allow` names them; so are the addresses of IPv6 that lead to them by a tunnel (2002::/16, Teredo,
        ISATAP) or a translator: to a single one behind any prefix that RFC 6052 has, of 32 to 96 bits, to a range such as link-local addresses
        behind 64:ff9b::/96 and 64:ff9b:1::/96. What leads there by other ways, set up elsewhere (6rd, MAP, a router that forwards a port), cannot be
        known. What becomes the host's own while the jail runs (by DHCP, for a new bridge) is
        closed some milliseconds after it has come. pasta(1) gives the jail the host's own address as its own: what is sent to
        it stays in the jail, is answered or refused there, and is not among what is told and counted as refused.

        `veth`, `macvlan` and `ipvlan` are root's, and take nft(8). `veth` is a pair of interfaces of its own with NAT: net.ipv4.ip_forward
        must be on, and where the host's own rules let nothing of it through (a chain `forward` with policy drop, a firewall of zones) the
        launch is refused with the rules to add; those of iptables-legacy(8) are seen where iptables-legacy-save(8) is installed. Nothing from it reaches the host itself, but for what
        `allow` names, and nothing from elsewhere reaches the jail. The table of rules and the interface are gone with the jail, whatever
        ends it. With `parent` it joins that bridge instead. `macvlan` and `ipvlan` are interfaces of their own on `parent`, whose
        neighbours they reach. The same rules hold in all of them.

        A published port is carried by a process outside, which connects to the jail's loopback interface: 127.0.0.1 first or, for an IPv6
        address of the host, ::1, and the other where the first refuses. What serves there sees that address as its peer. It takes
        no route, no rule and no privilege, and nothing else leads in or out by it. The command may have published ports of the
        jail below 1024 without a capability.
        """,
        keys: [
            KeyRow(
                "mode", as: .words(of: Network.Mode.self),
                """
                `none`, the default: a network of the jail's own with only loopback up. `host`: the host's, the default where
                `namespaces.net` is not new. `user`: one of the jail's own that leads out through a program of the host's. `veth`, `macvlan`, `ipvlan`: by an
                interface of its own.
                """),
            KeyRow(
                "parent", as: ValueForm("interface of the host", .text("^[^/: \\t]{1,15}$")),
                "What the interface of `macvlan` and `ipvlan` is on; for `veth` a bridge that the host's end joins."),
            KeyRow(
                "address", as: ValueForm("array of ADDRESS/BITS", .list(.text("^(\(four)|\(six))/[1-9][0-9]{0,2}$"))),
                """
                Those of the jail's interface. Absent: for `veth` without a parent two of a network of 10.128.0.0/9 that the host does
                not route; all else needs one.
                """),
            KeyRow(
                "gateway", as: ValueForm("address", .text(address)),
                """
                Where all goes that is for no network of `address`. Absent: the host's end of a `veth` without a parent, or
                nowhere.
                """),
            KeyRow(
                "publish", as: ValueForm("array of [ADDRESS:]PORT:PORT[/tcp|/udp]", .list(.text(publication))),
                """
                Ports of the host that lead inside, in every mode but `host`: the host's address (absent: 127.0.0.1; all of them:
                0.0.0.0 or [::]) and port, then the jail's. A port that is taken or not the caller's to have is told before the
                command runs.
                """),
            KeyRow(
                "allow", as: ValueForm("array of TARGET[:PORT[-PORT][/tcp|/udp]]", .list(.text(destination))),
                """
                Where the jail may connect to: TARGET is an address, a network such as 10.0.0.0/8, a name, or *.NAME for every
                name below one; an IPv6 address stands in brackets where ports follow. Without a port a name is for 443, all
                else for every port. With names in it a resolver of the jail's own answers at 127.0.0.1, for these names only:
                the addresses of an answer are open for as long as it says, for a minute at least, and a connection that is
                there stays. Addresses of the host, of its link and of private networks are never opened by a name, nor those
                of IPv6 that are translated to them: by 64:ff9b::/96, or by what the servers answer for ipv4only.arpa (RFC 7050), once; a prefix
                that they do not tell cannot be known. What is at
                the same address under another name is reached, too. A network such as 0.0.0.0/0 opens all that is in it,
                the host's gateways as well, but not its own addresses, link-local ones, groups and clouds' metadata: these take an entry
                for the one address, or for a part of link-local addresses such as 169.254.169.0/24; 169.254.0.0/16 and fe80::/10,
                which are all of them, open none. Servers of names are asked at port 53 where a network has that. Where pasta(1) leads
                out and an address of the host's is named, the jail gets another for itself. Absent: everywhere.
                """),
            KeyRow(
                "dns", as: ValueForm("array of addresses", .list(.text(address))),
                """
                The servers of the jail's resolv.conf, or, where `allow` has names, those that its resolver asks, from the
                host's network: 127.0.0.53 is the host's then, and refused as the jail's own without names. Absent: the host's, also where
                they answer at its loopback (systemd-resolved, dnsmasq).
                """),
        ])

    private static let port = "[1-9][0-9]{0,4}"
    private static let four = "[0-9]{1,3}([.][0-9]{1,3}){3}"
    /// Eight groups, or fewer with `::`; the last two may be an IPv4 address.
    private static let six = "(([0-9A-Fa-f]{1,4}:){6,7}[0-9A-Fa-f.]+|[0-9A-Fa-f:]*::[0-9A-Fa-f:.]*)"
    private static let length = "(/[0-9]{1,3})?"
    private static let address = "^(\(four)|\(six))$"
    private static let publication = "^(\\[\(six)\\]:|\(four):)?\(port):\(port)(/(tcp|udp))?$"

    private static let label = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
    private static let name = "([*][.])?(\(label)[.])*[A-Za-z_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
    private static let ports = ":\(port)(-\(port))?(/(tcp|udp))?"
    private static let destination =
        "^((\(four)\(length)|\(name))(\(ports))?|\\[\(six)\(length)\\]\(ports)|\(six)\(length))$"
}
