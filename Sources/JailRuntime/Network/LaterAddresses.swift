import JailPlan
import JailSpec
import Kernel

/// Closes to the jail what the host gets of addresses while it runs, by DHCP or for a new bridge: the rules of a network without a list have
/// those of its start, and a program on the host connects to the host's own like to any other. Between an address and its rule lies the start
/// of nft(8).
struct LaterAddresses {
    /// Can be read when an address of the host's has come or gone.
    let news: Int32
    private let network: Int32
    private let users: Int32
    private let nft: HostProgram
    private let tableSize: Int32
    private var closed: Set<IPAddress>
    /// nft(8), while it loads the last of them. What comes meanwhile waits for it.
    private(set) var helpers: [HelperProcess] = []
    private var mayHaveMissed = true

    static let noWatches = [Watch(-1), Watch(-1), Watch(-1)]

    /// nil for a network with a list, and for an interface: there the host's own rules refuse what comes to it, at whatever address.
    init?(_ making: NetworkInTheMaking, tableSize: @autoclosure () -> Int32) throws(Failure) {
        let rules = making.provision.rules
        guard rules.allowed == nil, case .stack = making.provision.way else { return nil }
        news = try failing(watchAddresses)
        (network, users, nft, self.tableSize) = (making.network, making.users, making.nft, tableSize())
        closed = Set(
            rules.closed.compactMap { target in
                guard case .network(let address, let prefix) = target else { return nil }
                return prefix == address.width ? address : nil
            })
    }

    var watches: [Watch] { [Watch(helpers.isEmpty ? news : -1)] + (helpers.first?.watches ?? [Watch(-1), Watch(-1)]) }

    /// Takes in what `watches` have found; returns nft(8) where that has failed.
    mutating func heed(_ found: ArraySlice<Watch>) throws(KernelError) -> HelperProcess? {
        if !helpers.isEmpty {
            guard try helpers[0].take(found.dropFirst()) else { return nil }
            let helper = helpers.removeFirst()
            HelperProcess.end([helper])
            if !helper.hasSucceeded { return helper }
        } else if found[found.startIndex].isReady {
            hearAll(news)
        } else if !mayHaveMissed {
            return nil
        }
        mayHaveMissed = false
        return try close()
    }

    private mutating func close() throws(KernelError) -> HelperProcess? {
        let new = try interfaceAddresses().map(IPAddress.init(bytes:)).filter {
            !closed.contains($0) && !$0.isOfTheLink
        }
        if new.isEmpty { return nil }
        closed.formUnion(new)
        let text = [false, true].map { six in
            let elements = new.filter { $0.isIPv6 == six }.map { "\($0)" }.joined(separator: ", ")
            return elements.isEmpty ? "" : "add element inet immure closed\(six ? 6 : 4) { \(elements) };"
        }
        let order = HelperOrder.nft(nft, [text.joined()], network: network, users: users)
        do throws(Failure) {
            helpers = [try HelperProcess.start(order) { [tableSize] in tableSize }]
        } catch {
            throw KernelError(.fork, error.errno)
        }
        return nil
    }
}
