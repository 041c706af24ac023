import Kernel

/// A service manager as systemd offers itself: D-Bus on a socket of its own, without a bus between.
struct ManagerSocket: ~Copyable {
    private let socket: Descriptor
    private var received: [UInt8] = []
    /// That of the last call, where several are made.
    var serial: UInt32 = 0
    /// Until when all must be answered.
    private let deadline: Int
    /// Where a signal is seen that ends the launch: nobody waits on for the manager then.
    private let signals: SignalQueue?

    /// The private socket of the manager that is the caller's; nil where there is none.
    static func path(uid: UInt32) -> String? {
        if uid == 0 { return Caller.exists("/run/systemd/private") ? "/run/systemd/private" : nil }
        let path = (environmentVariable("XDG_RUNTIME_DIR") ?? "/run/user/\(uid)") + "/systemd/private"
        return Caller.exists(path) ? path : nil
    }

    private init(connected: consuming Descriptor, until deadline: Int, noticing signals: SignalQueue?) {
        socket = connected
        self.deadline = deadline
        self.signals = signals
    }

    /// Connects to the caller's manager, for so many milliseconds in all: by default those that D-Bus has for one call. A signal
    /// that ends the launch is thrown as `.interrupted`.
    static func open(
        uid: UInt32, within patience: Int = defaultPatience, noticing signals: SignalQueue? = nil
    ) throws(Failure) -> ManagerSocket {
        guard let path = path(uid: uid) else { throw Failure(.scopeRefused, text: "no socket of its own") }
        let deadline = monotonicNanoseconds() + patience * 1_000_000
        let connection = try connect(to: path, until: deadline, noticing: signals)
        var manager = ManagerSocket(connected: connection, until: deadline, noticing: signals)
        try manager.authenticate(uid)
        return manager
    }

    /// Milliseconds: sd_bus_call(3).
    static let defaultPatience = 25_000

    /// connect(2) to a full queue waits by itself, and sees no signal of a descriptor: so a moment at a time.
    private static func connect(
        to path: String, until deadline: Int, noticing signals: SignalQueue?
    ) throws(Failure) -> Descriptor {
        while true {
            do throws(KernelError) {
                return try connectStream(to: path, within: signals == nil ? milliseconds(until: deadline) : 100)
            } catch {
                // unix(7): what nobody accepts in that time.
                guard error.errno == .again else { throw Failure(error) }
            }
            try notice(signals)
            guard monotonicNanoseconds() < deadline else {
                throw Failure(KernelError(.connect, .timedOut, path: path))
            }
        }
    }

    private static func notice(_ signals: SignalQueue?) throws(Failure) {
        let signal = try failing { () throws(KernelError) in try signals?.ending() }
        if let signal { throw Failure.interrupted(by: signal.number) }
    }

    /// At least 1: as a time for sending, 0 would be for ever.
    private static func milliseconds(until deadline: Int) -> Int {
        max(1, (deadline - monotonicNanoseconds()) / 1_000_000)
    }

    /// Says who is calling; the manager compares with what the kernel says of the socket.
    private mutating func authenticate(_ uid: UInt32) throws(Failure) {
        // The D-Bus specification, "Authentication Protocol": the user's number in decimal, its digits as hexadecimal.
        let digits = "\(uid)".utf8.map { "3\($0 - UInt8(ascii: "0"))" }.joined()
        try send(Array("\0AUTH EXTERNAL \(digits)\r\n".utf8))
        while !received.contains(UInt8(ascii: "\n")) { try receiveMore() }
        guard received.starts(with: Array("OK".utf8)) else {
            throw Failure(.scopeRefused, text: "it refuses this user")
        }
        received = []
        try send(Array("BEGIN\r\n".utf8))
    }

    func send(_ bytes: [UInt8]) throws(Failure) {
        try failing { () throws(KernelError) in try writeAll(socket.number, bytes) }
    }

    /// The next message.
    mutating func receive() throws(Failure) -> BusMessage {
        while true {
            if let size = BusMessage.size(of: received), received.count >= size {
                let message = BusMessage(Array(received[..<size]))
                received.removeFirst(size)
                guard let message else { throw Failure(.scopeRefused, text: "its answer makes no sense") }
                return message
            }
            try receiveMore()
        }
    }

    private mutating func receiveMore() throws(Failure) {
        try awaitMore()
        let more = try failing { () throws(KernelError) in
            try readSome(socket.number, limit: 16384, milliseconds: 0)
        }
        guard !more.isEmpty, received.count < 1 << 20 else { throw Failure(.scopeRefused, text: "it hung up") }
        received += more
    }

    /// Until there is something to read, the time is over (so that reading fails) or a signal ends the launch.
    private func awaitMore() throws(Failure) {
        var watches = [Watch(socket.number), Watch(signals?.descriptor ?? -1)]
        while !watches[0].isReady, monotonicNanoseconds() < deadline {
            try Self.notice(signals)
            let left = Int32(clamping: Self.milliseconds(until: deadline))
            try failing { () throws(KernelError) in try poll(&watches, milliseconds: left) }
        }
    }
}
