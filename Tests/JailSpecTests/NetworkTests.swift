import Glibc
import SpecFile
import Testing

@testable import JailSpec

@Suite struct NetworkTests {
    private func network(_ lines: String) throws -> Network { try spec("[network]\nmode = \"user\"\n\(lines)").network }

    @Test(arguments: [
        ("0.0.0.0", "0.0.0.0"), ("255.1.2.3", "255.1.2.3"), ("::", "::"), ("::1", "::1"), ("1::", "1::"),
        ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("0:0:1:0:0:0:1:0", "0:0:1::1:0"),
        ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"),
        ("::ffff:1.2.3.4", "::ffff:102:304"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
    ]) func `addresses`(written: String, canonical: String) throws {
        let address = try #require(IPAddress(written[...]))
        #expect("\(address)" == canonical)
        #expect(IPAddress(canonical[...]) == address)
    }

    /// The C library is asked of texts that are nearly right: the same are addresses, with the same bytes.
    @Test func `as inet_pton has it`() {
        var random = SystemRandomNumberGenerator()
        let pieces = ["::", ":", ".", "0", "1", "12", "123", "256", "ffff", "fffff", "a", "1.2.3.4", "01", "g"]
        var right = 0
        for _ in 0..<200_000 {
            let count = Int.random(in: 1...12, using: &random)
            let text = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            let wanted = known(text)
            #expect(IPAddress(text[...])?.bytes == wanted, "\(text)")
            right += wanted == nil ? 0 : 1
        }
        #expect(right > 100)
    }

    private func known(_ text: String) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 16)
        if unsafe inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes.prefix(4)) }
        return unsafe inet_pton(AF_INET6, text, &bytes) == 1 ? bytes : nil
    }

    @Test func `what is published`() throws {
        let network = try network("publish = [\"80:8080\", \"[::1]:1:2/udp\", \"127.0.0.1:5:6/tcp\"]")
        #expect(
            network.publish.map(\.value) == [
                Publication(address: nil, hostPort: 80, jailPort: 8080, transport: .tcp),
                Publication(address: IPAddress("::1"), hostPort: 1, jailPort: 2, transport: .udp),
                Publication(address: IPAddress("127.0.0.1"), hostPort: 5, jailPort: 6, transport: .tcp),
            ])
        #expect(network.publish.map { "\($0.value)" } == ["80:8080/tcp", "[::1]:1:2/udp", "127.0.0.1:5:6/tcp"])
        #expect(network.publish.map { "\($0.value.outerAddress)" } == ["127.0.0.1", "::1", "127.0.0.1"])
    }

    @Test func `where it may connect to`() throws {
        let written = [
            "10.0.0.0/8:443/tcp", "192.0.2.1", "192.0.2.1:53", "::/0", "2001:db8::1", "[2001:db8::/32]:80-90/udp",
            "deb.example.org:443", "*.example.org", "*.example.org:1-9/tcp", "host",
        ]
        let list = written.map { "\"\($0)\"" }.joined(separator: ", ")
        let allow = try #require(try network("allow = [\(list)]").allow)
        #expect(allow.value.map { "\($0.value)" } == written)
        let address = try #require(IPAddress("10.0.0.0"))
        #expect(
            allow.value[0].value
                == Destination(target: .network(address, prefix: 8), ports: 443...443, transport: .tcp))
        #expect(allow.value[8].value == Destination(target: .namesBelow("example.org"), ports: 1...9, transport: .tcp))
        #expect(try network("allow = [\"Deb.EXAMPLE.org\"]").allow?.value[0].value.target == .name("deb.example.org"))
        #expect(try network("allow = []").allow?.value.isEmpty == true && network("").allow == nil)
    }

    @Test(arguments: [
        ("*", "names no domain", "leave network.allow out"), ("*:443", "names no domain", "\"[::/0]:443\""),
        ("http://pypi.org", "is a URL", "\"pypi.org:80\""),
        ("https://pypi.org/simple/", "is a URL", "\"pypi.org:443\""),
        ("https://pypi.org:8443/x", "is a URL", "\"pypi.org:8443\""),
        ("pypi.org.", "ends its name with a dot", "\"pypi.org\""),
        ("pypi.org.:80/tcp", "ends its name with a dot", "\"pypi.org:80/tcp\""),
        ("pypi.org/tcp", "has a protocol and no port", "\"pypi.org:443/tcp\""),
        ("10.0.0.0/8:80-70", "has its ports in the wrong order", "\"10.0.0.0/8:70-80\""),
        ("pypi.org:https", "has no number for its port", "\"pypi.org:443\""),
        ("2001:db8::1:443", "is an address with every port of it, or one and its port", "\"[2001:db8::1]:443\""),
        ("localhost:80", "is the jail itself", "leave it out"), ("127.0.0.1:80", "is the jail itself", "leave it out"),
        ("[::1]:80", "is the jail itself", "leave it out"), ("localhost", "is the jail itself", "leave it out"),
        ("127.0.0.1", "is the jail itself", "leave it out"), ("::1", "is the jail itself", "leave it out"),
        ("127.0.0.0/8:53/udp", "is the jail itself", "leave it out"),
        ("::ffff:127.0.0.1", "is the jail itself", "leave it out"),
        ("0.0.0.0", "nobody has", "\"0.0.0.0/0\""), ("0.0.0.0:443", "nobody has", "\"0.0.0.0/0:443\""),
        ("::", "nobody has", "\"::/0\""), ("[::]:443/tcp", "nobody has", "\"[::/0]:443\""),
        ("::ffff:0.0.0.0", "nobody has", "\"::/0\""),
        ("::ffff:10.0.0.1", "is an address of IPv4 in the words of IPv6", "\"10.0.0.1\""),
        ("[::ffff:a00:1]:80/tcp", "is an address of IPv4 in the words of IPv6", "\"10.0.0.1:80/tcp\""),
        ("::ffff:10.0.0.0/104", "is an address of IPv4 in the words of IPv6", "\"10.0.0.0/8\""),
        ("2001:db8::/32:443", "has a port and no brackets", "\"[2001:db8::/32]:443\""),
        ("2001:db8::/32:443/udp", "has a port and no brackets", "\"[2001:db8::/32]:443/udp\""),
        ("[2001:db8::1]", "has brackets and no port", "\"[2001:db8::1]:443\""),
        ("[10.0.0.0/8]/tcp", "has brackets and no port", "\"10.0.0.0/8:443/tcp\""),
        ("*.localhost:80", "is the jail itself", "leave it out"), ("a.localhost", "is the jail itself", "leave it out"),
    ])
    func aSlipIsToldWithWhatIsMeant(_ text: String, _ reason: String, _ hint: String) throws {
        let lines = "[network]\nmode = \"user\"\nallow = [\"\(text)\"]"
        let (found, advice) = (try faults(lines), try hints(lines))
        #expect(found.count == 1 && found.first?.contains(reason) == true, "\(found)")
        #expect(advice.count == 1 && advice.first?.contains(hint) == true, "\(advice)")
    }

    @Test(arguments: [
        ("8080", "has one port", "\"8080:8080\""),
        ("8000-8010:8000-8010", "has a range of ports", "an entry for each port"),
        ("127.0.0.1:8000-8010:80", "has a range of ports", "an entry for each port"),
        ("0:80", "has a port that is none", "from 1 to 65535"),
        ("8080:0", "has a port that is none", "from 1 to 65535"),
        ("65536:80", "has a port that is none", "from 1 to 65535"),
        ("localhost:8080:80", "has a name for its address", "leave it out for 127.0.0.1"),
        ("[::ffff:127.0.0.1]:8080:80/udp", "has an address of IPv4", "\"127.0.0.1:8080:80/udp\""),
        ("224.0.0.1:8080:80", "224.0.0.1 is no address of one host alone", "0.0.0.0 or [::]"),
        ("239.255.255.250:1900:1900/udp", "is no address of one host alone", "0.0.0.0 or [::]"),
        ("255.255.255.255:8080:80/udp", "is no address of one host alone", "0.0.0.0 or [::]"),
        ("[ff02::1]:8080:80", "is no address of one host alone", "0.0.0.0 or [::]"),
        ("[fe80::1]:8080:80", "is no address of one host alone", "0.0.0.0 or [::]"),
        ("*:8080:80", "is not a publication", "127.0.0.1:8080:80"),
        ("8080:80/sctp", "is not a publication", "127.0.0.1:8080:80"),
        ("[127.0.0.1]:8080:80", "is not a publication", "127.0.0.1:8080:80"),
        ("::1:8080:80", "is not a publication", "127.0.0.1:8080:80"),
    ])
    func aSlipOfAPublicationIsToldWithWhatIsMeant(_ text: String, _ reason: String, _ hint: String) throws {
        let lines = "[network]\npublish = [\"\(text)\"]"
        let (found, advice) = (try faults(lines), try hints(lines))
        #expect(found.count == 1 && found.first?.contains(reason) == true, "\(found)")
        #expect(advice.count == 1 && advice.first?.contains(hint) == true, "\(advice)")
    }

    @Test func anAddressThatEndsLikeAPortIsWrittenWithItsPrefix() throws {
        let allow = try #require(try network("allow = [\"2001:db8::1:443/128\", \"2001:db8::10\"]").allow)
        #expect(allow.value.map { "\($0.value)" } == ["2001:db8::1:443/128", "2001:db8::10"])
    }

    @Test(arguments: [
        "10.0.0.256", "1.2.3.4.5", "10.1", "a.b.5:443", "*", "*.", "*.*.org", "a.*.org", "example.org.", "exa mple.org",
        "-a.org", "a-.org", "example.org/tcp", "example.org:0", "example.org:443/sctp", "example.org:9-8",
        "[example.org]:443", "[10.0.0.1]:443", "2001:db8::/129", "10.0.0.0/8/tcp", "é.org",
    ]) func `what is no destination`(text: String) throws {
        #expect(try faults("[network]\nmode = \"user\"\nallow = [\"\(text)\"]").count == 1, "\(text)")
    }
}
