import JailSpec
import SpecFile

/// Limits that hold something back: one that is above what a machine has is as good as none. The score does not look at
/// the machine; the bounds are those of a large one.
extension Limits {
    /// Below 64 GB.
    var realMemory: Located<UInt64>? { memory?.found { $0 < 64 << 30 } }
    /// Below 32768, the ids that a kernel has to give unless it is told otherwise (proc(5), pid_max).
    var realPIDs: Located<UInt64>? { pids?.found { $0 < 32768 } }
    /// Below 64 processors.
    var realCPU: Located<UInt64>? { cpu?.found { $0 < 6400 } }
}

extension LandlockPolicy {
    /// How many TCP ports its lists leave, of either kind; nil where one of them is not restricted.
    var openPorts: Int? {
        guard let bindTCP, let connectTCP else { return nil }
        return Set(bindTCP.value).count + Set(connectTCP.value).count
    }
}

extension Network {
    /// Whether the destinations of `allow` are a small part of all addresses, each sort by itself.
    var hasFewDestinations: Bool {
        guard !allow.isEmpty else { return false }
        var parts = (four: 0.0, six: 0.0)
        for destination in allow {
            let words = destination.value.split(separator: "/", omittingEmptySubsequences: false)
            let isSix = (words.first ?? "").utf8.filter { $0 == UInt8(ascii: ":") }.count > 1
            let digits = words.count > 1 ? words[1].prefix { $0.isNumber } : ""
            // Without a length of its prefix, or where what follows is the protocol, it is a single address.
            let length = UInt8(digits) ?? (isSix ? 128 : 32)
            let part = (0..<length).reduce(1.0) { part, _ in part / 2 }
            if isSix { parts.six += part } else { parts.four += part }
        }
        return parts.four <= 1.0 / 16 && parts.six <= 1.0 / 16
    }
}
