import JailPlan
import JailSpec
import LinuxFacts
import SpecFile
import TestSupport
import Testing

@Suite struct LandlockTests {
    private func host(_ abi: Int) -> Host { .user.with { $0.landlockABI = abi } }

    private func closed(_ plan: Plan) -> LandlockHandled? {
        plan.operations.lazy.compactMap { if case .landlock(.createRuleset(let handled)) = $0 { handled } else { nil } }
            .first
    }

    private func access(_ plan: Plan, _ path: String) -> [String]? {
        plan.operations.lazy.compactMap { operation in
            if case .landlock(.allowPath(path, let access)) = operation { access.names } else { nil }
        }.first
    }

    private static let files = "[landlock]\nrx = [\"/usr\"]\n"
    private static let ports = "[landlock]\nbind_tcp = [1]\n"
    private static let scope = "[landlock]\nscope = [\"signal\"]\n"

    /// Each key against each version of the interface: planned where the kernel has all of it, else an error with a line.
    @Test(arguments: 0...8) func everyABI(_ abi: Int) throws {
        for (text, needed) in [(Self.files, 5), (Self.ports, 4), (Self.scope, 6)] {
            let found = try faults(text, on: host(abi))
            #expect(found.isEmpty == (abi >= needed), "\(text) on \(abi): \(found)")
            #expect(found.allSatisfy { $0.hasPrefix("1:") || $0.hasPrefix("2:") })
            if abi == 0 { #expect(found == ["1:2: the running kernel has no Landlock"]) }
        }
        #expect(try faults("[landlock]\nscope = []\n", on: host(abi)).isEmpty, "what asks for nothing")
    }

    /// `minimum_abi` lets what is newer be missing, and says so; what is older must be there.
    @Test(arguments: 1...8) func minimumABI(_ abi: Int) throws {
        for minimum in 1...9 {
            let text = Self.files + "bind_tcp = [1]\nscope = [\"signal\"]\nminimum_abi = \(minimum)"
            let found = try faults(text, on: host(abi))
            #expect(found.isEmpty == (abi >= minimum), "\(minimum) on \(abi): \(found)")
            guard abi >= minimum else {
                #expect(found.count == 1 && found[0].hasPrefix("5:15: the running kernel has version \(abi)"))
                continue
            }
            let plan = try plan(text, on: host(abi))
            let lacking = [3, 5, 4, 6].filter { $0 > abi }.count
            #expect(plan.notes.count { $0.message.hasPrefix("landlock: ") } == lacking)
            let handled = try #require(closed(plan))
            #expect(handled.files == .known(toABI: abi))
            #expect(handled.bindsTCP == (abi >= 4) && handled.scopesSignals == (abi >= 6))
            #expect(plan.names.contains("allow_port") == (abi >= 4))
        }
    }

    @Test func whatMinimumABILeavesMissingMayBeEverything() throws {
        let plan = try plan(Self.scope + "minimum_abi = 1", on: host(1))
        #expect(!plan.names.contains("create_ruleset"))
        #expect(plan.notes.contains { $0.message.hasPrefix("landlock: the scope \"signal\" is not restricted") })
    }

    /// Without `refer` the first version refuses every move to another directory: only what writes asks for it.
    @Test func movingFiles() throws {
        let text = "[landlock]\nrw = [\"/tmp\"]\nminimum_abi = 1"
        let notes = try plan(text, on: host(1)).notes.map(\.message)
        #expect(notes.contains { $0.contains("no file can be moved") })
        #expect(try !plan(Self.files + "minimum_abi = 1", on: host(1)).notes.contains { $0.message.contains("moved") })
    }

    @Test func whatTheListsAllow() throws {
        let plan = try plan("[landlock]\nro = [\"/a\"]\nrx = [\"/b\"]\nrw = [\"/c\"]\nrwx = [\"/d\"]", on: host(7))
        let change = [
            "remove_dir", "remove_file", "make_dir", "make_reg", "make_sock", "make_fifo", "make_sym", "refer",
            "truncate",
            "ioctl_dev",
        ]
        #expect(access(plan, "/a") == ["read_file", "read_dir"])
        #expect(access(plan, "/b") == ["execute", "read_file", "read_dir"])
        #expect(access(plan, "/c") == ["write_file", "read_file", "read_dir"] + change)
        #expect(access(plan, "/d") == FileAccess.known(toABI: 7).names && access(plan, "/d")?.count == 16)
        #expect(closed(plan)?.files == .known(toABI: 7))
    }

    /// Never a right that the ruleset does not close: add_rule would answer EINVAL.
    @Test(arguments: 1...8) func rulesStayWithinWhatIsClosed(_ abi: Int) throws {
        let plan = try plan("[landlock]\nrwx = [\"/\"]\nminimum_abi = 1", on: host(abi))
        #expect(access(plan, "/") == FileAccess.known(toABI: abi).names)
    }

    /// An empty list closes everything; ports and scopes by themselves close no file.
    @Test func whatIsClosed() throws {
        #expect(closed(try plan("[landlock]\nro = []"))?.files == .known(toABI: 7))
        let ports = try #require(closed(try plan("[landlock]\nbind_tcp = []")))
        #expect(ports.files.isNone && ports.bindsTCP && !ports.connectsTCP && ports.scopes == 0)
        let scope = try #require(closed(try plan("[landlock]\nscope = [\"abstract_unix_socket\"]")))
        #expect(scope.files.isNone && scope.network == 0 && scope.scopes == 1)
    }

    @Test func eachRuleHasItsLine() throws {
        let plan = try plan("[landlock]\nro = [\n\"/a\",\n\"/b\",\n]\nconnect_tcp = [443]")
        let places = plan.steps.compactMap { step -> String? in
            switch step.operation {
            case .landlock(.allowPath(let path, _)): "\(path) \(step.origin?.line ?? 0)"
            case .landlock(.allowPort(let port, let use)): "\(use.word) \(port) \(step.origin?.line ?? 0)"
            default: nil
            }
        }
        #expect(places == ["/a 3", "/b 4", "connect_tcp 443 6"])
    }

    @Test func withoutPrivilegeItTakesNoNewPrivileges() throws {
        let text = Shape.allHost + "\nnested = true\n[process]\nno_new_privs = false\n" + Self.files
        #expect(try faults(text, on: .user).count == 2, "Landlock and the filter")
        #expect(try faults(text, on: .root) == [])
        #expect(try faults("process.no_new_privs = false\n" + Self.files, on: .user) == [])
    }

    /// Nothing of a launch without the section asks for anything of Landlock.
    @Test func notWithoutTheSection() throws {
        for text in ["", "[landlock]"] {
            #expect(try !plan(text, on: host(0)).names.contains { $0.hasSuffix("ruleset") })
        }
    }

    @Test func aMinimumAloneIsAQuestion() throws {
        #expect(try faults("landlock.minimum_abi = 8", on: host(7)).count == 1)
        #expect(try plan("landlock.minimum_abi = 7", on: host(7)).names == plan("", on: host(7)).names)
    }
}
