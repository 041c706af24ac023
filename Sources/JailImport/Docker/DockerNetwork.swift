import JailSpec
import SpecFile

extension DockerImport {
    mutating func writeNetwork() {
        writeMode()
        let isOwn = draft.value("network.mode")?.value == .string("user")
        writePorts(isOwn)
        writeNames(isOwn)
        writeHosts()
    }

    private mutating func writeMode() {
        let option = last("network")
        let origin = option?.directive ?? standard("the network without --network")
        // `name=NAME,alias=…` is the long form of a name.
        let fields = fieldsOfCSV(option?.value ?? "default") ?? []
        switch fields.first(where: { $0.hasPrefix("name=") }).map({ String($0.dropFirst(5)) }) ?? option?.value
            ?? "default"
        {
        case "none": draft.isInForce(.noNetwork, origin)
        case "host": draft.set("network.mode", .string("host"), origin)
        case let name where name.hasPrefix("ns:"):
            draft.set("namespaces.net", .string(String(name.dropFirst(3))), origin)
        case let name where name.hasPrefix("container:"):
            let other = name.dropFirst("container:".count)
            draft.lose(
                "the network of the container \(other): namespaces.net = \"/proc/PID/ns/net\" joins it, with the PID that docker inspect \(other) has",
                origin)
        case let name:
            draft.set("network.mode", .string("user"), origin)
            if !["default", "bridge", "private", "pasta", "slirp4netns"].contains(name) {
                draft.lose("names of the other containers of \(name): by their addresses they are reached", origin)
                draft.warn(
                    "where docker network inspect \(name) says Internal, it was made with --internal and has no way out: network.mode = \"none\" has none",
                    origin)
            }
            draft.warn(
                "by pasta, as one of the jail's own without the engine's bridge: the host itself is not reached", origin
            )
        }
    }

    /// `isOwn`: the network is one of the jail's own that leads out.
    private mutating func writePorts(_ isOwn: Bool) {
        for option in all("publish") {
            guard isOwn else {
                draft.isOutside("the network has no ports to publish", option.directive)
                continue
            }
            let parts = option.value.split(separator: ":").count
            guard parts > 1 else {
                draft.lose("a port of the host by chance", option.directive)
                continue
            }
            // The engine listens at every address unless one is written, network.publish at 127.0.0.1.
            let port = parts == 2 ? "0.0.0.0:\(option.value)" : option.value
            guard Available.publishes(port) else {
                draft.lose("a form that network.publish has not", option.directive)
                continue
            }
            draft.append("network.publish", port, option.directive)
        }
    }

    private mutating func writeNames(_ isOwn: Bool) {
        for option in all("dns") {
            if isOwn {
                draft.append("network.dns", option.value, option.directive)
            } else {
                draft.lose("the host's are asked", option.directive)
            }
        }
    }

    private mutating func writeHosts() {
        let hosts = all("add-host")
        guard let first = hosts.first else { return }
        var text = "127.0.0.1 localhost\n::1 localhost\n"
        for option in hosts {
            let (name, address) = option.value.cut(option.value.contains("=") ? "=" : ":")
            guard let address, address != "host-gateway" else {
                draft.lose("the host's address", option.directive)
                continue
            }
            draft.isPart(option.directive)
            text += "\(address) \(name)\n"
        }
        mounts.add("/etc/hosts", [("type", .string("file")), ("content", .string(text))], first.directive, &draft)
    }
}
