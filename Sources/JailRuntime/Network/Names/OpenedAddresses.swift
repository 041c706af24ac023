import JailPlan
import JailSpec
import Kernel

/// The addresses that the rules let the jail connect to because a name led to them, and until when.
struct OpenedAddresses {
    private let rules: Int32
    /// By the name of the set: when each address leaves it, in nanoseconds of the monotonic clock.
    private var sets: [String: [IPAddress: Int]] = [:]
    /// When those that have left are forgotten.
    private var due = 0

    init(changing rules: Int32) { self.rules = rules }

    /// Sees that the rules can be changed, by an address that no packet has: one to 0.0.0.0 goes to loopback.
    func check() throws(KernelError) {
        let nobody = SetElement(address: [0, 0, 0, 0], milliseconds: 1, isOld: false)
        try add([nobody], to: NameService.set(0, isIPv6: false), of: rules)
    }

    /// Has the rules let packets through to these addresses for as long as each says, and longer; when it returns they do. Throws
    /// where that cannot be: then none of them must be told.
    mutating func open(
        _ addresses: [(address: IPAddress, seconds: UInt32)], of groups: [Int], now: Int
    ) throws(KernelError) {
        if now >= due { forget(now) }
        for group in groups {
            for isIPv6 in [false, true] {
                let ours = addresses.filter { $0.address.isIPv6 == isIPv6 }
                if !ours.isEmpty { try open(ours, in: NameService.set(group, isIPv6: isIPv6), now) }
            }
        }
    }

    private mutating func open(
        _ addresses: [(address: IPAddress, seconds: UInt32)], in set: String, _ now: Int
    ) throws(KernelError) {
        var elements: [SetElement] = []
        var ends: [IPAddress: Int] = [:]
        for (address, seconds) in addresses where ends[address] == nil {
            let held = max(Int(seconds) * 1000, NameService.shortestHold)
            let old = sets[set]?[address]
            if let old, old >= now + held * 1_000_000 { continue }
            let whole = held + NameService.slack
            ends[address] = now + whole * 1_000_000
            elements.append(
                SetElement(address: address.bytes, milliseconds: UInt64(whole), isOld: old.map { $0 > now } ?? false))
        }
        guard !elements.isEmpty else { return }
        try add(elements, to: set, of: rules)
        for (address, end) in ends { sets[set, default: [:]][address] = end }
    }

    /// The kernel takes them out by itself.
    private mutating func forget(_ now: Int) {
        for set in sets.keys { sets[set] = sets[set]?.filter { $0.value > now } }
        due = now + 10_000_000_000
    }
}
