import JailPlan
import JailSpec
import Kernel

/// What servers answer a watched program: the datagram that waits for recvfrom(2), which most resolvers call once poll(2) has told them
/// of it. It is looked at and left where it is.
struct NamesSeen {
    private let proc: HostProc
    private static let room = 4096
    private static let most = 64

    init(in proc: HostProc) { self.proc = proc }

    /// A name, in lower case, and addresses of it.
    struct Answer: Equatable {
        let name: String
        let addresses: [IPAddress]
    }

    /// What waits at a socket of the thread that asks; nil for anything but an answer with addresses from the port of such servers.
    func answer(_ question: Question) -> Answer? {
        do throws(KernelError) {
            let process = try RefusedProcess(thread: question.thread, in: proc).process
            let number = Int32(truncatingIfNeeded: question.arguments[0])
            guard let found = try peekDatagram(at: number, of: process, limit: Self.room),
                found.port == NameService.port
            else { return nil }
            return Self.read(found.bytes)
        } catch {
            return nil  // it has gone, or no other process may have its sockets
        }
    }

    /// Reads an answer that anybody may have written: strictly, and no more of it than a line has a use for.
    static func read(_ bytes: [UInt8]) -> Answer? {
        var reader = NameReader(bytes)
        // An answer to one question, without an error: RFC 1035.
        guard reader.number16() != nil, let flags = reader.number16(), flags >> 11 & 0x1F == 0x10, flags & 0xF == 0,
            reader.number16() == 1, reader.take(6) != nil, let name = reader.name(), let type = reader.number16(),
            reader.number16() == 1
        else { return nil }
        let text = RefusedNames.text(lower(name))
        guard isHost(text), let answer = JailRuntime.Answer(bytes, to: NameQuestion(name: name, type: type)),
            !answer.addresses.isEmpty
        else { return nil }
        return Answer(name: text, addresses: answer.addresses.prefix(most).map(\.address))
    }

    /// Whether `network.allow` takes it: letters, digits, hyphens and underscores; the last label is no number.
    private static func isHost(_ name: String) -> Bool {
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard let first = labels.last?.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return labels.allSatisfy { label in
            guard let first = label.first, let last = label.last, first != UInt8(ascii: "-"), last != UInt8(ascii: "-")
            else {
                return false
            }
            return label.count <= 63 && label.allSatisfy { !"\\*".utf8.contains($0) }
        }
    }
}
