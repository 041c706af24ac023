import SpecFile

extension Section {
    /// `[network]`, and whether it agrees with the net namespace that was asked for.
    mutating func network(_ namespaces: Namespaces) -> Network {
        var result = Network()
        guard var section = section("network") else { return result }
        result.mode = section.value("mode", Form.word(Network.Mode.self))
        result.publish = section.list("publish", Form.publication)?.value ?? []
        result.allow = section.list("allow", Form.destination)?.value ?? []
        result.dns = section.list("dns", Form.address)?.value ?? []
        section.finish()
        section.reportContradictions(result, namespaces)
        return result
    }

    private func reportContradictions(_ network: Network, _ namespaces: Namespaces) {
        let net = namespaces.written[.net]
        if let mode = network.mode, let net {
            let agrees =
                switch (mode.value, net.value) {
                case (.host, .host), (.host, .path), (.none, .new), (.user, .new), (.veth, .new), (.macvlan, .new): true
                default: false
                }
            if !agrees {
                report(
                    "network.mode: \"\(mode.value.rawValue)\" contradicts namespaces.net\(also(at: net.position))",
                    at: mode.position)
            }
        }
        let mode = network.mode?.value ?? (net.map { $0.value != .new } == true ? .host : .none)
        guard mode == .none || mode == .host, table["mode"] == nil || network.mode != nil else { return }
        for key in ["publish", "allow", "dns"] {
            guard let entry = table[key] else { continue }
            report(
                "network.\(key): means nothing where the mode is \"\(mode.rawValue)\"", at: entry.keyPosition,
                hint: "it belongs to \"user\", \"veth\" and \"macvlan\"")
        }
    }
}

extension Form {
    /// `[address:]port:port[/tcp|udp]`, an IPv6 address in brackets.
    fileprivate static func publication(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> String {
        let written = try nonEmpty(node, decoding)
        let wrong = fault("\(quoted(written)) is not a publication", node, hint: "write \"127.0.0.1:8080:80/tcp\"")
        guard let (rest, _) = protocolSplit(written), let (head, inner) = lastColon(rest), isPort(inner) else {
            throw wrong
        }
        guard let (address, outer) = lastColon(head) else {
            guard isPort(head) else { throw wrong }
            return written
        }
        guard isPort(outer), isBracketed(address) || isIPv4(address) else { throw wrong }
        return written
    }

    /// `address[/prefix][:port][/tcp|udp]`, an IPv6 address in brackets where a port follows.
    fileprivate static func destination(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> String {
        let written = try nonEmpty(node, decoding)
        let wrong = fault("\(quoted(written)) is not a destination", node, hint: "write \"10.0.0.0/8:443/tcp\"")
        guard let (rest, named) = protocolSplit(written) else { throw wrong }
        if isNetwork(rest) {
            // Without a port a protocol could be either the whole of it or a slip.
            if named { throw wrong }
            return written
        }
        guard let (network, port) = lastColon(rest), isPort(port) else { throw wrong }
        let bare = unbracketed(network)
        guard isNetwork(bare ?? network), bare != nil || !network.utf8.contains(UInt8(ascii: ":")) else { throw wrong }
        return written
    }

    fileprivate static func address(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> String {
        let written = try nonEmpty(node, decoding)
        guard isIPv4(written[...]) || isIPv6(written[...]) else {
            throw fault("\(quoted(written)) is not an IP address", node)
        }
        return written
    }

    /// The text before `/tcp` or `/udp`, and whether one was there; nil for another protocol.
    private static func protocolSplit(_ text: String) -> (rest: Substring, named: Bool)? {
        guard let slash = text.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (text[...], false) }
        let word = text[text.utf8.index(after: slash)...]
        if word == "tcp" || word == "udp" { return (text[..<slash], true) }
        // The prefix of a network.
        return canonicalNumber(word) != nil || word.utf8.contains(UInt8(ascii: ":")) || word.hasSuffix("]")
            ? (text[...], false) : nil
    }

    private static func lastColon(_ text: Substring) -> (Substring, Substring)? {
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        return (text[..<colon], text[text.utf8.index(after: colon)...])
    }

    private static func isPort(_ text: Substring) -> Bool {
        canonicalNumber(text).map { (1...65535).contains($0) } ?? false
    }

    private static func unbracketed(_ text: Substring) -> Substring? {
        guard text.hasPrefix("["), text.hasSuffix("]") else { return nil }
        return text.dropFirst().dropLast()
    }

    private static func isBracketed(_ text: Substring) -> Bool { unbracketed(text).map(isIPv6) ?? false }
}
