/// IP addresses as inet_pton(3) takes them, without calling it: this module asks nothing of the system.
func isIPv4(_ text: Substring) -> Bool {
    let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    return parts.count == 4 && parts.allSatisfy { canonicalNumber(Substring($0)).map { $0 <= 255 } ?? false }
}

func isIPv6(_ text: Substring) -> Bool {
    var text = text
    var groups = 8
    // An IPv4 address may stand for the last two groups.
    if let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")), text.utf8.contains(UInt8(ascii: ".")) {
        guard isIPv4(text[text.utf8.index(after: colon)...]) else { return false }
        text = text[...colon] + "0"
        groups = 7
    }
    let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map { Array($0) }
    let empty = parts.indices.filter { parts[$0].isEmpty }
    let plain = parts.allSatisfy { $0.count <= 4 && $0.allSatisfy(isHexadecimal) }
    guard plain, parts.count >= 3 else { return false }
    switch empty {
    case []: return parts.count == groups
    case [0, 1], [parts.count - 2, parts.count - 1]: return parts.count >= 3 && parts.count <= groups + 1
    case [0, 1, 2]: return parts.count == 3
    default: return empty.count == 1 && empty[0] > 0 && empty[0] < parts.count - 1 && parts.count <= groups
    }
}

/// An address with or without the length of its prefix.
func isNetwork(_ text: Substring) -> Bool {
    guard let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) else { return isIPv4(text) || isIPv6(text) }
    guard let prefix = canonicalNumber(text[text.utf8.index(after: slash)...]) else { return false }
    let address = text[..<slash]
    return isIPv4(address) ? prefix <= 32 : isIPv6(address) && prefix <= 128
}

private func isHexadecimal(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
        UInt8(ascii: "A")...UInt8(ascii: "F"):
        true
    default: false
    }
}
