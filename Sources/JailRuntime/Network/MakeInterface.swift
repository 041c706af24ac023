import JailPlan
import JailSpec
import Kernel
import LinuxFacts

extension Applier {
    /// An interface of the jail's own, with the rules of the host's end before it.
    mutating func make(_ link: NetworkLink, _ making: NetworkInTheMaking) throws(Failure) {
        let outside = try failing { () throws(KernelError) in try Links() }
        let parent = try link.parent.map { (name) throws(Failure) in try index(of: name, outside) }
        if let rules = link.outerRules { try hold(rules, link, making) }
        do throws(KernelError) {
            try outside.make(
                link.kind.kernel, outer: link.outerName, inner: NetworkLink.innerName, parent: parent,
                in: making.network)
        } catch {
            throw refusal(of: link, error)
        }
        try failing { () throws(KernelError) in
            if case .veth = link.kind {
                let index = try outside.index(of: link.outerName)
                outerEnd = OuterEnd(name: link.outerName, index: index)
                if let address = link.outerAddress {
                    try outside.add(address.address.bytes, prefix: address.prefix, to: index)
                }
                try outside.raise(index)
            }
            let inside = try Links(of: making.network)
            try inside.raise(try inside.index(of: "lo"))
            let index = try inside.index(of: NetworkLink.innerName)
            for address in link.addresses { try inside.add(address.address.bytes, prefix: address.prefix, to: index) }
            try inside.raise(index)
            if let gateway = link.gateway { try inside.addDefaultRoute(by: gateway.bytes, over: index) }
        }
    }

    func index(of name: String, _ links: borrowing Links) throws(Failure) -> Int32 {
        do throws(KernelError) {
            return try links.index(of: name)
        } catch {
            guard error.errno == .noDevice else { throw Failure(error) }
            throw Failure(telling: "this host has no interface \(name)", hint: "`ip -br link` shows which it has")
        }
    }

    private func refusal(of link: NetworkLink, _ error: KernelError) -> Failure {
        switch error.errno {
        case .notSupported where link.kind == .veth && link.parent != nil:
            Failure(
                telling: "\(link.parent ?? "") is not a bridge", hint: "`ip -br link show type bridge` shows which are")
        case .notSupported:
            Failure(telling: "this kernel has no \(link.kind.rawValue)", hint: Remedy.load(link.kind.rawValue))
        default: Failure(error)
        }
    }

    /// Starts the nft(8) whose table of the host's it is: a table with an owner goes with the socket that has made it, however that ends.
    private mutating func hold(_ rules: String, _ link: NetworkLink, _ making: NetworkInTheMaking) throws(Failure) {
        let (commands, ours) = try failing(makePipe)
        let (answer, theirs) = try failing(makePipe)
        var order = HelperOrder(program: making.nft, arguments: ["nft", "--interactive"])
        // Where it keeps what it was told before: nowhere.
        order.environment.append("HOME=/dev/null")
        order.keeping = 1 << UInt64(Capability.net_admin.rawValue)
        (order.input, order.output) = (commands, theirs)
        var helper = try HelperProcess.start(order) { descriptorTableSize }
        closeDescriptor(commands)
        closeDescriptor(theirs)
        // It waits for commands as long as one end is open, and would be killed by SIGPIPE without the other: the launcher's life.
        heldOpen += [ours, answer]
        try failing { () throws(KernelError) in
            // The last command answers whatever has become of the others.
            try writeAll(ours, Array((rules + "list table inet \(link.outerName)\ndescribe tcp dport\n").utf8))
        }
        var text = ""
        while !text.contains("inet_service") {
            try helper.wait(until: answer, noticing: signals)
            let found = try failing { () throws(KernelError) in try readSome(answer, limit: 1 << 16) ?? [] }
            if found.isEmpty { throw try helper.silence(noticing: signals) }
            text += String(decoding: found, as: UTF8.self)
        }
        guard text.contains("table inet \(link.outerName)"), text.contains("flags owner"), text.contains("masquerade")
        else {
            HelperProcess.end([helper])
            throw Failure(.helperFailed, text: "nft: \(helper.firstWords)")
        }
        helpers.append(helper)
    }

    /// What the kernel shows of the jail's interface: the addresses that were given, and no other but those of the link.
    mutating func checkLink(_ link: NetworkLink) throws(Failure) {
        let found = try failing(interfaceAddresses).map(IPAddress.init(bytes:)).filter { !$0.isOfTheLink }
        let promised = link.addresses.map(\.address)
        try hold(
            Set(found) == Set(promised), "addresses", promised.map { "\($0)" }.joined(separator: " "),
            found.map { "\($0)" }.joined(separator: " "))
    }
}

/// The host's end of a pair of interfaces.
struct OuterEnd {
    let name: String
    let index: Int32

    /// Takes the pair away, which the kernel would do some time after the last process of the jail's network: 30 s on a busy machine.
    ///
    /// Once the pair has gone, anybody's interface may be made with its number (`ip link add … index`), and RTM_DELLINK with a number
    /// does not look at a name. No address tells them apart: udev gives interfaces others.
    func delete() {
        do throws(KernelError) {
            let links = try Links()
            guard try links.index(of: name) == index else { return }
            try links.delete(index)
        } catch {
            return  // it goes with the jail's network
        }
    }
}

extension NetworkLink.Kind {
    fileprivate var kernel: Links.Kind {
        switch self {
        case .veth: .veth
        case .macvlan: .macvlan
        case .ipvlan: .ipvlan
        }
    }
}

extension IPAddress {
    /// fe80::/10, which each interface of IPv6 has by itself.
    var isOfTheLink: Bool { isIPv6 && masked(to: 10).bytes[0] == 0xfe && masked(to: 10).bytes[1] == 0x80 }
}
