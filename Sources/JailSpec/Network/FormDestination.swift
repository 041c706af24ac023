import SpecFile

/// `target[:ports][/tcp|/udp]`: a network (an IPv6 one in brackets where ports follow), a name, or `*.` and a name.
extension Form {
    static func destination(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> Destination {
        let written = try nonEmpty(node, decoding)
        guard let result = destination(written) else {
            let (reason, hint) = reason(against: written)
            throw fault("\(quoted(written)) \(reason)", node, hint: hint)
        }
        if result.isOfLoopback {
            throw fault(
                "\(quoted(written)) is the jail itself, which it always reaches", node,
                hint: "leave it out: no entry opens the host's own loopback")
        }
        if result.isOfNobody {
            throw fault(
                "\(quoted(written)) is an address that nobody has", node,
                hint: "every address is \"0.0.0.0/0\" and \"::/0\", with a port \"0.0.0.0/0:443\" and \"[::/0]:443\"")
        }
        if let meant = result.asIPv4 {
            throw fault(
                "\(quoted(written)) is an address of IPv4 in the words of IPv6, which no packet has", node,
                hint: "write \"\(meant)\"")
        }
        if let (address, port) = addressAndPort(written) {
            throw fault(
                "\(quoted(written)) is an address with every port of it, or one and its port", node,
                hint: "write \"[\(address)]:\(port)\", or \"\(written)/128\" for every port")
        }
        return result
    }

    /// Why that is not a destination, and what would be one.
    private static func reason(against written: String) -> (String, hint: String) {
        if written == "*" || written.hasPrefix("*:") {
            return (
                "names no domain",
                hint: "leave network.allow out, which opens everything, or write \"0.0.0.0/0:443\" and \"[::/0]:443\""
            )
        }
        if let meant = meant(byURL: written) {
            return ("is a URL", hint: "leave the scheme and the path out: \"\(meant)\"")
        }
        guard let (rest, transport) = transportSplit(written) else {
            return ("is not a destination", hint: ordinaryHint)
        }
        let end = transport.map { "/\($0.rawValue)" } ?? ""
        if transport != nil, target(rest) != nil {
            return ("has a protocol and no port", hint: "a protocol goes with a port: \"\(rest):443\(end)\"")
        }
        if let inside = unbracketed(rest), let target = networkTarget(inside) {
            let meant = Destination(target: target, ports: 443...443, transport: transport)
            return ("has brackets and no port", hint: "write \"\(meant)\", or \"\(inside)\" for every port")
        }
        let (host, ports) = lastColon(rest) ?? (rest, "")
        if host.utf8.contains(UInt8(ascii: ":")), networkTarget(host) != nil, self.ports(ports) != nil {
            return ("has a port and no brackets", hint: "brackets go with a port: \"[\(host)]:\(ports)\(end)\"")
        }
        if host.hasSuffix("."), target(host.dropLast()) != nil {
            let meant = host.dropLast() + rest.dropFirst(host.count) + end
            return ("ends its name with a dot", hint: "leave out the dot that ends the name: \"\(meant)\"")
        }
        let bounds = ports.split(separator: "-", omittingEmptySubsequences: false)
        if bounds.count == 2, let first = port(bounds[0]), let last = port(bounds[1]), first > last {
            return ("has its ports in the wrong order", hint: "write \"\(host):\(last)-\(first)\(end)\"")
        }
        if host.utf8.count < rest.utf8.count, target(host) != nil {
            return ("has no number for its port", hint: "a port is a number from 1 to 65535: \"\(host):443\(end)\"")
        }
        return ("is not a destination", hint: ordinaryHint)
    }

    private static let ordinaryHint = "write \"10.0.0.0/8:443/tcp\", \"example.org:443\" or \"*.example.org:443\""

    /// The destination that a URL leads to.
    private static func meant(byURL written: String) -> Destination? {
        let parts = written.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, parts[1].hasPrefix("//"), let host = parts[1].dropFirst(2).split(separator: "/").first
        else { return nil }
        let port = parts[0] == "http" ? ":80" : parts[0] == "ssh" ? ":22" : ":443"
        return destination(host + port) ?? destination(String(host))
    }

    /// An address of IPv6 without brackets whose end reads as a port: the address before it, and that.
    static func addressAndPort(_ written: String) -> (Substring, UInt16)? {
        guard let (address, end) = lastColon(written[...]), end.utf8.count > 1, let port = port(end),
            IPAddress(address)?.isIPv6 == true
        else { return nil }
        return (address, port)
    }

    private static func destination(_ written: String) -> Destination? {
        guard let (rest, transport) = transportSplit(written) else { return nil }
        if let target = target(rest) {
            // Without a port a protocol could be either the whole of it or a slip.
            return transport == nil ? Destination(target: target, ports: nil, transport: nil) : nil
        }
        guard let (host, end) = lastColon(rest), let ports = ports(end) else { return nil }
        let inside = unbracketed(host)
        guard let target = inside.map(networkTarget) ?? target(host) else { return nil }
        if case .network(let address, _) = target, address.isIPv6 != (inside != nil) { return nil }
        return Destination(target: target, ports: ports, transport: transport)
    }

    private static func target(_ text: Substring) -> Destination.Target? { networkTarget(text) ?? nameTarget(text) }

    /// A name in lower case. The last label of one is never a number: that would be a mistyped address.
    private static func nameTarget(_ text: Substring) -> Destination.Target? {
        let isWildcard = text.hasPrefix("*.")
        let name = (isWildcard ? text.dropFirst(2) : text).lowercased()
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard name.utf8.count <= 253, labels.allSatisfy(isLabel),
            let first = labels.last?.first, first > UInt8(ascii: "9")
        else { return nil }
        return isWildcard ? .namesBelow(name) : .name(name)
    }

    /// One, or the first and the last with `-` between them.
    private static func ports(_ text: Substring) -> ClosedRange<UInt16>? {
        guard let dash = text.utf8.firstIndex(of: UInt8(ascii: "-")) else { return port(text).map { $0...$0 } }
        guard let first = port(text[..<dash]), let last = port(text[text.utf8.index(after: dash)...]), first <= last
        else { return nil }
        return first...last
    }
}
