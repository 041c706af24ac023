import JailPlan
import JailSpec
import Kernel

/// Closes to the jail what the host gets of addresses while it runs, by DHCP, for a new bridge or by a local route: the rules that let more
/// through than what is named have those of its start, and a program on the host connects to the host's own like to any other. Between
/// an address and its rule lies the start of nft(8).
struct LaterAddresses {
    /// Can be read when a route of the host's has come or gone.
    let news: Int32
    private let network: Int32
    private let users: Int32
    private let nft: HostProgram
    private let tableSize: Int32
    private var closed: Set<AddressRange>
    /// nft(8), while it loads the last of them. What comes meanwhile waits for it.
    private(set) var helpers: [HelperProcess] = []
    private var mayHaveMissed = true

    static let noWatches = [Watch(-1), Watch(-1), Watch(-1)]

    /// nil where nothing but what is named is open, and for an interface: there the host's own rules refuse what comes to it, at whatever address.
    init?(_ making: NetworkInTheMaking, tableSize: @autoclosure () -> Int32) throws(Failure) {
        let rules = making.provision.rules
        guard rules.closesRest, case .stack = making.provision.way else { return nil }
        news = try failing(watchRoutes)
        (network, users, nft, self.tableSize) = (making.network, making.users, making.nft, tableSize())
        closed = Set(rules.closed.ranges)
    }

    var watches: [Watch] { [Watch(helpers.isEmpty ? news : -1)] + (helpers.first?.watches ?? [Watch(-1), Watch(-1)]) }

    /// Takes in what `watches` have found; returns nft(8) where that has failed.
    mutating func heed(_ found: ArraySlice<Watch>) throws(KernelError) -> HelperProcess? {
        if !helpers.isEmpty {
            guard try helpers[0].take(found.dropFirst()) else { return nil }
            let helper = helpers.removeFirst()
            HelperProcess.end([helper])
            if !helper.hasSucceeded { return helper }
        } else if found[found.startIndex].isReady, hearOfOwn(news) {
            mayHaveMissed = true
        }
        if !mayHaveMissed { return nil }
        mayHaveMissed = false
        return try close()
    }

    private mutating func close() throws(KernelError) -> HelperProcess? {
        let new = try hostRoutes().own.map { AddressRange(IPAddress(bytes: $0.address), $0.prefix) }
            .filter { !closed.contains($0) }
        if new.isEmpty { return nil }
        closed.formUnion(new)
        let order = HelperOrder.nft(nft, [ClosedAddresses(new).addition], network: network, users: users)
        do throws(Failure) {
            helpers = [try HelperProcess.start(order) { [tableSize] in tableSize }]
        } catch {
            throw KernelError(.fork, error.errno)
        }
        return nil
    }
}
