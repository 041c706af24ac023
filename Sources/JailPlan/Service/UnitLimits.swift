import JailSpec
import SpecFile

/// `[limits]` and `[service]` as directives.
extension Unit {
    /// immure limits the jail in a cgroup below the unit's, which it must be given; the unit's own limits stand around that
    /// one and leave room for the launcher, so that it is always the jail that meets its limit.
    mutating func addLimits() {
        guard let limits = spec.limits else { return }
        let value = limits.value
        guard value.scope.value == .unit else { return }
        delegate(limits)
        let room: UInt64 = 16 << 20
        if let memory = value.memory {
            add("MemoryMax", "\(memory.value &+ room)", memory.position, "and 16 MiB for the launcher")
        }
        if let swap = value.swap { add("MemorySwapMax", "\(swap.value &+ room)", swap.position, "and as much") }
        if let cpu = value.cpu { add("CPUQuota", "\(cpu.value)%", cpu.position) }
        if let pids = value.pids {
            add("TasksMax", "\(pids.value &+ 16)", pids.position, "and some for the launcher")
        }
    }

    mutating func delegate(_ limits: Located<Limits>) {
        add("Delegate", "yes", limits.position, "immure makes a cgroup for the jail below the unit's")
        add("OOMPolicy", "continue", limits.position, "immure says itself what ran out of memory")
    }

    mutating func addService() {
        let service = spec.service
        if service.credentials.value {
            hint(
                "Credentials (\(place(service.credentials.position))), a line for each: LoadCredential=NAME:/etc/secret"
            )
        }
        if service.sockets.value {
            hint("Sockets (\(place(service.sockets.position))) come from \(name).socket, which --socket ADDRESS prints")
        }
        hint("Where the command reads its configuration again at SIGHUP: ExecReload=kill -HUP $MAINPID")
    }

    /// The first publication of a port that an ordinary user may not have, ip_unprivileged_port_start of ip(7) as the kernel sets it.
    private var lowPort: Located<Publication>? { spec.network.publish.first { $0.value.hostPort < 1024 } }

    /// Whether the launcher, started as an ordinary user, opens such a port.
    var bindsLowPort: Bool { startsAsUser && lowPort != nil }

    /// What the launcher needs for it.
    ///
    /// `over` is a unit that may have it already, or have taken it.
    mutating func addLowPort(over: ForeignUnit? = nil) {
        guard bindsLowPort, let port = lowPort else { return }
        if options.isUsers {
            return hint(
                "No user's manager gives port \(port.value.hostPort) (\(place(port.position))): publish one from 1024 on"
            )
        }
        let why = "the launcher opens the port; the command has the capability in the jail's own network at most"
        let name = "CAP_NET_BIND_SERVICE"
        func has(_ words: [String]) -> Bool { words.contains { $0.split(separator: " ").contains { $0 == name } } }
        if !has(over?.values("AmbientCapabilities") ?? []) {
            add("AmbientCapabilities", "\(plain: name)", port.position, why)
        }
        guard let over else { return }
        if over.settings.contains(where: { $0.name == "CapabilityBoundingSet" }) {
            add("CapabilityBoundingSet", "\(plain: name)", port.position, why)
        }
        if over.isOn("PrivateUsers") {
            add(
                "PrivateUsers", "no", port.position,
                "a user namespace of the service's own does not own the port's network")
        }
    }

    private func place(_ position: Position?) -> String { position?.description ?? "service" }
}
