import JailPlan
import SpecFile
import Testing

@testable import immure

/// What is refused before anything is opened or made.
@Suite struct PrepareTests {
    private func faults(_ request: RunRequest, keepingBack held: [HeldBack] = []) -> [Diagnostic] {
        do throws(Rejection) {
            _ = try Prepare.plan(for: request, keepingBack: held)
            return []
        } catch {
            return error.diagnostics
        }
    }

    /// A free number would be given to a descriptor of immure's own, and the jail would get that.
    @Test func `a descriptor that nobody opened`() {
        let found = faults(RunRequest(overrides: ["process.fds=[9999]"], words: ["true"]))
        #expect(found.map(\.message) == ["process.fds: descriptor 9999 is not open"])
    }

    @Test func `the descriptor of --result`() {
        let found = faults(
            RunRequest(overrides: ["process.fds=[9998]"], words: ["true"]),
            keepingBack: [HeldBack(descriptor: 9998, option: "--result")])
        #expect(found.map(\.message) == ["descriptor 9998 is for --result"])
    }

    @Test func `a command where a spec should stand`() {
        let found = faults(RunRequest(spec: "no-such-command"))
        #expect(
            found.map(\.hint) == [
                "the first word is a spec; to run a command without one: immure run -- no-such-command"
            ])
    }
}
