import Kernel

/// A connection that came at a port of the host, and its counterpart in the jail.
final class CarriedConnection {
    let outer: Int32
    private let door: Publisher.Door
    /// −1 until it is being made.
    private var inner: Int32 = -1
    private var isConnected = false
    /// The addresses of the jail's loopback interface that are still to be tried.
    private var untried: [Bool]
    private var (toJail, toPeer): ([UInt8], [UInt8]) = ([], [])
    /// Which of the two has said that it writes no more.
    private var (outerEnded, innerEnded) = (false, false)
    private var interests: [Int32: Events.Interest] = [:]
    /// The descriptors of which nothing more is told.
    private var closed: [Int32] = []
    private var isOver = false

    init(outer: Int32, door: Publisher.Door) {
        (self.outer, self.door) = (outer, door)
        untried = [door.isIPv6, !door.isIPv6]
    }

    /// Tries the next address; without one the connection is refused, as the jail has refused it.
    func connect(in publisher: Publisher) throws(KernelError) {
        while !untried.isEmpty {
            do throws(KernelError) {
                inner = try connectToLoopback(isIPv6: untried.removeFirst(), port: door.jailPort, isDatagram: false)
            } catch {
                continue
            }
            interests[inner] = .writable
            return try publisher.adopt(inner, of: self)
        }
        end(in: publisher, isAbort: true)
    }

    /// Something has happened at one of its descriptors.
    func heed(_ descriptor: Int32, _ found: Events.Interest, in publisher: Publisher) throws(KernelError) {
        guard !isOver else { return }
        guard isConnected else {
            // The peer has reset it.
            if descriptor == outer { return end(in: publisher, isAbort: true) }
            if takeError(of: inner) == nil {
                isConnected = true
                return try proceed(in: publisher)
            }
            publisher.close(inner, isAbort: false)
            inner = -1
            return try connect(in: publisher)
        }
        if !found.isDisjoint(with: .broken), takeError(of: descriptor) != nil {
            return end(in: publisher, isAbort: true)
        }
        try proceed(in: publisher)
        // Both ends of it are closed, which would be told again and again while the rest is on its way.
        if !isOver, !found.isDisjoint(with: .broken) {
            closed.append(descriptor)
            try publisher.events.remove(descriptor)
        }
    }

    /// Carries what can be carried in both directions, and waits for what cannot.
    private func proceed(in publisher: Publisher) throws(KernelError) {
        guard pass(from: outer, to: inner, holding: &toJail, ended: &outerEnded),
            pass(from: inner, to: outer, holding: &toPeer, ended: &innerEnded)
        else { return end(in: publisher, isAbort: true) }
        if outerEnded && innerEnded { return end(in: publisher, isAbort: false) }
        try wait(for: outer, reading: !outerEnded && toJail.isEmpty, writing: !toPeer.isEmpty, in: publisher)
        try wait(for: inner, reading: !innerEnded && toPeer.isEmpty, writing: !toJail.isEmpty, in: publisher)
    }

    /// One direction; false where the connection has failed.
    private func pass(from source: Int32, to target: Int32, holding held: inout [UInt8], ended: inout Bool) -> Bool {
        if ended { return true }
        switch carry(from: source, to: target, holding: &held) {
        case .all, .held: break
        case .ended:
            ended = true
            endWriting(to: target)
        case .failed: return false
        }
        return true
    }

    private func wait(for descriptor: Int32, reading: Bool, writing: Bool, in publisher: Publisher) throws(KernelError)
    {
        var wanted: Events.Interest = []
        if reading { wanted.insert(.readable) }
        if writing { wanted.insert(.writable) }
        guard wanted != interests[descriptor] ?? [], !closed.contains(descriptor) else { return }
        interests[descriptor] = wanted
        try publisher.events.change(descriptor, to: wanted)
    }

    private func end(in publisher: Publisher, isAbort: Bool) {
        isOver = true
        publisher.close(outer, isAbort: isAbort)
        if inner >= 0 { publisher.close(inner, isAbort: isAbort) }
        publisher.noteEnd()
    }
}

/// A peer of UDP at a door.
struct ExchangeKey: Hashable {
    let door: Int
    let peer: DatagramPeer
}

/// What is exchanged with one peer of UDP.
final class CarriedExchange {
    let key: ExchangeKey
    /// The socket in the jail by which the peer's datagrams are sent.
    let inner: Int32
    let isIPv6: Bool
    var lastUse = monotonicNanoseconds()
    var hasAnswered = false
    /// The last datagram, as long as nothing has been answered.
    var unanswered: [UInt8]?

    init(key: ExchangeKey, inner: Int32, isIPv6: Bool) { (self.key, self.inner, self.isIPv6) = (key, inner, isIPv6) }
}
