import JailSpec
import SpecFile

/// The two buses of D-Bus: the jail shows the socket of one where the profile does.
///
/// What may go over a bus that is filtered is decided by xdg-dbus-proxy(1), which firejail starts beside its jail. Here whoever
/// launches does: the jail shows the socket of the proxy, and no bus where there is none.
extension FirejailImport {
    private struct Bus {
        let key: String
        /// Where programs look for it.
        let socket: String
        /// What the proxy is told to connect to.
        let address: String
        let isSystem: Bool
    }

    private static let buses = [
        Bus(
            key: "dbus-user", socket: "${XDG_RUNTIME_DIR}/bus", address: "\"$DBUS_SESSION_BUS_ADDRESS\"",
            isSystem: false),
        Bus(
            key: "dbus-system", socket: "/run/dbus/system_bus_socket",
            address: "unix:path=/run/dbus/system_bus_socket", isSystem: true),
    ]

    mutating func writeBuses() {
        for bus in Self.buses {
            let policy = last(bus.key)?.value
            if policy != nil && policy != "allow" || has("nodbus") { places.remove(within: bus.socket) }
            for line in all(bus.key) {
                switch line.value {
                case "none": draft.isInForce(.absent([bus.socket]), line.directive)
                case "allow": places.add(bus.socket, .bind(source: bus.socket), line.directive)
                case "filter":
                    draft.isPart(line.directive)
                    if policy == "filter", !has("nodbus") { filter(bus, line.directive) }
                default: draft.fail("\(bus.key) takes none, filter or allow", line.directive)
                }
            }
            for rule in Self.rules {
                for line in all("\(bus.key).\(rule)") { draft.isPart(line.directive) }
            }
            for line in all("\(bus.key).log") { draft.isOutside("", line.directive) }
        }
        for line in all("nodbus") { draft.isInForce(.absent(Self.buses.map(\.socket)), line.directive) }
    }

    private static let rules = ["talk", "own", "see", "call", "broadcast"]

    /// Shows the proxy's socket, and says how the proxy is started.
    private mutating func filter(_ bus: Bus, _ directive: Directive) {
        let profile = directive.position.file.split(separator: "/").last.map(String.init) ?? "jail"
        let base = String(profile.prefix { $0 != "." })
        let name = "\(base).\(bus.isSystem ? "system-" : "")bus"
        var options = ["--filter"]
        for rule in Self.rules {
            for line in all("\(bus.key).\(rule)") { options.append(shellWord("--\(rule)=\(line.value)")) }
        }
        places.add(bus.socket, .bind(source: "${XDG_RUNTIME_DIR}/\(literal(name))"), directive)
        if !bus.isSystem {
            draft.setVariable("DBUS_SESSION_BUS_ADDRESS", "unix:path=${XDG_RUNTIME_DIR}/bus", directive)
        }
        draft.warn(
            "by a proxy that is started first, without which there is no bus: "
                + "xdg-dbus-proxy \(bus.address) \"$XDG_RUNTIME_DIR/\(name)\" \(options.joined(separator: " "))",
            directive)
    }
}
