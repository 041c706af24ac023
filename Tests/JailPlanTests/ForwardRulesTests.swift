import JailPlan
import Testing

/// What a host's rules do with a pair of immure's.
@Suite struct ForwardRulesTests {
    private func closed(_ forward: String, _ header: String = "policy drop;", others: String = "") -> Bool {
        let lines = forward.split(separator: ";").map { "\t\t\($0)" }.joined(separator: "\n")
        let listing = """
            table ip filter {
            \tset names {
            \t\ttype ipv4_addr
            \t\telements = { 10.0.0.1 }
            \t}
            \tchain OTHER {
            \t\t\(others)
            \t}
            \tchain FORWARD {
            \t\ttype filter hook forward priority filter; \(header)
            \(lines)
            \t}
            }
            """
        let found = ForwardRules(listing: listing).closed(to: "immure7", leadingTo: ["eth0"])
        #expect(found.allSatisfy { $0.place == "ip filter FORWARD" })
        return !found.isEmpty
    }

    private let back = "ct state established,related accept"

    @Test func aPolicyClosesTheWay() {
        #expect(closed(""))
        #expect(!closed("", "policy accept;"))
        #expect(!closed("accept"))
        #expect(closed(back) && closed("iifname \"immure*\" accept"))
        #expect(!closed("\(back);iifname \"immure*\" accept"))
        #expect(!closed("\(back);iifname != \"docker0\" accept"))
    }

    @Test func whatIsAboutOthersOpensNothing() {
        for rule in [
            "iifname \"docker0\" accept", "iifname { \"a\", \"b\" } accept", "oifname \"docker0\" accept",
            "iifname \"imm\" accept", "ct status dnat accept", "icmp type echo-request accept",
            "meta l4proto icmp accept",
            "counter packets 1 bytes 2 return", "ct state vmap { established : accept, related : accept }",
            "tcp dport 80 drop comment \"accept\"", "jump NOWHERE",
        ] {
            #expect(closed("\(back);\(rule)"), "\(rule)")
        }
    }

    @Test func whatMayBeAboutItIsNoReasonToRefuse() {
        for rule in [
            "tcp dport 443 accept", "ip saddr 10.0.0.0/8 counter packets 1 bytes 2 accept",
            "iifname vmap { \"a\" : jump x }",
            "meta mark 0x1 accept", "ct state { established, new } accept",
            "oifname \"eth0\" ct state new,related accept",
        ] {
            #expect(!closed("\(back);\(rule)"), "\(rule)")
        }
    }

    @Test func chainsAreFollowed() {
        #expect(!closed("\(back);jump OTHER", others: "tcp dport 80 accept"))
        #expect(closed("\(back);iifname \"docker0\" jump OTHER", others: "accept"))
        #expect(closed("jump OTHER;accept", "policy accept;", others: "reject with icmpx admin-prohibited"))
        #expect(closed("\(back);goto OTHER;accept", others: "return"))
        #expect(!closed("\(back);jump OTHER;accept", others: "return"))
        #expect(closed("\(back);jump OTHER", others: "jump OTHER"))
    }
}
