/// What a host's own rules do with what it forwards between a jail's interface and those that lead out, as nft(8) lists them.
///
/// It errs towards "goes through": only what no rule could accept is told. A rule that asks for more than the interfaces and the state of
/// the connection may accept some of it; one that refuses some of it is none of what closes the way.
package struct ForwardRules {
    /// A chain of the hook "forward" that lets nothing through.
    package struct Closed: Equatable, Sendable {
        package let family: String
        package let table: String
        package let chain: String

        package var isLegacy: Bool { table == LegacyRules.table }

        /// As nft(8) takes it, and as it is told.
        package var place: String { isLegacy ? "\(chain) of iptables-legacy" : "\(family) \(table) \(chain)" }
    }

    private enum Outcome { case passes, closed, returns }

    private struct Chain {
        let place: Closed
        var isForward = false
        var dropsTheRest = false
        var rules: [[Substring]] = []
    }

    private var chains: [Chain] = []

    /// Reads what `nft list ruleset` prints.
    package init(listing: String) {
        var (family, table) = ("", "")
        for line in listing.split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "\t" }
            switch words.first {
            case "table"? where words.count > 3 && line.utf8.first == UInt8(ascii: "t"):
                (family, table) = (String(words[1]), String(words[2]))
            case "chain"? where words.count > 2 && words[2] == "{":
                chains.append(Chain(place: Closed(family: family, table: table, chain: String(words[1]))))
            case "type"? where words.count > 3 && words[2] == "hook":
                guard !chains.isEmpty else { continue }
                let isOurs = ["ip", "inet"].contains(family) && words[1] == "filter"
                chains[chains.count - 1].isForward = isOurs && words[3] == "forward"
                chains[chains.count - 1].dropsTheRest = words.suffix(2).elementsEqual(["policy", "drop;"])
            case nil, "}"?, "elements"?, "flags"?: continue
            default:
                if !chains.isEmpty { chains[chains.count - 1].rules.append(Array(words.prefix { $0 != "comment" })) }
            }
        }
    }

    /// Which of them let nothing of a new connection from `interface` to one of `uplinks` through, or nothing of what comes back.
    package func closed(to interface: String, leadingTo uplinks: [String]) -> [Closed] {
        chains.filter { chain in
            guard chain.isForward else { return false }
            return [true, false].contains { isNew in
                let inside = [interface]
                let packet = Packet(
                    from: isNew ? inside : uplinks, to: isNew ? uplinks : inside, state: isNew ? "new" : "established")
                return outcome(of: chain, packet, depth: 0) == .closed
            }
        }.map(\.place)
    }

    private func outcome(of chain: Chain, _ packet: Packet, depth: Int) -> Outcome {
        rules: for rule in chain.rules {
            let sort = packet.meets(rule)
            guard sort != .no else { continue }
            switch rule.last {
            case "accept"?, "queue"?: return .passes
            case "drop"? where sort == .yes: return .closed
            case "return"? where sort == .yes: break rules
            default: break
            }
            if rule.contains("reject"), sort == .yes { return .closed }
            // What a table of verdicts leads to is not looked up.
            if rule.contains("vmap") { return .passes }
            guard let jump = rule.lastIndex(where: { $0 == "jump" || $0 == "goto" }), jump + 1 < rule.count, depth < 16,
                let next = chains.first(where: {
                    $0.place.family == chain.place.family && $0.place.table == chain.place.table
                        && $0.place.chain == rule[jump + 1]
                })
            else { continue }
            let found = outcome(of: next, packet, depth: depth + 1)
            if found == .passes { return .passes }
            guard sort == .yes else { continue }
            if found == .closed { return .closed }
            // goto does not come back here.
            if rule[jump] == "goto" { break rules }
        }
        if chain.isForward { return chain.dropsTheRest ? .closed : .passes }
        return .returns
    }
}

/// A packet of TCP over IPv4, as far as rules are compared with it.
private struct Packet {
    enum Meeting { case no, perhaps, yes }

    let from: [String]
    let to: [String]
    /// That of its connection.
    let state: Substring

    /// Whether a rule is about it. `perhaps` where it asks for more than is known here.
    func meets(_ rule: [Substring]) -> Meeting {
        var result = Meeting.yes
        var at = 0
        while at < rule.count {
            let word = rule[at]
            at += 1
            switch word {
            case "iifname", "iif", "oifname", "oif":
                let names = word.hasPrefix("i") ? from : to
                let isNot = at < rule.count && rule[at] == "!="
                if isNot { at += 1 }
                let asked = Self.value(of: rule, &at)
                if asked == ["vmap"] { return .perhaps }
                if names.contains(where: { name in asked.contains { Self.matches($0, name) } }) == isNot { return .no }
            case "ct":
                guard at < rule.count, rule[at] == "state" else { return .no }
                at += 1
                let asked = Self.value(of: rule, &at)
                if asked == ["vmap"] {
                    guard rule[at...].contains(state) else { return .no }
                    return .perhaps
                }
                if !asked.contains(state) { return .no }
            case "icmp", "icmpv6", "ip6": return .no
            case "counter": if at < rule.count, rule[at] == "packets" { at += 4 }
            case "jump", "goto": at += 1
            case "accept", "drop", "return", "queue": break
            case "reject": return result
            default: result = .perhaps
            }
        }
        return result
    }

    /// One word, several between commas, or a set between braces.
    private static func value(of rule: [Substring], _ at: inout Int) -> [Substring] {
        guard at < rule.count else { return [] }
        var words = [rule[at]]
        at += 1
        if words[0] == "{" {
            while at < rule.count, rule[at] != "}" {
                words.append(rule[at])
                at += 1
            }
            at += 1
            words.removeFirst()
        }
        return words.flatMap { $0.split { $0 == "," || $0 == "\"" } }
    }

    /// `immure*` is every name that begins so.
    private static func matches(_ pattern: Substring, _ name: String) -> Bool {
        pattern.last == "*" ? name.hasPrefix(pattern.dropLast()) : pattern == name
    }
}
