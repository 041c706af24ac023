import Kernel

/// A service manager as systemd offers itself: D-Bus on a socket of its own, without a bus between.
struct ManagerSocket: ~Copyable {
    private let socket: Descriptor
    private var received: [UInt8] = []
    /// That of the last call, where several are made.
    var serial: UInt32 = 0
    /// Until when all must be answered.
    private let deadline: Int

    /// The private socket of the manager that is the caller's; nil where there is none.
    static func path(uid: UInt32) -> String? {
        if uid == 0 { return Caller.exists("/run/systemd/private") ? "/run/systemd/private" : nil }
        let path = (environmentVariable("XDG_RUNTIME_DIR") ?? "/run/user/\(uid)") + "/systemd/private"
        return Caller.exists(path) ? path : nil
    }

    private init(connected: consuming Descriptor, until deadline: Int) {
        socket = connected
        self.deadline = deadline
    }

    /// Connects to the caller's manager, for so many milliseconds in all: by default those that D-Bus has for one call.
    static func open(uid: UInt32, within patience: Int = 25_000) throws(Failure) -> ManagerSocket {
        guard let path = path(uid: uid) else { throw Failure(.scopeRefused, text: "no socket of its own") }
        let deadline = monotonicNanoseconds() + patience * 1_000_000
        let connection = try failing { () throws(KernelError) in
            do throws(KernelError) {
                return try connectStream(to: path, within: patience)
            } catch {
                // unix(7): what nobody accepts in that time.
                throw error.errno == .again ? KernelError(.connect, .timedOut, path: path) : error
            }
        }
        var manager = ManagerSocket(connected: connection, until: deadline)
        try manager.authenticate(uid)
        return manager
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
        let now = monotonicNanoseconds()
        let left = deadline > now ? Int32((deadline - now) / 1_000_000) : 0
        let more = try failing { () throws(KernelError) in
            try readSome(socket.number, limit: 16384, milliseconds: left)
        }
        guard !more.isEmpty, received.count < 1 << 20 else { throw Failure(.scopeRefused, text: "it hung up") }
        received += more
    }
}
