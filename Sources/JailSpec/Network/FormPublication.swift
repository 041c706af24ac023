import SpecFile

/// `[address:]port:port[/tcp|udp]`, an IPv6 address in brackets.
extension Form {
    static func publication(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> Publication {
        let written = try nonEmpty(node, decoding)
        guard let result = publication(written) else {
            let (reason, hint) = reason(notPublishing: written)
            throw fault("\(quoted(written)) \(reason)", node, hint: hint)
        }
        guard let address = result.address else { return result }
        if let four = address.mapped {
            throw fault(
                "\(quoted(written)) has an address of IPv4 as IPv6 writes it", node,
                hint:
                    "write it as IPv4 does: \"\(four):\(result.hostPort):\(result.jailPort)/\(result.transport.rawValue)\""
            )
        }
        if !address.canBePublished {
            throw fault(
                "\(quoted(written)): \(address) is no address of one host alone, and nobody connects to it", node,
                hint: "write an address that this host alone has, or 0.0.0.0 or [::] for all of them")
        }
        return result
    }

    private static func publication(_ written: String) -> Publication? {
        guard let (rest, transport) = transportSplit(written), let (head, inner) = lastColon(rest),
            let jailPort = port(inner)
        else { return nil }
        func made(_ address: IPAddress?, _ outer: Substring) -> Publication? {
            port(outer).map {
                Publication(address: address, hostPort: $0, jailPort: jailPort, transport: transport ?? .tcp)
            }
        }
        guard let (host, outer) = lastColon(head) else { return made(nil, head) }
        let inside = unbracketed(host)
        guard let address = IPAddress(inside ?? host), address.isIPv6 == (inside != nil) else { return nil }
        return made(address, outer)
    }

    /// Why that is not a publication, and what would be one.
    private static func reason(notPublishing written: String) -> (String, hint: String) {
        let other = ("is not a publication", hint: "write \"127.0.0.1:8080:80/tcp\"")
        guard let (rest, _) = transportSplit(written) else { return other }
        if port(rest) != nil {
            return ("has one port", hint: "write the host's port and the jail's: \"\(rest):\(rest)\"")
        }
        guard let (head, inner) = lastColon(rest) else { return other }
        let outer = lastColon(head)?.1 ?? head
        if [outer, inner].contains(where: isRange) {
            return ("has a range of ports", hint: "write an entry for each port")
        }
        if [outer, inner].contains(where: { canonicalNumber($0) != nil && port($0) == nil }) {
            return (
                "has a port that is none", hint: "a port is a number from 1 to 65535, and which is free is not asked"
            )
        }
        if let (host, _) = lastColon(head), port(outer) != nil, port(inner) != nil, host.utf8.contains(where: isLetter),
            !host.utf8.contains(UInt8(ascii: ":"))
        {
            return ("has a name for its address", hint: "write an address, or leave it out for 127.0.0.1")
        }
        return other
    }

    private static func isRange(_ text: Substring) -> Bool {
        let bounds = text.split(separator: "-", omittingEmptySubsequences: false)
        return bounds.count == 2 && bounds.allSatisfy { port($0) != nil }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}

extension IPAddress {
    /// Not those of groups, nor that of all hosts, all of which the kernel lets a socket have; nor those that each link has for itself,
    /// which mean something with an interface only.
    fileprivate var canBePublished: Bool {
        guard isIPv6 else { return bytes[0] & 0xf0 != 0xe0 && bytes != [255, 255, 255, 255] }
        return bytes[0] != 0xff && !(bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80)
    }
}
