import JailSpec
import SpecFile

/// What systemd's programs of BPF look at: addresses, and the ports that sockets are bound to.
extension SystemdImport {
    mutating func writeAddresses(_ hasNoNetwork: Bool) {
        let deny = list("IPAddressDeny"), allow = list("IPAddressAllow")
        for entry in deny {
            if !allowsInternet {
                draft.isInForce(.nothing, "sockets of the internet cannot be made", entry.directive)
            } else if hasNoNetwork {
                draft.isInForce(.noNetwork, "there is no network but its own loopback", entry.directive)
            } else if allow.isEmpty, ["any", "0.0.0.0/0 ::/0"].contains(entry.value) {
                for family in ["AF_INET", "AF_INET6"] {
                    draft.rule("socket", "EAFNOSUPPORT", [(0, "==", family)], entry.directive)
                }
                // A ring makes sockets without the call, Linux 5.19.
                draft.rule("io_uring_setup", "ENOSYS", [], entry.directive)
                draft.warn(
                    "no socket of the internet can be made; one that is passed to it is not filtered", entry.directive)
            } else {
                draft.lose(
                    "a filter of addresses; it holds where the line stays in the unit", restricts: true, entry.directive
                )
            }
        }
        for entry in allow { draft.isInForce(.nothing, "addresses are not filtered", entry.directive) }
    }

    /// `[FAMILY:][PROTOCOL:][PORT[-PORT]]`, systemd.resource-control(5); what is nil is any.
    private struct Binding {
        var family: String?
        var transport: String?
        var ports: ClosedRange<UInt16>?
        let directive: Directive

        var isTCP: Bool { transport != "udp" }
        var isWhole: Bool { family == nil && ports == nil }
    }

    private mutating func bindings(_ key: String) -> [Binding] {
        list(key).compactMap { line in
            var result = Binding(directive: line.directive)
            if line.value == "any" { return result }
            var words = line.value.split(separator: ":", omittingEmptySubsequences: false).map(String.init)[...]
            if let first = words.first, ["ipv4", "ipv6"].contains(first) {
                result.family = first
                words = words.dropFirst()
            }
            if let first = words.first, ["tcp", "udp"].contains(first) {
                result.transport = first
                words = words.dropFirst()
            }
            if let last = words.first, words.count == 1 {
                let ends = last.split(separator: "-", omittingEmptySubsequences: false).compactMap { UInt16($0) }
                if let first = ends.first, let end = ends.last, ends.count <= 2, first > 0, first <= end,
                    last.split(separator: "-", omittingEmptySubsequences: false).count == ends.count
                {
                    result.ports = first...end
                    words = words.dropFirst()
                }
            }
            guard words.isEmpty else {
                draft.fail("\(quoted(line.value)) is not [FAMILY:][PROTOCOL:][PORTS]", line.directive)
                return nil
            }
            return result
        }
    }

    /// Ports that may be bound, where Landlock says the same: it closes all of TCP but single ports, and knows of nothing else.
    mutating func writePorts(_ hasNoNetwork: Bool) {
        let deny = bindings("SocketBindDeny"), allow = bindings("SocketBindAllow")
        if deny.isEmpty || !allowsInternet || hasNoNetwork {
            let reason =
                deny.isEmpty
                ? "no port is denied" : allowsInternet ? "no network leads to its ports" : "there are no ports"
            for entry in deny + allow {
                let claim: Claim = !deny.isEmpty && allowsInternet ? .noNetwork : .nothing
                draft.isInForce(claim, reason, entry.directive)
            }
            return
        }
        let opensTCP = allow.contains { $0.isWhole && $0.isTCP }
        let opensAll = allow.contains { $0.isWhole && $0.transport == nil }
        for entry in deny { close(entry, opensTCP, opensAll) }
        let isClosed = draft.has("landlock.bind_tcp")
        for entry in allow { open(entry, isClosed) }
    }

    private mutating func close(_ entry: Binding, _ opensTCP: Bool, _ opensAll: Bool) {
        if opensAll || (entry.transport == "tcp" && opensTCP) {
            return draft.isInForce(.nothing, "all of it is allowed", entry.directive)
        }
        guard entry.isWhole, entry.isTCP, !opensTCP else {
            return draft.lose(
                "landlock.bind_tcp closes all ports of TCP but some; this holds where the line stays in the unit",
                restricts: true, entry.directive)
        }
        if !draft.has("landlock.bind_tcp") { draft.set("landlock.bind_tcp", .array([]), entry.directive) }
        if entry.transport == nil {
            draft.lose(
                "ports of UDP and other protocols; it holds where the line stays in the unit", restricts: true,
                entry.directive)
        }
    }

    private mutating func open(_ entry: Binding, _ isClosed: Bool) {
        if !isClosed || !entry.isTCP || entry.ports == nil && entry.family == nil {
            return draft.isInForce(.nothing, "they are not closed", entry.directive)
        }
        guard entry.family == nil, let ports = entry.ports, ports.count <= 1024 else {
            return draft.lose("landlock.bind_tcp has single ports, whatever the address", entry.directive)
        }
        draft.append("landlock.bind_tcp", ports.map { .integer(Int64($0)) }, entry.directive)
    }
}
