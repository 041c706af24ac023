import Kernel

/// A program of the jail's that asks by TCP: each message after its length, RFC 1035.
struct Connection {
    let socket: Int32
    let serial: Int
    /// When it is closed where nothing happens.
    private(set) var due: Int
    /// Whether a question of it is being answered: the next waits.
    var isWaiting = false
    var isOver = false
    private var input: [UInt8] = []
    private var output: [UInt8] = []

    private static let patience = 10_000_000_000
    /// What is read before a question is whole.
    private static let room = 4096

    init(socket: Int32, serial: Int, now: Int) {
        (self.socket, self.serial, due) = (socket, serial, now + Self.patience)
    }

    /// While an answer is awaited nothing is read, and an end is not noticed.
    var watch: Watch {
        if !output.isEmpty { return Watch(socket, for: .writable) }
        return Watch(isWaiting ? -1 : socket)
    }

    /// Sends and reads what can be at once.
    mutating func carry(_ now: Int) {
        due = now + Self.patience
        do throws(KernelError) {
            if !output.isEmpty {
                output.removeFirst(try sendNow(output[...], over: socket))
                return
            }
            guard let bytes = try receiveNow(socket, limit: Self.room) else { return }
            input += bytes
            if bytes.isEmpty { isOver = true }
        } catch {
            isOver = true
        }
    }

    /// The next question that is there whole; nil while another one is answered.
    mutating func next() -> [UInt8]? {
        guard !isWaiting, output.isEmpty, input.count >= 2 else { return nil }
        let length = Int(input[0]) << 8 | Int(input[1])
        // No question is that long.
        if length > Self.room { isOver = true }
        guard length <= Self.room, input.count >= 2 + length else { return nil }
        defer { input.removeFirst(2 + length) }
        return Array(input[2..<2 + length])
    }

    /// The answer to its question: sent when the socket can be written to.
    mutating func answer(_ message: [UInt8]) {
        output = bigEndian(UInt16(message.count)) + message
        isWaiting = false
    }
}
