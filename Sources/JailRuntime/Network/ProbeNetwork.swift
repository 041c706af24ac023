import JailPlan
import JailSpec
import Kernel

extension HostNetwork {
    /// Looks at what the host has for a network that leads out.
    static func probe() throws(KernelError) -> HostNetwork {
        var found = HostNetwork()
        found.stack = Stack.allCases.first { HostProgram.isInstalled($0.rawValue) }
        found.hasRules = HostProgram.isInstalled(nft)
        found.tunnelRefusal = tunnelRefusal()
        let routes = try hostRoutes()
        found.hasRoute = NetworkProvision.Families(
            four: routes.defaults.contains { !$0.isIPv6 }, six: routes.defaults.contains { $0.isIPv6 })
        found.own = routes.own.map { AddressRange(IPAddress(bytes: $0.address), $0.prefix) }
        found.gateways = routes.defaults.map(\.gateway).filter { !$0.isEmpty }.map(IPAddress.init(bytes:))
        found.forwards = try readText("/proc/sys/net/ipv4/ip_forward").utf8.first == UInt8(ascii: "1")
        found.seat = currentProcess()
        found.readRoutes(try readText("/proc/self/net/route"))
        found.readResolvers(String(decoding: try Accounts.read("etc/resolv.conf", below: "/"), as: UTF8.self))
        return found
    }

    static let nft = "nft"

    /// Opens the device that a stack gets its interface from.
    static func tunnelRefusal() -> TunnelRefusal? {
        do throws(KernelError) {
            _ = try open("/dev/net/tun", .readWrite)
            return nil
        } catch {
            let remedy: String? =
                switch error.errno {
                case .accessDenied, .notPermitted: Remedy.openTunnel
                case .noEntry, .noDevice, .noSuchDeviceOrAddress: Remedy.load("tun")
                default: nil
                }
            return TunnelRefusal(words: "\(error.errno.name) \(error.errno.words)", remedy: remedy)
        }
    }

    /// proc(5), /proc/net/route: destination and mask are the third and eighth columns' neighbours, as numbers of this machine.
    mutating func readRoutes(_ text: String) {
        for line in text.split(separator: "\n").dropFirst() {
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.count > 7, let place = UInt32(words[1], radix: 16), let mask = UInt32(words[7], radix: 16)
            else { continue }
            guard mask != 0 else {
                uplinks.append(String(words[0]))
                continue
            }
            let bytes = (0..<4).map { UInt8(truncatingIfNeeded: place.littleEndian >> (8 * $0)) }
            routed.append(InterfaceAddress(IPAddress(bytes: bytes), prefix: mask.nonzeroBitCount))
        }
    }

    /// Looks for what closes the way from one of the host's interfaces. Where nft(8) cannot list the rules there is nothing to tell: it will not be able
    /// to load any either, and say why.
    mutating func findClosedChains(to interface: String) {
        do throws(Failure) {
            // Elements of sets may be many, and are not asked for.
            let order = HelperOrder(
                program: try HostProgram.find(Self.nft, call: .execve),
                arguments: ["nft", "-s", "-t", "list", "ruleset"])
            guard let text = try order.output(noticing: nil, limit: 1 << 26, tableSize: { 1 << 20 }) else { return }
            closedChains = ForwardRules(listing: text + Self.legacyRules()).closed(to: interface, leadingTo: uplinks)
        } catch {
            return
        }
    }

    /// The rules of the kernel's older tables, where this network has some and a program to list them.
    private static func legacyRules() -> String {
        do throws(Failure) {
            let tables = try failing { () throws(KernelError) in try readText("/proc/self/net/ip_tables_names") }
            guard tables.split(separator: "\n").contains("filter") else { return "" }
            let order = HelperOrder(
                program: try HostProgram.find("iptables-legacy-save", call: .execve),
                arguments: ["iptables-legacy-save", "-t", "filter"])
            let saved = try order.output(noticing: nil, limit: 1 << 26, tableSize: { 1 << 20 })
            return LegacyRules.listing(saved ?? "")
        } catch {
            return ""
        }
    }

    /// resolv.conf(5), as glibc reads it: at most three servers; an address with a zone is one of the link's.
    private mutating func readResolvers(_ text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "\t" }
            switch words.first {
            case "nameserver"?:
                if words.count > 1, resolvers.count < 3, let address = IPAddress(words[1]) { resolvers.append(address) }
            case "search"?, "domain"?, "options"?: resolverOptions.append(String(line))
            default: break
            }
        }
    }
}
