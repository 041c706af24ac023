import Kernel

/// A connection that came at a port of the host, and its counterpart in the jail.
final class CarriedConnection {
    /// One of its two ends here.
    private struct End {
        /// −1 for one that is not there.
        let descriptor: Int32
        /// What is told of it; nil as long as nothing is.
        var interest: Events.Interest?
        /// Its peer has said that it writes no more.
        var hasEnded = false
        /// What came from the other end, and its peer has not taken yet.
        var held: [UInt8] = []
        /// Both its directions are over, which would be told again and again: it is heard of once more of it can be carried.
        var isQuiet = false
    }

    private let door: Publisher.Door
    private var outer: End
    private var inner = End(descriptor: -1)
    private var isConnected = false
    /// How many addresses of the jail's loopback interface have been tried.
    private var tries = 0
    private var isOver = false

    init(outer: Int32, door: Publisher.Door) {
        self.door = door
        self.outer = End(descriptor: outer)
    }

    /// Tries the next address; without one the connection is refused, as the jail has refused it.
    func connect(in publisher: Publisher) throws(KernelError) {
        while tries < 2 {
            let isIPv6 = door.isIPv6 != (tries == 1)
            tries += 1
            do throws(KernelError) {
                let made = try connectToLoopback(isIPv6: isIPv6, port: door.jailPort, isDatagram: false)
                (inner, isConnected) = (End(descriptor: made.socket), made.isThere)
            } catch {
                continue
            }
            // What it was made for has mostly been sent by now.
            if isConnected { return try proceed(from: outer.descriptor, in: publisher) }
            try tell(of: &inner, .writable, in: publisher)
            return try tell(of: &outer, [], in: publisher)
        }
        end(in: publisher, isAbort: true)
    }

    /// Something has happened at one of its descriptors.
    func heed(_ descriptor: Int32, _ found: Events.Interest, in publisher: Publisher) throws(KernelError) {
        guard !isOver else { return }
        guard isConnected else { return try heedConnecting(descriptor, in: publisher) }
        let isBroken = !found.isDisjoint(with: .broken)
        if isBroken, takeError(of: descriptor) != nil { return end(in: publisher, isAbort: true) }
        try proceed(
            from: isBroken || !found.isDisjoint(with: [.readable, .ended]) ? descriptor : nil,
            to: isBroken || found.contains(.writable) ? descriptor : nil,
            untilEnd: isBroken || found.contains(.ended), in: publisher)
        guard isBroken, !isOver else { return }
        if descriptor == outer.descriptor {
            try silence(&outer, in: publisher)
        } else {
            try silence(&inner, in: publisher)
        }
    }

    private func heedConnecting(_ descriptor: Int32, in publisher: Publisher) throws(KernelError) {
        // The peer has reset it.
        if descriptor == outer.descriptor { return end(in: publisher, isAbort: true) }
        if takeError(of: descriptor) == nil {
            isConnected = true
            return try proceed(from: outer.descriptor, in: publisher)
        }
        publisher.close(descriptor, isAbort: false)
        inner = End(descriptor: -1)
        try connect(in: publisher)
    }

    /// Carries what has come at `source`, and what is held back for `target`, and waits for what cannot be carried yet. What is left at
    /// `source` is told again, but `untilEnd` is looked for at once.
    private func proceed(
        from source: Int32?, to target: Int32? = nil, untilEnd: Bool = false, in publisher: Publisher
    ) throws(KernelError) {
        var isWhole = true
        if source == outer.descriptor || target == inner.descriptor {
            isWhole = Self.pass(from: &outer, to: &inner, untilEnd)
        }
        if isWhole, source == inner.descriptor || target == outer.descriptor {
            isWhole = Self.pass(from: &inner, to: &outer, untilEnd)
        }
        if !isWhole || outer.hasEnded && inner.hasEnded { return end(in: publisher, isAbort: !isWhole) }
        try tell(of: &outer, Self.awaited(at: outer, while: inner), in: publisher)
        try tell(of: &inner, Self.awaited(at: inner, while: outer), in: publisher)
    }

    /// One direction; false where the connection has failed.
    private static func pass(from source: inout End, to target: inout End, _ untilEnd: Bool) -> Bool {
        if source.hasEnded { return true }
        switch carry(from: source.descriptor, to: target.descriptor, holding: &target.held, untilEnd: untilEnd) {
        case .all, .held: break
        case .ended:
            source.hasEnded = true
            // One that has been read to its end is closed now.
            if !target.hasEnded { endWriting(to: target.descriptor) }
        case .failed: return false
        }
        return true
    }

    /// More of it, where the other end's peer has taken all; room for what is held back.
    private static func awaited(at end: End, while other: End) -> Events.Interest {
        var wanted: Events.Interest = []
        if !end.hasEnded && other.held.isEmpty { wanted.formUnion([.readable, .ended]) }
        if !end.held.isEmpty { wanted.insert(.writable) }
        return wanted
    }

    private func tell(
        of end: inout End, _ wanted: Events.Interest, in publisher: Publisher
    ) throws(KernelError) {
        guard wanted != end.interest, !(end.isQuiet && wanted.isEmpty) else { return }
        if end.interest == nil {
            try publisher.add(end.descriptor, of: self, for: wanted)
        } else {
            try publisher.events.change(end.descriptor, to: wanted)
        }
        (end.interest, end.isQuiet) = (wanted, false)
    }

    private func silence(_ end: inout End, in publisher: Publisher) throws(KernelError) {
        guard end.interest == [] else { return }
        (end.interest, end.isQuiet) = (nil, true)
        try publisher.events.remove(end.descriptor)
    }

    private func end(in publisher: Publisher, isAbort: Bool) {
        isOver = true
        publisher.close(outer.descriptor, isAbort: isAbort)
        if inner.descriptor >= 0 { publisher.close(inner.descriptor, isAbort: isAbort) }
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
