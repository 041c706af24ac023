import Kernel
import Testing

@testable import JailRuntime

/// Who comes first decides whether the command runs.
@Suite struct StageTests {
    @Test func whatIsAbandonedIsNotExecuted() throws {
        let stage = try Stage()
        #expect(stage.state == .preparing && stage.abandon() && stage.state == .abandoned)
        #expect(!stage.beginExecution() && !stage.noteRunning() && !stage.abandon() && !stage.abandonExecution())
    }

    @Test func whatIsExecutedIsNotAbandonedAsIfItHadNotBegun() throws {
        let stage = try Stage()
        #expect(stage.beginExecution() && stage.state == .executing && !stage.abandon() && !stage.beginExecution())
        #expect(stage.noteRunning() && stage.state == .running && !stage.abandonExecution() && !stage.abandon())
    }

    @Test func anExecutionThatTakesTooLongIsAbandonedOnce() throws {
        let stage = try Stage()
        #expect(stage.beginExecution() && stage.abandonExecution() && !stage.noteRunning())
        #expect(stage.state == .abandoned)
    }

    /// Otherwise this test does not end.
    @Test func nobodyWaitsForAWatcherThatIsThere() throws {
        let stage = try Stage()
        stage.noteWatched()
        stage.awaitWatcher()
        stage.step = 70_000
        #expect(stage.step == 70_000)
    }
}

/// What does not take what it is given is left within the time.
@Suite struct WriteWithinTests {
    @Test func aFullPipeIsLeft() throws {
        let (reading, writing) = try makePipe()
        defer { for end in [reading, writing] { closeDescriptor(end) } }
        try writeAll(writing, [1, 2, 3], within: 1000)
        #expect(try readSome(reading) == [1, 2, 3])
        let begin = monotonicNanoseconds()
        #expect(throws: KernelError.self) {
            try writeAll(writing, [UInt8](repeating: 7, count: 1 << 20), within: 100)
        }
        #expect(monotonicNanoseconds() - begin > 90_000_000)
    }
}
