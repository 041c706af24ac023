import JailSpec
import Kernel
import LinuxFacts
import SpecFile

/// The hosts that a program seems to want as it asks a server for names: a question that is never sent names none, its command line may.
struct SoughtNames {
    private let destinations: [String]

    init(_ thread: ThreadState) {
        do throws(KernelError) {
            let words = try thread.text("cmdline").split(separator: "\0")
            destinations = Self.destinations(in: words.dropFirst().prefix(256).map(String.init))
        } catch {
            destinations = []  // it has gone
        }
    }

    /// What opens the server of names: not its address, by which the names would be refused next, but the names.
    func denial(_ kind: Denial.Kind, _ server: String, isCutOff: Bool) -> Denial {
        var denial = Denial(kind, server, remark: "which it asks for a name")
        if destinations.count == 1 {
            let list = "allow = [\(TOML.string(destinations[0]))]"
            denial.line = isCutOff ? "network = { mode = \"user\", \(list) }" : "network.\(list)"
        } else {
            denial.advice =
                "put the name into network.allow" + (isCutOff ? " of a network.mode \"user\"" : "")
                + ", as \"example.org\" or \"example.org:80\"; names that are not there are told once one is"
        }
        return denial
    }

    /// The hosts of addresses as `https://HOST:PORT/PATH`, as network.allow has them; each once.
    static func destinations(in words: [String]) -> [String] {
        var found: [String] = []
        for word in words where word.utf8.count < 4096 {
            guard let destination = destination(in: word), !found.contains(destination) else { continue }
            found.append(destination)
        }
        return found
    }

    private static func destination(in word: String) -> String? {
        let parts = word.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count > 2, parts[1].isEmpty, let standard = ports[parts[0].lowercased()] else { return nil }
        let named = parts[2].split { $0 == "?" || $0 == "#" }.first ?? ""
        let place = named.split(separator: "@").last ?? ""
        let pair = place.split(separator: ":", omittingEmptySubsequences: false)
        guard let host = pair.first, pair.count < 3, isName(host) else { return nil }
        guard let port = pair.count == 2 ? UInt16(pair[1]) : standard, port > 0 else { return nil }
        // A name without a port is for 443.
        return port == 443 ? host.lowercased() : "\(host.lowercased()):\(port)"
    }

    private static let ports: [String: UInt16] = [
        "https:": 443, "http:": 80, "git:": 9418, "ssh:": 22, "git+ssh:": 22, "git+https:": 443, "ftp:": 21,
        "wss:": 443, "ws:": 80, "rsync:": 873,
    ]

    /// Letters, digits and hyphens in two labels or more, of which the last is no number.
    private static func isName(_ host: Substring) -> Bool {
        let labels = host.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.count > 1, host.utf8.count < 254, let last = labels.last?.first,
            !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(last)
        else { return false }
        return labels.allSatisfy { label in
            let ends = [label.first, label.last]
            return label.count < 64 && !ends.contains(nil) && !ends.contains(UInt8(ascii: "-"))
                && label.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                        true
                    default: false
                    }
                }
        }
    }
}
