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
    /// Whether the destinations of `allow` are a small part of all there are: of the addresses, each sort by itself, and
    /// of the names, where only a wildcard over a whole top-level domain is not.
    var hasFewDestinations: Bool {
        guard let allow else { return false }
        var parts = (four: 0.0, six: 0.0)
        for destination in allow.value {
            switch destination.value.target {
            case .network(let address, let prefix):
                let part = (0..<prefix).reduce(1.0) { part, _ in part / 2 }
                if address.isIPv6 { parts.six += part } else { parts.four += part }
            case .name: break
            case .namesBelow(let domain): if !domain.utf8.contains(UInt8(ascii: ".")) { return false }
            }
        }
        return parts.four <= 1.0 / 16 && parts.six <= 1.0 / 16
    }
}
