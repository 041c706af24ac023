package import JailPlan
import JailSpec
import Kernel
package import SpecFile

/// A destination that was refused: by the rules of a jail's network, as nftables has counted it, or by its resolver.
package struct RefusedConnection: Equatable, Sendable {
    /// As network.allow would have it: `10.55.0.20:80/tcp`, or a name.
    package let destination: String
    package var isName = false
    /// The packets that were refused: one for each attempt by TCP. Of a name, how often it was asked for.
    package let count: Int
    /// The address that is the reason, where a name that is on the list leads to one which is closed.
    package var leadsTo: String?

    /// nil for a name.
    var address: IPAddress? {
        guard !isName, let end = destination.lastIndex(of: ":") else { return nil }
        return IPAddress(destination[..<end].drop { $0 == "[" }.prefix { $0 != "]" })
    }

    /// As it is told.
    fileprivate var words: String {
        "\(isName ? "\"\(destination)\"" : destination) refused \(count) time\(count == 1 ? "" : "s")"
            + (leadsTo.map { ", it leads to \($0)" } ?? "")
    }
}

/// The rules of a jail's network, which outlive its processes as long as the launcher holds the namespace.
struct NetworkCounters {
    let network: Int32
    let users: Int32
    let nft: HostProgram
    /// What the jail's resolver writes down; −1 where there is none.
    var names: Int32 = -1
    /// The servers that names are asked of.
    var servers: [IPAddress]

    var descriptors: [Int32] { [network, users, nft.descriptor, names] }

    /// What was refused, the most frequent first, and how the servers of names have answered; nil where it cannot be read.
    func read(
        noticing signals: SignalQueue, tableSize: () -> Int32
    ) -> (refused: [RefusedConnection], servers: [AskedServer])? {
        do throws(Failure) {
            let order = HelperOrder.nft(
                nft, ["-n", "list", "table", "inet", "immure"], network: network, users: users)
            guard let text = try order.output(noticing: signals, limit: 1 << 20, tableSize: tableSize) else {
                return nil
            }
            guard names >= 0 else {
                return (Self.counts(in: text), AskedServer.counts(in: text, of: servers))
            }
            let (names, servers) = (names, servers)
            return try failing { () throws(KernelError) in
                (try RefusedNames.read(names) + Self.counts(in: text), try ServerTally.read(names, of: servers))
            }
        } catch {
            return nil
        }
    }

    /// nft(8) -n has protocols by number, protocols(5).
    private static func transport(_ number: Substring) -> String {
        switch number {
        case "6": Transport.tcp.rawValue
        case "17": Transport.udp.rawValue
        default: String(number)
        }
    }

    /// The elements of the sets `refused4` and `refused6`: `10.55.0.20 . tcp . 80 counter packets 3 bytes 180`.
    static func counts(in listing: String) -> [RefusedConnection] {
        var found: [RefusedConnection] = []
        for entry in listing.split(whereSeparator: { ",{}\n".contains($0) }) {
            let words = entry.split { $0 == " " || $0 == "\t" }
            guard words.count >= 8, words[1] == ".", words[3] == ".", words[5] == "counter", words[6] == "packets",
                let count = Int(words[7]), count > 0
            else { continue }
            // What immure itself has asked for, to see that the rules hold.
            if NetworkRules.isAsked(words[0], port: words[4]) { continue }
            let address = words[0].contains(":") ? "[\(words[0])]" : String(words[0])
            found.append(RefusedConnection(destination: "\(address):\(words[4])/\(transport(words[2]))", count: count))
        }
        return found.sorted { ($1.count, $0.destination) < ($0.count, $1.destination) }
    }
}

extension Outcome {
    /// What the command tried and the rules of its network refused, a line each; no more than ten.
    package func refusedConnectionNotes(of plan: Plan) -> [Diagnostic] {
        guard let all = refusedConnections, !all.isEmpty else { return [] }
        let rules = plan.provision?.rules
        let (unnamed, listed) = (
            "closed unless network.allow names it",
            plan.listOfDestinations.map { "allow, \($0.file):\($0.line)" } ?? "allow"
        )
        let list = rules?.allowed == nil ? unnamed : listed
        var notes = all.prefix(10).map { one in
            let isHeldBack = one.address.map { rules?.holdsBack($0) == true } ?? false
            return Diagnostic("network: \(one.words) (\(isHeldBack ? unnamed + " itself" : list))", at: nil)
        }
        if all.count > 10 {
            notes.append(Diagnostic("network: \(all.count - 10) more destinations refused (\(list))", at: nil))
        }
        return notes
    }
}
