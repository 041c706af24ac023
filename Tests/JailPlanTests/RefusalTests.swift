import JailPlan
import JailSpec
import SpecFile
import TestSupport
import Testing

/// What a spec may state and this version cannot put in force is refused by name and line, never passed over.
@Suite struct RefusalTests {
    @Test(arguments: [
        "[seccomp]\nprofile = \"none\"", "network.mode = \"none\"", "network.mode = \"host\"",
        "[[mount]]\ntarget = \"/a\"\nsource = \"/b\"\nidmap = false", "[limits]", "[landlock]", "[seccomp]",
    ]) func notWhatAsksForNothing(_ text: String) throws {
        #expect(try faults(text) == [])
    }

    @Test func noCommand() throws {
        var spec = try spec("")
        spec.command = nil
        guard case .failure(let faults) = Planner.plan(spec, on: .root) else {
            Issue.record("planned without a command")
            return
        }
        #expect(faults.diagnostics.map(\.message) == ["no command"])
    }

    /// `Planner.plan` promises every reason against a plan.
    @Test func allFaultsInOneGo() throws {
        #expect(try faults("network.mode = \"user\"\n[limits]\npids = 1").count == 2)
        let found = try faults(
            """
            hostname = "a"
            namespaces.uts = "host"
            identity.user = "nemo"
            capabilities.keep = ["bpf"]
            """, on: .root.with { $0.lastCapability = 37 })
        #expect(found.count == 3)
    }
}
