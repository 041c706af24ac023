import JailPlan
import JailSpec
import Kernel

/// The sockets of a jail's resolver, all in the jail's network but opened by immure.
struct NameSockets {
    let datagrams: Int32
    let streams: Int32
    /// Where its rules are changed.
    let rules: Int32
    /// Where what was refused is written down.
    let refused: Int32

    var descriptors: [Int32] { [datagrams, streams, rules, refused] }
}

/// Answers the jail's questions for names of `network.allow`: a process of the launcher's, outside the jail. It asks the servers that the
/// plan names, from the host's network, and has the rules let packets through to an address before it tells the jail of it.
///
/// It believes neither side. A question is put to a server in words of its own; an answer counts where it comes from the server that was
/// asked, to the port and with the number that were drawn for this question, and for the name that was asked for. It waits for
/// nobody, and keeps to what it has room for.
struct NameResolver {
    let service: NameService
    let sockets: NameSockets
    var opened: OpenedAddresses
    var refused: RefusedNames
    private var tally: ServerTally
    var translators = Translators()
    /// Questions that a server was asked.
    var exchanges: [Exchange] = []
    var connections: [Connection] = []
    /// The next connection's number.
    private var serial = 0

    private static let mostExchanges = 512
    private static let mostConnections = 64
    /// How many datagrams are read before anything else is looked after.
    private static let round = 64
    /// How long no connection is taken for want of a descriptor, in nanoseconds.
    private static let recovery = 100_000_000
    private var closedUntil = 0
    /// The longest question that is read.
    private static let longest = 4096
    /// Addresses of one answer that the jail is told of.
    private static let mostAddresses = SetElement.most

    init(_ service: NameService, _ sockets: NameSockets) {
        (self.service, self.sockets) = (service, sockets)
        opened = OpenedAddresses(changing: sockets.rules)
        refused = RefusedNames(writing: sockets.refused)
        tally = ServerTally(of: service.servers, writing: sockets.refused)
    }

    /// Its whole life: it is killed.
    mutating func serve() throws(KernelError) -> Never {
        while true { try turn() }
    }

    private mutating func turn() throws(KernelError) {
        var watches = [
            Watch(sockets.datagrams),
            Watch(connections.count < Self.mostConnections && closedUntil == 0 ? sockets.streams : -1),
        ]
        watches += connections.map(\.watch)
        let first = watches.count
        watches += exchanges.map(\.watch)
        try poll(&watches, milliseconds: patience(monotonicNanoseconds()))
        let now = monotonicNanoseconds()
        // From the last to the first: what is over is taken out.
        for index in exchanges.indices.reversed() {
            if watches[first + index].isReady {
                try hear(index, now)
            } else if now >= exchanges[index].due {
                try askNext(index, now)
            }
        }
        for index in connections.indices.reversed() where watches[2 + index].isReady || now >= connections[index].due {
            try heed(index, watches[2 + index].isReady, now)
        }
        if now >= closedUntil { closedUntil = 0 }
        if watches[1].isReady { takeConnection(now) }
        if watches[0].isReady { try readDatagrams(now) }
        try takeHeld(now)
    }

    private mutating func takeConnection(_ now: Int) {
        do throws(KernelError) {
            guard let connection = try acceptNow(sockets.streams) else { return }
            serial += 1
            connections.append(Connection(socket: connection, serial: serial, now: now))
        } catch {
            closedUntil = now + Self.recovery
        }
    }

    /// How long nothing may happen, in milliseconds.
    private func patience(_ now: Int) -> Int32? {
        var due: Int?
        for one in exchanges { due = min(due ?? .max, one.due) }
        for one in connections { due = min(due ?? .max, one.due) }
        if closedUntil > 0 { due = min(due ?? .max, closedUntil) }
        return due.map { Int32(clamping: max(0, $0 - now + 999_999) / 1_000_000) }
    }

    private mutating func readDatagrams(_ now: Int) throws(KernelError) {
        for _ in 0..<Self.round {
            guard let (bytes, sender) = try receiveDatagram(from: sockets.datagrams, limit: Self.longest) else {
                return
            }
            try handle(bytes, from: .datagram(sender), now)
        }
    }

    private mutating func handle(_ bytes: [UInt8], from asker: Asker, _ now: Int) throws(KernelError) {
        switch AskedMessage.read(bytes) {
        case .nothing: drop(asker)
        case .answered(let message): reply(message, to: asker)
        case .asked(let asked): try handle(asked, from: asker, now)
        }
    }

    private mutating func handle(_ asked: AskedMessage, from asker: Asker, _ now: Int) throws(KernelError) {
        let groups = service.groups(of: lower(asked.question.name))
        guard !groups.isEmpty else {
            try refused.note(asked)
            return reply(Answer.empty(Answer.Code.refused.rawValue, to: asked), to: asker)
        }
        guard asked.question.isOfRecords else {
            return reply(Answer.empty(Answer.Code.notImplemented.rawValue, to: asked), to: asker)
        }
        // One that is asked again before it was answered.
        if exchanges.contains(where: {
            $0.asker == asker && $0.asked.id == asked.id && $0.asked.question == asked.question
        }) {
            return
        }
        guard exchanges.count < Self.mostExchanges else {
            return reply(Answer.empty(Answer.Code.failed.rawValue, to: asked), to: asker)
        }
        if asked.question.type == NameQuestion.six { try askForTranslators(now) }
        try begin(Exchange(asker: asker, asked: asked, groups: groups), now)
    }

    mutating func begin(_ exchange: Exchange, _ now: Int) throws(KernelError) {
        exchanges.append(exchange)
        try askNext(exchanges.count - 1, now)
    }

    /// Puts a question to the next of the servers; none is left where each had its turn.
    private mutating func askNext(_ index: Int, _ now: Int) throws(KernelError) {
        while exchanges[index].askNext(of: service.servers, now) {
            if exchanges[index].asker != .nobody,
                let server = exchanges[index].firstAsked(of: service.servers.count)
            {
                try tally.noteQuestion(to: server)
            }
            if exchanges[index].socket >= 0 { return }
        }
        finish(index, Answer.empty(Answer.Code.failed.rawValue, to: exchanges[index].asked))
    }

    private mutating func hear(_ index: Int, _ now: Int) throws(KernelError) {
        switch exchanges[index].hear() {
        case .nothing: return
        case .gone: try askNext(index, now)
        case .message(let bytes): try take(bytes, index, now)
        }
    }

    /// An answer of the server that was asked.
    mutating func take(_ bytes: [UInt8], _ index: Int, _ now: Int) throws(KernelError) {
        let exchange = exchanges[index]
        if let server = exchanges[index].heardFirst(of: service.servers.count), exchange.asker != .nobody {
            try tally.noteAnswer(of: server)
        }
        guard var answer = Answer(bytes, to: exchange.asked.question) else { return try askNext(index, now) }
        if answer.isTruncated, !exchange.isStream {
            if !exchanges[index].askWhole(of: service.servers, now) { try askNext(index, now) }
            return
        }
        // What a server of RFC 1035 says to what it does not know, RFC 6891.
        if [Answer.Code.malformed, .notImplemented].contains(where: { $0.rawValue == answer.code }), !exchange.isBare {
            if !exchanges[index].askBare(of: service.servers, now) { try askNext(index, now) }
            return
        }
        // As glibc does: another server may know better.
        if [Answer.Code.failed, .notImplemented, .refused].contains(where: { $0.rawValue == answer.code }),
            exchange.hasNext(of: service.servers)
        {
            return try askNext(index, now)
        }
        guard exchange.asked.question.wantsAddresses else {
            return finish(index, Answer.passed(bytes, to: exchange.asked))
        }
        if exchange.asker == .nobody { return learn(answer, index) }
        if exchange.asked.question.type == NameQuestion.six, !translators.areKnown {
            return exchanges[index].hold(bytes)
        }
        let isOpen = try open(&answer, for: exchange, now)
        finish(
            index,
            isOpen ? answer.message(to: exchange.asked) : Answer.empty(Answer.Code.failed.rawValue, to: exchange.asked))
    }

    /// Has the rules let packets through to what is told; false where they have no room for it.
    private mutating func open(
        _ answer: inout Answer, for exchange: Exchange, _ now: Int
    ) throws(KernelError) -> Bool {
        let (service, translators) = (service, translators.prefixes)
        func disposition(_ address: IPAddress) -> NameService.Disposition {
            service.disposition(of: address, behind: translators)
        }
        if let left = answer.addresses.first(where: { disposition($0.address) == .left }) {
            try refused.note(exchange.asked, leadingTo: left.address)
        }
        answer.keep(atMost: Self.mostAddresses) { disposition($0) != .left }
        do throws(KernelError) {
            try opened.open(
                answer.addresses.filter { disposition($0.address) == .opened }, of: exchange.groups, now: now)
            return true
        } catch {
            // A set is full, or the kernel has no memory. Any other reason is the end.
            guard [.tableFull, .noMemory, Errno.noBuffers].contains(error.errno) else { throw error }
            return false
        }
    }

    /// Tells the asker, and is done with its question.
    mutating func finish(_ index: Int, _ message: [UInt8]) {
        var exchange = exchanges.remove(at: index)
        exchange.close()
        if exchange.asker == .nobody { translators.beKnown() }
        reply(message, to: exchange.asker, room: exchange.asked.room ?? 512, asked: exchange.asked)
    }

    private mutating func reply(_ message: [UInt8], to asker: Asker, room: Int = 512, asked: AskedMessage? = nil) {
        switch asker {
        case .datagram(let sender):
            var message = message
            if message.count > room, let asked { message = Answer.empty(0, to: asked, truncated: true) }
            sendDatagram(message, to: sender, over: sockets.datagrams)
        case .connection(let serial):
            guard let index = connections.firstIndex(where: { $0.serial == serial }) else { return }
            connections[index].answer(message)
        case .nobody: break
        }
    }

    /// A connection on which something came that cannot be answered ends.
    private mutating func drop(_ asker: Asker) {
        guard case .connection(let serial) = asker, let index = connections.firstIndex(where: { $0.serial == serial })
        else { return }
        connections[index].isOver = true
    }

    /// A connection that can be read or written, or on which nothing happened for too long.
    private mutating func heed(_ index: Int, _ isReady: Bool, _ now: Int) throws(KernelError) {
        if isReady { connections[index].carry(now) } else { connections[index].isOver = true }
        while !connections[index].isOver, let question = connections[index].next() {
            connections[index].isWaiting = true
            try handle(question, from: .connection(connections[index].serial), now)
        }
        guard connections[index].isOver else { return }
        let serial = connections[index].serial
        for other in exchanges.indices.reversed() where exchanges[other].asker == .connection(serial) {
            var exchange = exchanges.remove(at: other)
            exchange.close()
        }
        closeDescriptor(connections.remove(at: index).socket)
    }
}
