import SpecFile

extension Section {
    /// `[network]`, and whether it agrees with the net namespace that was asked for.
    mutating func network(_ namespaces: Namespaces) -> Network {
        var result = Network()
        guard var section = section("network") else { return result }
        result.mode = section.value("mode", Form.word(Network.Mode.self))
        result.publish = section.list("publish", Form.publication)?.value ?? []
        section.reportRepetitions(result.publish)
        result.parent = section.value("parent", Form.interface)
        result.addresses = section.list("address", Form.interfaceAddress)
        result.gateway = section.value("gateway", Form.address)
        result.allow = section.list("allow", Form.destination)
        result.dns = section.list("dns", Form.address)
        section.finish()
        section.reportInterface(result)
        section.reportContradictions(result, namespaces)
        return result
    }

    /// A port of the host leads to one port of the jail.
    private func reportRepetitions(_ publications: [Located<Publication>]) {
        for (index, next) in publications.enumerated() {
            guard let first = publications[..<index].first(where: { $0.value.takesPort(of: next.value) }) else {
                continue
            }
            report(
                "network.publish: port \(next.value.hostPort) of the host is published\(also(at: first.position))",
                at: next.position)
        }
    }

    /// What belongs to an interface of the host's, and what that needs.
    private func reportInterface(_ network: Network) {
        guard table["mode"] == nil || network.mode != nil else { return }
        guard network.hasInterface, let mode = network.mode else {
            let word = network.mode?.value.rawValue ?? Network.Mode.none.rawValue
            for key in ["parent", "address", "gateway"] {
                guard let entry = table[key] else { continue }
                reportLack(
                    "network.\(key): means nothing where the mode is \"\(word)\"", at: entry.keyPosition,
                    hint: "it belongs to \"veth\", \"macvlan\" and \"ipvlan\"")
            }
            return
        }
        if mode.value != .veth, table["parent"] == nil {
            reportLack(
                "network.mode: \"\(mode.value.rawValue)\" needs the host's interface", at: mode.position,
                hint: "network.parent = \"eth0\"")
        }
        if mode.value != .veth || table["parent"] != nil,
            table["address"] == nil || network.addresses?.value.isEmpty == true
        {
            reportLack(
                "network.mode: \"\(mode.value.rawValue)\" needs an address: none is asked for by DHCP",
                at: mode.position,
                hint: "network.address = [\"10.9.0.2/24\"]")
        }
        if let gateway = network.gateway, let addresses = network.addresses?.value,
            !addresses.contains(where: { $0.value.contains(gateway.value) && $0.value.address != gateway.value })
        {
            reportLack("network.gateway: \(gateway.value) is in no network of network.address", at: gateway.position)
        }
    }

    private func reportContradictions(_ network: Network, _ namespaces: Namespaces) {
        let net = namespaces.written[.net]
        if let mode = network.mode, let net {
            let agrees =
                switch (mode.value, net.value) {
                case (.host, .host), (.host, .path), (.none, .new), (.user, .new), (.veth, .new), (.macvlan, .new),
                    (.ipvlan, .new):
                    true
                default: false
                }
            if !agrees {
                report(
                    "network.mode: \"\(mode.value.rawValue)\" contradicts namespaces.net\(also(at: net.position))",
                    at: mode.position)
            }
        }
        let mode = network.mode?.value ?? (net.map { $0.value != .new } == true ? .host : .none)
        guard mode == .none || mode == .host, table["mode"] == nil || network.mode != nil else { return }
        if mode == .host, let entry = table["publish"] {
            report(
                "network.publish: means nothing where the mode is \"host\"", at: entry.keyPosition,
                hint: "leave it out: what listens in the jail listens on the host")
        }
        for key in ["allow", "dns"] {
            guard let entry = table[key] else { continue }
            reportLack(
                "network.\(key): means nothing where the mode is \"\(mode.rawValue)\"", at: entry.keyPosition,
                hint: "it belongs to \"user\", \"veth\", \"macvlan\" and \"ipvlan\"")
        }
    }
}
