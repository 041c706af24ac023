import JailPlan
import JailSpec
import LinuxFacts
import SpecFile
import TestSupport
import Testing

/// Limits of what stays: a project of the file system, which only root of the machine sets, for a jail that cannot leave it.
@Suite struct StorageLimitTests {
    private static let bind = "[[mount]]\ntarget = \"/a\"\nsource = \"/b\"\n"
    private static let overlay =
        "[[mount]]\ntarget = \"/a\"\ntype = \"overlay\"\nlower = [\"/b\"]\nupper = \"/u\"\nwork = \"/w\"\n"

    private func limit(_ text: String) throws -> StorageLimit? {
        for step in try plan(text).get().steps {
            guard case .tree(.fill(_, let filling, let promise)) = step.operation, promise.target == "/a" else {
                continue
            }
            if case .tree(let source) = filling { return source.limit }
            if case .overlay(let source) = filling { return source.limit }
        }
        return nil
    }

    private static let root = Host.root.with { $0.isRealRoot = true }

    private func plan(_ text: String, on host: Host = Self.root) throws -> Result<Plan, Planner.Faults> {
        Planner.plan(try spec(text), on: host)
    }

    @Test func whatIsWrittenIsWhatIsSet() throws {
        #expect(try limit(Self.bind) == nil)
        #expect(try limit(Self.bind + "quota = \"1M\"") == StorageLimit(bytes: 1 << 20, inodes: nil))
        #expect(try limit(Self.bind + "inodes = 7") == StorageLimit(bytes: nil, inodes: 7))
        #expect(try limit(Self.overlay + "quota = 1025\ninodes = 7") == StorageLimit(bytes: 1025, inodes: 7))
        #expect(StorageLimit(bytes: 1025, inodes: nil).kibibytes == 2)
    }

    /// Somebody holds the limit until the jail has ended.
    @Test func theLauncherStays() throws {
        let shared = "namespaces.pid = \"host\"\n" + Self.bind
        #expect(try plan(shared).get().shape == .direct)
        #expect(try plan(shared + "quota = \"1M\"").get().shape == .supervised)
    }

    @Test(arguments: [
        ("", "options = [\"ro\"]\n", "mount.quota: nothing can be stored there"),
        ("namespaces.user = \"host\"\n", "", "mount.quota: without a user namespace of the jail's own"),
    ]) func whatCannotHold(before: String, after: String, message: String) throws {
        guard case .failure(let faults) = try plan(before + Self.bind + after + "quota = \"1M\"") else {
            Issue.record("planned")
            return
        }
        #expect(faults.diagnostics.count == 1 && faults.diagnostics[0].message.hasPrefix(message))
    }

    @Test func onlyRootOfTheMachine() throws {
        for (host, who) in [(Host.user, "only root may"), (Host.root, "not root of a container")] {
            guard case .failure(let faults) = try plan(Self.bind + "quota = \"1M\"", on: host) else {
                Issue.record("planned")
                return
            }
            #expect(faults.diagnostics.contains { $0.message.contains(who) })
        }
    }
}
