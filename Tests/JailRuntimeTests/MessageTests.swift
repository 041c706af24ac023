import Kernel
import Testing

@testable import JailRuntime

/// What crosses the channel arrives as it was sent.
@Suite struct MessageTests {
    static let plain: [Message] = [
        .done(step: 0), .done(step: 65535), .reached(step: 300), .forward(1), .forward(64), .typed(2), .foreground,
        .skipped(step: 0),
        .skipped(step: 255), .skipped(step: 256),
        .skipped(step: 65535), .terminal, .alarm(milliseconds: nil),
        .alarm(milliseconds: 0), .alarm(milliseconds: .max), .changed(.exited(0)), .changed(.exited(255)),
        .changed(.signaled(9)),
        .changed(.stopped(20)), .listener(command: 2), .listener(command: 4_194_304), .unheard(Errno(rawValue: 16)),
    ]

    @Test(arguments: plain) func roundTrip(_ message: Message) throws {
        let arrived = try #require(Message(message.bytes))
        #expect("\(arrived)" == "\(message)" && message.bytes.count <= Message.limit)
    }

    @Test func kindsAreToldApart() { #expect(Set(Self.plain.map { $0.bytes }).count == Self.plain.count) }

    private func arrived(_ failure: Failure) throws -> Failure {
        let message = Message.failed(failure)
        #expect(message.bytes.count <= Message.limit)
        guard case .failed(let arrived)? = Message(message.bytes) else {
            Issue.record("not a failure any more")
            return failure
        }
        return arrived
    }

    @Test(arguments: [0, 1, 255, 256, 40_000]) func failures(_ step: Int) throws {
        var failure = Failure(.interpreterMissing, call: .execve, errno: .noEntry, text: "/bin/ä")
        failure.step = step
        let arrived = try arrived(failure)
        #expect(arrived.step == step && arrived.cause == .interpreterMissing && arrived.call == .execve)
        #expect(arrived.errno == .noEntry && arrived.text == "/bin/ä")
    }

    /// A reaper that gives up is no launch that failed.
    @Test func aLossIsNoFailure() throws {
        let message = Message.lost(Failure(.kernel, call: .select, errno: .invalid, text: "x"))
        guard case .lost(let arrived)? = Message(message.bytes) else {
            Issue.record("not a loss any more")
            return
        }
        #expect(arrived.call == .select && arrived.errno == .invalid && arrived.text == "x" && arrived.step == -1)
        #expect(Outcome(ending: .lost(arrived)).status == 137)
    }

    @Test func everyCauseAndCall() throws {
        for cause in (UInt8(0)...255).compactMap({ Cause(rawValue: $0) }) {
            for call in (UInt8(0)...255).compactMap({ Call(rawValue: $0) }) {
                let arrived = try arrived(Failure(cause, call: call, errno: Errno(rawValue: 133)))
                #expect(arrived.cause == cause && arrived.call == call && arrived.errno.rawValue == 133)
            }
        }
    }

    /// A path of 4,095 bytes does not fit: what fits is kept.
    @Test func longTextsAreCut() throws {
        let arrived = try arrived(Failure(.kernel, text: String(repeating: "ä", count: 2047)))
        #expect(arrived.text.hasPrefix("ääää") && arrived.text.utf8.count > 900)
    }

    /// −1, "outside of every step", is no index on the other side either.
    @Test func outsideOfEveryStep() throws {
        let step = try arrived(Failure(.launcherGone)).step
        #expect(step == -1)
    }

    @Test(arguments: [
        [UInt8](), [0], [200], [255, 1], [3], [3, 0, 0, 0, 0], [3, 255, 0, 0, 0, 0], [3, 0, 255, 0, 0, 0],
    ])
    func whatNobodySendsIsNoMessage(_ bytes: [UInt8]) { #expect(Message(bytes) == nil) }

    @Test func anyBytesAreSurvived() {
        for kind in UInt8(0)...255 { for length in 0..<8 { _ = Message([UInt8](repeating: kind, count: length)) } }
    }
}
