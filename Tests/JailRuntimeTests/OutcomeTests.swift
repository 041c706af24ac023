import Kernel
import Testing

@testable import JailRuntime

/// The exit statuses of the contract.
@Suite struct OutcomeTests {
    @Test(arguments: [
        (Outcome.Ending.ended(.exited(0)), Int32(0)), (.ended(.exited(77)), 77), (.ended(.signaled(9)), 137),
        (.timedOut(.signaled(15)), 124), (.failed(Failure(.kernel, call: .openTree, errno: .noEntry)), 125),
        (.failed(Failure(.commandNotFound, call: .execve)), 127), (.failed(Failure(.interpreterMissing)), 126),
        (.failed(Failure(.loaderMissing)), 126), (.failed(Failure(.kernel, call: .execve, errno: .accessDenied)), 126),
        (.failed(Failure(.helperMissing)), 125), (.failed(Failure(.launcherGone)), 125),
        (.failed(Failure(.descriptorNotOpen)), 125),
    ]) func status(ending: Outcome.Ending, status: Int32) {
        #expect(Outcome(ending: ending).status == status)
    }
}
