import Testing

@testable import JailRuntime

@Suite struct DeadlineTests {
    @Test func withoutATimeoutPollWaitsForEver() {
        var deadline = Deadline(timeout: nil, grace: .seconds(1))
        #expect(deadline.milliseconds == nil && deadline.passed() == nil && !deadline.timedOut)
    }

    @Test func firstTerminateThenKillEachOnce() {
        var deadline = Deadline(timeout: .zero, grace: .zero)
        #expect(deadline.milliseconds == 0)
        #expect(deadline.passed() == .terminate && deadline.timedOut)
        #expect(deadline.passed() == .kill)
        #expect(deadline.passed() == nil && deadline.milliseconds == nil)
    }

    @Test func theGraceIsKept() {
        var deadline = Deadline(timeout: .zero, grace: .seconds(60))
        #expect(deadline.passed() == .terminate && deadline.passed() == nil)
        #expect(deadline.milliseconds.map { (59_000...60_000).contains($0) } == true)
    }

    /// Somebody else's SIGTERM begins the grace as well, and is no timeout.
    @Test func aRequestIsNoTimeout() {
        var deadline = Deadline(timeout: .seconds(60), grace: .zero)
        #expect(deadline.requestStop(at: 1_000) == .begins)
        #expect(deadline.passed() == .kill && !deadline.timedOut && deadline.passed() == nil)
    }

    @Test func whatFollowsAtOnceIsTheSameRequest() {
        var deadline = Deadline(timeout: nil, grace: .seconds(60))
        let requests = [0, 499_999_999, 500_000_000, 600_000_000, 1_000_000_000].map { deadline.requestStop(at: $0) }
        #expect(requests == [.begins, .repeats, .ends, .repeats, .ends])
    }

    /// Where there is none, SIGKILL is what was asked for.
    @Test func aGraceIsOutlived() {
        var deadline = Deadline(timeout: .seconds(60), grace: .nanoseconds(1))
        #expect(deadline.requestStop() == .begins && deadline.passed() == .kill && deadline.graceIsOver)
        deadline = Deadline(timeout: .zero, grace: .zero)
        #expect(deadline.passed() == .terminate && deadline.passed() == .kill && !deadline.graceIsOver)
    }

    /// Rounded up: rounded down, poll(2) would spin through the last millisecond.
    @Test func millisecondsAreRoundedUp() {
        let deadline = Deadline(timeout: .nanoseconds(1_000_000_500), grace: .zero)
        #expect(deadline.milliseconds.map { $0 > 900 && $0 <= 1001 } == true)
    }

    /// A hundred years, the most that a spec may say.
    @Test func longTimesDoNotOverflow() {
        var deadline = Deadline(timeout: .seconds(3_155_760_000), grace: .seconds(3_155_760_000))
        #expect(deadline.milliseconds == .max && deadline.passed() == nil)
        #expect(deadline.requestStop() == .begins && deadline.milliseconds == .max)
    }
}
