import SpecFile

/// Addresses, and what entries of lists are made of.
extension Form {
    static func address(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> IPAddress {
        let written = try nonEmpty(node, decoding)
        guard let address = IPAddress(written[...]) else {
            throw fault("\(quoted(written)) is not an IP address", node)
        }
        return address
    }

    /// `address/bits`, of an interface.
    static func interfaceAddress(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> InterfaceAddress {
        let written = try nonEmpty(node, decoding)
        guard case .network(let address, let prefix)? = networkTarget(written[...]), prefix > 0,
            written.utf8.contains(UInt8(ascii: "/")), !address.isUnspecified, !address.isLoopback
        else {
            throw fault("\(quoted(written)) is not an address of an interface", node, hint: "write \"10.9.0.2/24\"")
        }
        return InterfaceAddress(address, prefix: prefix)
    }

    /// A name that the kernel takes for an interface: netdevice(7), dev_valid_name.
    static func interface(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> String {
        let written = try nonEmpty(node, decoding)
        let isValid =
            written.utf8.count < 16 && written != "." && written != ".."
            && !written.utf8.contains { $0 <= 32 || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") }
        guard isValid else { throw fault("\(quoted(written)) is not the name of an interface", node) }
        return written
    }

    /// An address with or without the length of its prefix.
    static func networkTarget(_ text: Substring) -> Destination.Target? {
        guard let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) else {
            return IPAddress(text).map { .network($0, prefix: $0.width) }
        }
        guard let prefix = canonicalNumber(text[text.utf8.index(after: slash)...]),
            let address = IPAddress(text[..<slash]), prefix <= address.width
        else { return nil }
        return .network(address, prefix: Int(prefix))
    }

    /// The text before `/tcp` or `/udp`, and which it was; nil for another protocol.
    static func transportSplit(_ text: String) -> (rest: Substring, transport: Transport?)? {
        guard let slash = text.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (text[...], nil) }
        let word = text[text.utf8.index(after: slash)...]
        if let transport = Transport(rawValue: String(word)) { return (text[..<slash], transport) }
        // The prefix of a network.
        let isPrefix = canonicalNumber(word) != nil || word.utf8.contains(UInt8(ascii: ":")) || word.hasSuffix("]")
        return isPrefix ? (text[...], nil) : nil
    }

    static func lastColon(_ text: Substring) -> (Substring, Substring)? {
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        return (text[..<colon], text[text.utf8.index(after: colon)...])
    }

    static func port(_ text: Substring) -> UInt16? {
        guard let number = canonicalNumber(text), (1...65535).contains(number) else { return nil }
        return UInt16(number)
    }

    static func unbracketed(_ text: Substring) -> Substring? {
        guard text.hasPrefix("["), text.hasSuffix("]") else { return nil }
        return text.dropFirst().dropLast()
    }
}
