import JailSpec
import Kernel

/// Carries connections and datagrams from ports of the host to ports of a jail's loopback interface: a process outside, which has
/// entered the jail's network, while the ports were opened in the host's. There is no route and no rule between the two.
///
/// It has no capability, is seen by nobody in the jail, and looks at nothing of what it carries.
final class Publisher {
    /// A port that is open, and where in the jail it leads.
    struct Door {
        let socket: Int32
        let jailPort: UInt16
        let isDatagram: Bool
        /// Which loopback address of the jail is tried first; the other comes after it.
        let isIPv6: Bool
    }

    /// Whose descriptor something has happened at.
    private enum Owner {
        case door(Int)
        case connection(CarriedConnection)
        case exchange(CarriedExchange)
    }

    let doors: [Door]
    let events: Events
    private var owners: [Int32: Owner] = [:]
    /// How many descriptors there can be for connections, which take two each, and for exchanges; how many connections there are.
    private let room: Int
    private var connections = 0
    private var connectionsEnded = 0
    /// What is closed when the round is over: until then its number must be nobody else's, as something may have happened at it.
    private var ended: [(descriptor: Int32, isAbort: Bool)] = []
    /// Whether connections are let wait, as there is no room for one more.
    private var isFull = false
    private var exchanges: [ExchangeKey: CarriedExchange] = [:]
    private var lastLook = monotonicNanoseconds()

    /// How many peers of UDP are remembered, and how long one that is silent.
    private static let exchangeLimit = 512
    private static let silence = 120_000_000_000

    private init(_ doors: [Door], table: UInt64) throws(KernelError) {
        self.doors = doors
        room = Int(clamping: table) - doors.count - 8
        events = try Events()
        for (index, door) in doors.enumerated() { try add(door.socket, .door(index), for: .readable) }
    }

    /// The whole life of the process, which is in the jail's network by now; says that it is ready by a byte to `ready`.
    static func live(
        _ doors: [Door], of launcher: Int32, in network: Int32, _ proc: Int32, telling ready: Int32
    ) throws(KernelError) -> Never {
        guard try makesSockets(in: network) else {
            try writeAll(2, Array("its sockets do not belong to the network of the jail\n".utf8))
            exitNow(125)
        }
        closeDescriptor(network)
        try letBind(doors.map(\.jailPort).min() ?? 1024, proc)
        closeDescriptor(proc)
        try setCapabilities(permitted: 0, effective: 0, inheritable: 0)
        try forbidNewPrivileges()
        try HelperProcess.endWith(launcher)
        try setDumpable(false)
        let publisher = try Publisher(doors, table: try raiseTable())
        try writeAll(ready, [1])
        closeDescriptor(ready)
        while true { try publisher.turn() }
    }

    /// The command, which keeps no capability, is to have the ports that are published of its own network. `proc` is the host's,
    /// which shows each process the settings of the network that it is in.
    private static func letBind(_ lowest: UInt16, _ proc: Int32) throws(KernelError) {
        let path = "sys/net/ipv4/ip_unprivileged_port_start"
        let setting: Descriptor
        do throws(KernelError) {
            setting = try Kernel.open(path, at: proc, .readWrite | .noTerminal)
        } catch {
            // A container's /proc/sys is read-only, or not there: a command with net_bind_service has them all the same.
            guard [.readOnly, .accessDenied, .notPermitted, Errno.noEntry].contains(error.errno) else { throw error }
            return
        }
        func read() throws(KernelError) -> Int? {
            lines(try readBytes(setting.number, at: 0, upTo: 32)).first.flatMap { Int($0) }
        }
        // Only down: the host may have left it lower.
        guard let old = try read(), old > lowest else { return }
        try writeBytes(Array("\(lowest)".utf8), to: setting.number, at: 0)
        let found = try read()
        guard found == Int(lowest) else {
            try writeAll(
                2, Array("ports from \(lowest) on are to be had, and the kernel says from \(found ?? 0) on\n".utf8))
            exitNow(125)
        }
    }

    /// How many descriptors this process can have: as many as it may.
    private static func raiseTable() throws(KernelError) -> UInt64 {
        let (soft, hard) = try resourceLimit(Resource.nofile.rawValue)
        let wanted = min(hard, 1 << 16)
        if soft < wanted { try setResourceLimit(Resource.nofile.rawValue, soft: wanted, hard: hard) }
        return max(soft, wanted)
    }

    private func turn() throws(KernelError) {
        // Where no connection ends that could be waited for, it is tried again.
        let isStuck = isFull && connections == 0
        let found = try events.wait(milliseconds: isStuck ? 100 : exchanges.isEmpty ? nil : 30_000)
        if isStuck { try goOn() }
        for (descriptor, interest) in found {
            // What the same round has closed is nobody's any more.
            switch owners[descriptor] {
            case .door(let index)?: try open(index)
            case .connection(let connection)?: try connection.heed(descriptor, interest, in: self)
            case .exchange(let exchange)?: try heed(exchange)
            case nil: break
            }
        }
        try forgetSilent()
        try settle()
    }

    private func add(_ descriptor: Int32, _ owner: Owner, for interest: Events.Interest) throws(KernelError) {
        owners[descriptor] = owner
        try events.add(descriptor, for: interest)
    }

    /// Takes what waits at a door, though not without an end where others wait as well.
    private func open(_ index: Int) throws(KernelError) {
        let door = doors[index]
        for _ in 0..<64 {
            if door.isDatagram {
                guard try take(at: index) else { return }
            } else {
                guard 2 * connections + exchanges.count + 2 <= room else { return try holdBack() }
                guard try admit(door) else { return }
            }
        }
    }

    /// The next connection at a door; false where there is none.
    private func admit(_ door: Door) throws(KernelError) -> Bool {
        let socket: Int32?
        do throws(KernelError) {
            socket = try accept(door.socket)
        } catch {
            // The host itself is out of descriptors or memory.
            try holdBack()
            return false
        }
        guard let socket else { return false }
        connections += 1
        try CarriedConnection(outer: socket, door: door).connect(in: self)
        return true
    }

    /// One of a connection's descriptors, from here on.
    func add(
        _ descriptor: Int32, of connection: CarriedConnection, for interest: Events.Interest
    ) throws(KernelError) {
        try add(descriptor, .connection(connection), for: interest)
    }

    /// Closes one of a connection's descriptors; `isAbort` where its other end is to be told of a failure.
    func close(_ descriptor: Int32, isAbort: Bool) {
        owners[descriptor] = nil
        ended.append((descriptor, isAbort))
    }

    /// A connection has ended, of which nothing more is to be told.
    func noteEnd() { connectionsEnded += 1 }

    /// Closes what has ended, so that there is room for others.
    private func settle() throws(KernelError) {
        for (descriptor, isAbort) in ended {
            if isAbort { abortConnection(descriptor) } else { closeDescriptor(descriptor) }
        }
        ended = []
        guard connectionsEnded > 0 else { return }
        connections -= connectionsEnded
        connectionsEnded = 0
        try goOn()
    }

    private func goOn() throws(KernelError) {
        guard isFull else { return }
        isFull = false
        for door in doors where !door.isDatagram { try events.change(door.socket, to: .readable) }
    }

    /// Whoever waits in the queue of a listener does so until a connection ends.
    private func holdBack() throws(KernelError) {
        isFull = true
        for door in doors where !door.isDatagram { try events.change(door.socket, to: []) }
    }
}

// Datagrams: what comes from one peer goes to the jail by a socket of its own, by which the answers come back.
extension Publisher {
    /// Carries the next datagram of a door into the jail; false where there is none.
    private func take(at index: Int) throws(KernelError) -> Bool {
        let next: (bytes: [UInt8], peer: DatagramPeer)?
        do throws(KernelError) {
            next = try receiveDatagram(doors[index].socket)
        } catch {
            return false  // the kernel tells here that an answer could not be delivered
        }
        guard let (bytes, peer) = next else { return false }
        let key = ExchangeKey(door: index, peer: peer)
        var known = exchanges[key]
        if known == nil { known = try begin(key) }
        guard let exchange = known else { return true }
        exchange.lastUse = monotonicNanoseconds()
        exchange.unanswered = exchange.hasAnswered ? nil : bytes
        sendDatagram(bytes, over: exchange.inner)
        return true
    }

    private func begin(_ key: ExchangeKey) throws(KernelError) -> CarriedExchange? {
        if exchanges.count >= Self.exchangeLimit, let oldest = exchanges.values.min(by: { $0.lastUse < $1.lastUse }) {
            end(oldest)
        }
        let door = doors[key.door]
        guard let inner = connected(door.isIPv6, door) ?? connected(!door.isIPv6, door) else { return nil }
        let exchange = CarriedExchange(key: key, inner: inner, isIPv6: door.isIPv6)
        exchanges[key] = exchange
        try add(inner, .exchange(exchange), for: .readable)
        return exchange
    }

    private func connected(_ isIPv6: Bool, _ door: Door) -> Int32? {
        do throws(KernelError) {
            return try connectToLoopback(isIPv6: isIPv6, port: door.jailPort, isDatagram: true).socket
        } catch {
            return nil  // no room, or no such protocol: a datagram is lost
        }
    }

    private func heed(_ exchange: CarriedExchange) throws(KernelError) {
        let door = doors[exchange.key.door]
        do throws(KernelError) {
            for _ in 0..<64 {
                guard let (bytes, _) = try receiveDatagram(exchange.inner) else { return }
                exchange.hasAnswered = true
                exchange.unanswered = nil
                exchange.lastUse = monotonicNanoseconds()
                sendDatagram(bytes, over: door.socket, to: exchange.key.peer)
            }
        } catch {
            // Nobody receives there; perhaps somebody does at the other address.
            let lost = exchange.unanswered
            end(exchange)
            guard let lost, exchange.isIPv6 == door.isIPv6, let inner = connected(!door.isIPv6, door) else { return }
            let other = CarriedExchange(key: exchange.key, inner: inner, isIPv6: !door.isIPv6)
            exchanges[exchange.key] = other
            try add(inner, .exchange(other), for: .readable)
            sendDatagram(lost, over: inner)
        }
    }

    private func end(_ exchange: CarriedExchange) {
        exchanges[exchange.key] = nil
        close(exchange.inner, isAbort: false)
    }

    private func forgetSilent() throws(KernelError) {
        if exchanges.isEmpty { return }
        let now = monotonicNanoseconds()
        guard now - lastLook > 30_000_000_000 else { return }
        lastLook = now
        for exchange in Array(exchanges.values) where now - exchange.lastUse > Self.silence { end(exchange) }
    }
}
