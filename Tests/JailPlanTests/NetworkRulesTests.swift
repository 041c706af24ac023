import JailPlan
import JailSpec
import SpecFile
import TestSupport
import Testing

/// What nft(8) is given, and what is asked for to see that it holds.
@Suite struct NetworkRulesTests {
    private func plan(_ lines: String, _ change: (inout Host) -> Void = { _ in }) throws -> Plan {
        let host = Host.user.with { host in
            host.network = .wired
            change(&host)
        }
        return try Planner.plan(try spec("[network]\nmode = \"user\"\n" + lines), on: host).get()
    }

    private func rules(_ lines: String) throws -> NetworkRules { try #require(plan(lines).provision).rules }

    @Test func withoutAListTheHostIsClosed() throws {
        let text = try rules("").text
        #expect(text.contains("10.50.0.2/32") && text.contains("10.50.0.1/32") && text.contains("169.254.0.0/16"))
        #expect(text.contains("2001:db8:1::2/128") && text.contains("fe80::/10"))
        #expect(text.contains("policy accept") && text.contains("ip daddr @closed4 goto refuse"))
        #expect(text.contains("set refused4") && text.contains("update @refused6"))
    }

    @Test func aListClosesAllElse() throws {
        let text = try rules("allow = [\"10.55.0.10:80/tcp\", \"10.1.2.3/8\", \"[2001:db8::1]:443\"]").text
        #expect(
            text.contains("policy drop") && text.contains("set whole4 { type ipv4_addr; flags interval; auto-merge; }"))
        #expect(
            text.contains("set wide_whole4 { type ipv4_addr; flags interval; auto-merge; elements = { 10.0.0.0/8 } }"))
        #expect(text.contains("elements = { 10.55.0.10/32 . tcp . 80 }"))
        #expect(text.contains("elements = { 2001:db8::1/128 . tcp . 443, 2001:db8::1/128 . udp . 443 }"))
    }

    @Test func whatOverlapsIsARuleOfItsOwn() throws {
        let text = try rules("allow = [\"10.0.0.0/8:1-100/tcp\", \"10.9.0.0/16:80\", \"10.0.0.0/8:1-100/tcp\"]").text
        #expect(text.contains("elements = { 10.0.0.0/8 . tcp . 1-100, 10.9.0.0/16 . udp . 80 }"))
        #expect(text.contains("    ip daddr 10.9.0.0/16 tcp dport 80 accept"))
        func plain(_ entries: String...) throws -> String {
            try rules("allow = [\(entries.map { "\"\($0)\"" }.joined(separator: ", "))]").text
        }
        let wide = try plain("10.9.8.7:80/tcp", "10.9.8.7:81/tcp", "10.0.0.0/8:1-100/tcp", "10.9.0.0/16:70-90/tcp")
        #expect(wide.contains("elements = { 10.9.8.7/32 . tcp . 80, 10.9.8.7/32 . tcp . 81 }"))
        #expect(wide.contains("elements = { 10.0.0.0/8 . tcp . 1-100 }"))
        #expect(wide.contains("    ip daddr 10.9.0.0/16 tcp dport 70-90 accept"))
        let apart = try plain("10.0.0.0/8:80/tcp", "10.1.0.0/16:81/tcp", "10.1.0.0/16:80/udp", "11.0.0.0/8:80/tcp")
        #expect(!apart.contains("dport 8"))
    }

    /// Each is compared with those that it may overlap, not with all.
    @Test(.timeLimit(.minutes(1))) func aLongListIsPlanned() throws {
        let list = (0..<20_000).map { "\"20.\($0 / 250).\($0 % 250).7:443\"" }.joined(separator: ", ")
        let text = try rules("allow = [\(list)]").text
        #expect(text.contains("20.79.249.7/32 . udp . 443") && !text.contains("dport 443"))
    }

    @Test func whatIsAskedForIsNeverAllowed() throws {
        #expect(try rules("").refused(isIPv6: false)?.address.description == "169.254.169.254")
        let some = try rules("allow = [\"169.254.128.0/17\", \"192.0.2.0/24:1-10\"]")
        #expect(some.refused(isIPv6: false)?.address.description == "198.51.100.1")
        #expect(try rules("allow = [\"0.0.0.0/0\"]").refused(isIPv6: false)?.address.description == "169.254.169.254")
        let all = try rules("allow = [\"0.0.0.0/0\", \"169.254.169.254\"]")
        #expect(all.refused(isIPv6: false) == nil)
    }

    /// The places of `names` in the text: each after the one before.
    private func inOrder(_ text: String, _ parts: String...) -> Bool {
        var rest = text[...]
        for part in parts {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }

    @Test func aRangeDoesNotOpenWhatIsOnlyWithinIt() throws {
        let rules = try rules("allow = [\"0.0.0.0/0:80\", \"::/0\", \"10.50.0.2:22\", \"169.254.0.0/24\"]")
        #expect(
            inOrder(
                rules.text, "policy drop", "ip daddr @whole4 accept", "ip daddr @closed4 goto refuse",
                "ip6 daddr @closed6 goto refuse", "@wide_ports4 accept", "goto refuse"))
        #expect(
            rules.text.contains(
                "set whole4 { type ipv4_addr; flags interval; auto-merge; elements = { 169.254.0.0/24 } }"))
        #expect(rules.text.contains("elements = { 10.50.0.2/32 . tcp . 22, 10.50.0.2/32 . udp . 22 }"))
        #expect(
            rules.text.contains("set wide_whole6 { type ipv6_addr; flags interval; auto-merge; elements = { ::/0 } }"))
        for address in [
            "10.50.0.2", "169.254.169.254", "100.100.100.200", "224.0.0.1", "fd00:ec2::254", "64:ff9b::a32:2",
        ] {
            #expect(rules.holdsBack(try #require(IPAddress(address[...]))), "\(address)")
        }
        // The host's gateway is another machine.
        for address in ["10.50.0.1", "192.0.2.1", "2001:db8::1"] {
            #expect(!rules.holdsBack(try #require(IPAddress(address[...]))), "\(address)")
        }
    }

    /// Metadata is served there, by IPv6 at fe80::a9fe:a9fe.
    @Test(arguments: [
        ("169.254.0.0/16", "169.254.128.0/17", "169.254.169.254"), ("fe80::/10", "fe80::/64", "fe80::a9fe:a9fe"),
        ("64:ff9b::a9fe:0/112", "64:ff9b::a9fe:a900/120", "64:ff9b::a9fe:a9fe"),
        ("2002:a9fe::/32", "2002:a9fe:a9fe::/48", "2002:a9fe:a9fe::1"),
    ]) func allOfALinkDoesNotOpenItAndAPartDoes(all: String, part: String, address: String) throws {
        let address = try #require(IPAddress(address[...]))
        let closed = try rules("allow = [\"\(all)\"]")
        #expect(closed.closesRest && closed.closed.contains(address) && closed.holdsBack(address))
        #expect(try !rules("allow = [\"\(part)\"]").closesRest)
        let names = try #require(try plan("allow = [\"good.test\", \"\(all)\"]").provision?.names)
        #expect(names.disposition(of: address) == .left)
    }

    @Test func whereAllIsNamedNothingElseIsClosed() throws {
        let rules = try rules("allow = [\"10.50.0.2\", \"169.254.169.254:80\", \"fe80::/64\"]")
        #expect(!rules.closesRest && !rules.text.contains("closed4") && !rules.text.contains("wide"))
        #expect(try self.rules("allow = [\"good.test\"]").text.contains("ip daddr @closed4 goto refuse"))
    }

    @Test func aServerOfNamesIsAskedAtItsPortWhereARangeHasIt() throws {
        func text(_ allow: String) throws -> String {
            try plan("allow = [\(allow)]") { $0.network.resolvers = [IPAddress(bytes: [168, 63, 129, 16])] }
                .provision?.rules.text ?? ""
        }
        let line = "ip daddr 168.63.129.16 udp dport 53 accept"
        #expect(try text("\"0.0.0.0/0\"").contains(line) && text("\"168.0.0.0/8:53/udp\"").contains(line))
        #expect(try !text("\"0.0.0.0/0:443\"").contains(line) && !text("\"0.0.0.0/0:53/tcp\"").contains(line))
        #expect(try !text("\"10.0.0.0/8\"").contains(line))
    }

    /// Behind a translator, in a tunnel, as a client of Teredo's (the bits the other way round).
    @Test(arguments: [
        "64:ff9b::a9fe:a9fe", "64:ff9b::a9fe:1", "64:ff9b:1::a9fe:a9fe", "2001:db8:7:8::a9fe:a9fe", "2002:a9fe:a9fe::1",
        "::ffff:169.254.169.254", "::169.254.169.254", "2001:0:a9fe:a9fe::1", "2001:0:1:1::5601:5601",
        "2001:db8:5::200:5efe:a32:2", "64:ff9b::a32:2", "64:ff9b::7f00:1", "2002:a32:2::", "64:ff9b::6464:64c8",
        "64:ff9b::a83f:8110",
        // Behind each length of prefix that RFC 6052 has.
        "2001:db8:7:8:a9:fea9:fe00::", "2001:db8:7:a9:fe:a9fe::", "2001:db8:7:a9fe:a9:fe00::", "2001:db8:a9:fea9:fe::",
        "2001:db8:a9fe:a9fe::", "2a00:1:a32:2::77", "2a00:1:2:a:32:2::9",
    ])
    func whatLeadsToIPv4IsClosedLikeIt(address: String) throws {
        let address = try #require(IPAddress(address[...]))
        #expect(try rules("").closed.contains(address))
        #expect(try rules("allow = [\"::/0\"]").holdsBack(address))
        // One that no packet has cannot be named.
        if address.mapped != nil { return }
        let named = try rules("allow = [\"::/0\", \"\(address)/128\"]").text
        #expect(
            named.contains("set whole6 { type ipv6_addr; flags interval; auto-merge; elements = { \(address)/128 } }"))
    }

    @Test func otherIPv6StaysOpen() throws {
        for address in [
            "64:ff9b::808:808", "2002:808:808::1", "2001:4860::8888", "2001:db8:2::10",
            // Nobody's bits are those of all hosts the other way round; another address stands before the gap.
            "2001:db8:2::", "2001:db8:808:808::", "2001:db8:a9fe:a9fe:100::", "2001:db8:a9fe:a9fe:a9fe:a900::",
        ] {
            #expect(try !rules("").closed.contains(try #require(IPAddress(address[...]))), "\(address)")
        }
    }

    @Test func aPairsHostIsReachedWhereItIsNamed() throws {
        func outer(_ allow: String) throws -> String {
            let host = Host.root.with {
                $0.network = .wired
                $0.network.forwards = true
            }
            let spec = try spec("[network]\nmode = \"veth\"\n" + allow)
            return try #require(Planner.plan(spec, on: host).get().provision?.link?.outerRules)
        }
        #expect(
            try outer("allow = [\"0.0.0.0/0\"]").contains("dport 53 accept; meta l4proto tcp reject with tcp reset"))
        #expect(try outer("allow = [\"10.50.0.2:22\"]").contains("ip daddr { 10.50.0.2/32 } accept; meta l4proto tcp"))
    }

    @Test func aStubOnTheHostsLoopbackIsForwarded() throws {
        let plan = try plan("") { $0.network.resolvers = [IPAddress(bytes: [127, 0, 0, 53])] }
        #expect(plan.provision?.forwardedResolver?.description == "169.254.1.53")
        let words = try #require(plan.provision).arguments(of: .pasta, network: 7, users: 8, ready: 9)
        #expect(words.suffix(2) == ["--dns-forward", "169.254.1.53"])
        let direct = try self.plan("")
        #expect(direct.provision?.forwardedResolver == nil)
        let six = try self.plan("") {
            $0.network.resolvers = [IPAddress(bytes: [UInt8](repeating: 0, count: 15) + [1])]
        }
        #expect(six.provision?.forwardedResolver?.description == "100::53")
        #expect(six.provision?.rules.text.contains("ip6 daddr 100::53 udp dport 53 accept") == true)
    }

    @Test func aStubThatTheStackDoesNotReachIsWarnedOf() throws {
        let plan = try plan("") {
            $0.network.resolvers = [IPAddress(bytes: [127, 0, 0, 53])]
            $0.network.hasRoute = NetworkProvision.Families(four: false, six: true)
        }
        let words = "answers at 127.0.0.53, which pasta(1) does not reach"
        #expect(plan.notes.contains { $0.isWarning && $0.message.contains(words) })
        #expect(plan.provision?.forwardedResolver == nil && plan.provision?.rules.resolvers == [])
    }

    @Test func socketsThatNoRulesSeeAreWarnedOf() throws {
        func warns(_ lines: String) throws -> Bool {
            try plan(lines).notes.contains { $0.isWarning && $0.message.contains("AF_VSOCK") }
        }
        let list = "allow = [\"10.0.0.1\"]\n"
        let none = "[seccomp]\nprofile = \"none\"\n"
        #expect(try warns(list + none) && !warns(list) && !warns(none))
        #expect(try !warns(list + none + "deny = [\"socket\"]\n"))
    }

    private func faults(_ lines: String, _ change: (inout HostNetwork) -> Void = { _ in }) throws -> String {
        let host = Host.user.with { host in
            host.network = .wired
            change(&host.network)
        }
        guard case .failure(let faults) = Planner.plan(try spec("[network]\nmode = \"user\"\n" + lines), on: host)
        else {
            return ""
        }
        return faults.diagnostics.map(\.message).joined(separator: "\n")
    }

    @Test func whatTheHostLacksIsSaid() throws {
        #expect(try faults("") == "")
        #expect(try faults("") { $0.stack = nil }.contains("pasta(1) or slirp4netns(1)"))
        #expect(try faults("") { $0.hasRules = false }.contains("nft(8)"))
        let refusal = HostNetwork.TunnelRefusal(words: "EMFILE too many open files", remedy: nil)
        #expect(
            try faults("") { $0.tunnelRefusal = refusal }.contains("/dev/net/tun, which this user cannot open: EMFILE"))
        let nowhere = NetworkProvision.Families(four: false, six: false)
        #expect(try faults("") { $0.hasRoute = nowhere }.contains("no default route"))
    }

    @Test func whatReachesPastTheRulesIsRefused() throws {
        for server in ["127.0.0.1", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1"] {
            #expect(try faults("dns = [\"\(server)\"]").contains("loopback"), "\(server)")
            #expect(try faults("allow = [\"good.test\"]\ndns = [\"\(server)\"]") == "", "\(server)")
        }
        #expect(try faults("[capabilities]\nkeep = [\"net_raw\"]").contains("net_raw"))
        #expect(try faults("[capabilities]\nkeep = [\"net_admin\"]").contains("net_admin"))
        for (mode, isKept) in [("user", false), ("veth", false), ("none", true)] {
            let kept = try spec("process.boot = true\nnetwork.mode = \"\(mode)\"").capabilities.keep?.value
            #expect(kept?.contains(.net_admin) == isKept && kept?.contains(.net_raw) == isKept)
            #expect(kept?.contains(.sys_admin) == true)
        }
    }
}

/// Names on the list: what is answered for, and what an answer may open.
@Suite struct NameServiceTests {
    private func provision(_ allow: String) throws -> NetworkProvision {
        let host = Host.user.with { $0.network = .wired }
        let text = "[network]\nmode = \"user\"\nallow = [\(allow)]\n"
        return try #require(try Planner.plan(try spec(text), on: host).get().provision)
    }

    private func service(_ allow: String) throws -> NameService { try #require(provision(allow).names) }

    private func wire(_ labels: String...) -> [UInt8] { labels.flatMap { [UInt8($0.utf8.count)] + $0.utf8 } + [0] }

    @Test func withoutNamesThereIsNoResolver() throws {
        #expect(try provision("\"10.0.0.0/8:443\"").names == nil)
        #expect(try provision("").names == nil)
    }

    @Test func eachSortOfPortsHasASet() throws {
        let rules = try provision("\"a.org\", \"*.a.org:443\", \"b.org:80-90/tcp\", \"10.0.0.0/8\"").rules.text
        #expect(rules.contains("set names4_0 { type ipv4_addr; flags timeout; size 65535; }"))
        #expect(rules.contains("set names6_1 { type ipv6_addr; flags timeout; size 65535; }"))
        #expect(rules.contains("    ip daddr @names4_0 meta l4proto { tcp, udp } th dport 443 accept\n"))
        #expect(rules.contains("    ip6 daddr @names6_1 meta l4proto tcp th dport 80-90 accept\n"))
        #expect(!rules.contains("names4_2"))
    }

    @Test func aNameIsOnTheListByItsLabels() throws {
        let service = try service("\"good.test\", \"*.wild.test:80\"")
        #expect(service.groups(of: wire("good", "test")) == [0])
        #expect(service.groups(of: wire("a", "b", "wild", "test")) == [1])
        for other in [
            wire("wild", "test"), wire("x", "good", "test"), wire("test"), wire(), wire("good.test"),
            wire("xwild", "test"),
            wire("a.wild", "test"), wire("a", "wild.test"), wire("good", "test", "org"), wire("good\0", "test"),
        ] {
            #expect(service.groups(of: other) == [], "\(other)")
        }
    }

    @Test func whatNamesNeverOpen() throws {
        let service = try service("\"good.test\", \"10.1.0.0/16:443\", \"198.51.100.0/24\"")
        let left = [
            "127.0.0.1", "0.0.0.0", "10.50.0.2", "10.50.0.1", "192.168.1.1", "172.31.255.255", "169.254.169.254",
            "100.64.0.1",
            "224.0.0.1", "255.255.255.255", "::1", "::", "::ffff:8.8.8.8", "fe80::1", "fd00:ec2::254", "fc00::1",
            "ff02::1",
            "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2001:0:1::1", "2001:db8:1::2",
        ]
        for text in left {
            #expect(service.disposition(of: try #require(IPAddress(text[...]))) == .left, "\(text)")
        }
        for text in [
            "8.8.8.8", "203.0.113.1", "172.32.0.1", "100.128.0.1", "2a00::1", "2001:db8:3::1", "64:ff9b::808:808",
        ] {
            #expect(service.disposition(of: try #require(IPAddress(text[...]))) == .opened, "\(text)")
        }
        #expect(service.disposition(of: IPAddress(bytes: [10, 1, 2, 3])) == .given)
        #expect(service.disposition(of: IPAddress(bytes: [198, 51, 100, 1])) == .opened)
    }

    @Test func aNameLeadsToWhatIsClosedWhereTheListNamesThat() throws {
        let all = try service("\"good.test\", \"0.0.0.0/0:80\", \"::/0\", \"100.100.100.200:80\"")
        for text in ["169.254.169.254", "10.50.0.2", "2001:db8:7::a9fe:a9fe"] {
            #expect(all.disposition(of: try #require(IPAddress(text[...]))) == .left, "\(text)")
        }
        for text in ["100.100.100.200", "10.1.2.3", "fd12::1"] {
            #expect(all.disposition(of: try #require(IPAddress(text[...]))) == .given, "\(text)")
        }
    }

    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text[...])) }

    @Test func aNameOpensNoPrivateNetworkBehindATranslator() throws {
        let service = try service("\"good.test\"")
        let prefixes = Translation.prefixes(knownBy: [
            try address("2a00:7:8:9:c0:0:aa00::"), try address("2a00:7:9::192.0.0.171"), try address("2a00:6::1"),
        ])
        #expect(Set(prefixes.map { "\($0)" }) == ["2a00:7:8:9::/64", "2a00:7:9::/96"])
        for text in ["2a00:7:8:9:a:0:100::", "2a00:7:8:9:7f:0:100:5", "2a00:7:9::10.0.0.1", "2a00:7:9::192.168.1.1"] {
            #expect(try service.disposition(of: address(text), behind: prefixes) == .left, "\(text)")
            #expect(try service.disposition(of: address(text)) == .opened, "\(text)")
        }
        for text in ["2a00:7:8:9:8:808:800::", "2a00:7:9::8.8.8.8", "2a00:7:8:a:a:0:100::"] {
            #expect(try service.disposition(of: address(text), behind: prefixes) == .opened, "\(text)")
        }
    }

    @Test func aPrefixThatAServerNamesOpensNothing() throws {
        let prefixes = Translation.prefixes(knownBy: [try address("fd00::192.0.0.170")])
        #expect(prefixes.map { "\($0)" } == ["fd00::/96"])
        #expect(try service("\"good.test\"").disposition(of: address("fd00::8.8.8.8"), behind: prefixes) == .left)
    }

    @Test func theJailAsksTheResolverAndThatAsksTheServers() throws {
        let host = Host.user.with {
            $0.network = .wired
            $0.network.resolvers = [IPAddress(bytes: [127, 0, 0, 53])]
        }
        let spec = try spec("[network]\nmode = \"user\"\nallow = [\"good.test\"]")
        let plan = try Planner.plan(spec, on: host).get()
        #expect(plan.provision?.names?.servers.map(\.description) == ["127.0.0.53"])
        #expect(plan.provision?.forwardedResolver == nil)
    }

    @Test func aServerOnLoopbackIsAskedByTheResolverAlone() throws {
        let host = Host.user.with { $0.network = .wired }
        let lines = "[network]\nmode = \"user\"\nallow = [\"good.test\", \"0.0.0.0/0\"]\n"
        let spec = try spec(lines + "dns = [\"127.0.0.77\", \"::ffff:10.55.0.53\", \"0.0.0.0\"]\n")
        let provision = try #require(try Planner.plan(spec, on: host).get().provision)
        #expect(provision.names?.servers.map(\.description) == ["127.0.0.77", "10.55.0.53", "0.0.0.0"])
        #expect(provision.rules.resolvers.map(\.description) == ["10.55.0.53"])
    }
}
