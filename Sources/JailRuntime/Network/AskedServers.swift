package import JailPlan
package import JailSpec
import Kernel
package import SpecFile

/// A server that the jail's names were asked of, and how it answered.
package struct AskedServer: Equatable, Sendable {
    package let address: IPAddress
    /// The questions that it was asked, and those that it answered, whatever it said.
    package let asked: Int
    package let answered: Int

    /// Some questions are always lost, or still on their way as the jail ends.
    var isSilent: Bool { asked - answered > answered }
}

extension AskedServer {
    /// The counters of the rules, of which each server has two: `counter asked0 {`, and in the line below it `packets 3 bytes 180`.
    static func counts(in listing: String, of servers: [IPAddress]) -> [AskedServer] {
        var packets: [Substring: Int] = [:]
        var name: Substring?
        for line in listing.split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "\t" }
            if let name, words.count > 1, words[0] == "packets" { packets[name] = Int(words[1]) }
            name = words.count == 3 && words[0] == "counter" && words[2] == "{" ? words[1] : nil
        }
        return servers.enumerated().map { index, address in
            AskedServer(
                address: address, asked: packets[NetworkRules.asked(index)[...]] ?? 0,
                answered: packets[NetworkRules.answered(index)[...]] ?? 0)
        }
    }
}

extension Outcome {
    /// The servers of names that did not answer the jail, a line each.
    package func silentServerNotes(of plan: Plan) -> [Diagnostic] {
        askedServers.filter(\.isSilent).map { server in
            let isHosts = plan.provision?.forwardedResolver == server.address
            let place =
                plan.listOfServers.map { "dns, \($0.file):\($0.line)" } ?? "of the host's resolv.conf"
            let missing = server.asked - server.answered
            let part = server.answered == 0 ? "\(missing)" : "\(missing) of \(server.asked)"
            return Diagnostic(
                "network: \(isHosts ? "the host's own server" : "\(server.address)") did not answer \(part) "
                    + "question\(server.asked == 1 ? "" : "s") for names (\(place))", at: nil)
        }
    }
}
