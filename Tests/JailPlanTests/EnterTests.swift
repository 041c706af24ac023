import JailPlan
import JailSpec
import TestSupport
import Testing

/// What one more command in a running jail is confined by: the plan of that jail, without what made it.
@Suite struct EnterTests {
    private func entry(_ text: String, on host: Host = .root, _ terminals: [Bool] = [false, false, false]) throws
        -> Plan
    {
        try plan(text, on: host).entering(with: ["sh"], terminals: terminals, terminal: "vt100")
    }

    @Test(arguments: [Host.root, Host.loner]) func whatConfinesTheCommandIsThere(host: Host) throws {
        let text = """
            rlimits.core = 0
            capabilities.keep = ["kill"]
            landlock = { ro = ["/etc"], connect_tcp = [80] }
            process = { fds = [5], argv0 = "x" }
            """
        let (whole, entry) = (try plan(text, on: host), try entry(text, on: host))
        let own: Set = [
            "set_groups", "set_identity", "new_keyring", "reset_personality", "start_session", "drop_bounding",
            "set_secure_bits", "forbid_new_privileges", "refuse_namespaces", "set_resource_limit", "set_umask",
            "set_capabilities", "reset_signals", "change_directory", "install_filter", "execute",
        ]
        #expect(entry.names.filter(own.contains) == whole.names.filter(own.contains))
        #expect(
            entry.names.first == "join_jail" && entry.filter == whole.filter && entry.capabilities == whole.capabilities
        )
        #expect(entry.bounding == whole.bounding && entry.identity == whole.identity)
        let held: [Int] = entry.operations.compactMap {
            if case .landlock(.enforceHeld(let step, _)) = $0 { step } else { nil }
        }
        #expect(held.map { whole.names[$0] } == whole.names.filter { $0 == "keep_to_tree" || $0 == "enforce_ruleset" })
        #expect(
            entry.operations.contains(.process(.closeDescriptors(keeping: [])))
                && entry.operations.contains(.process(.dieWithParent)))
        #expect(!entry.names.contains { $0.contains("allow_") || $0 == "start_command" || $0 == "attach" })
    }

    /// Where groups are delegated to namespaces, nobody is born into a group from within the jail's own.
    @Test func theNamespaceOfGroupsIsJoinedByTheNewProcess() throws {
        let names = try entry("").names
        #expect(Array(names.prefix(3)) == ["join_jail", "create_namespaces", "join_jail"])
        let joined: [[NamespaceKind]] = try entry("namespaces.ipc = \"host\"").operations.compactMap {
            if case .process(.joinJail(let kinds)) = $0 { kinds } else { nil }
        }
        #expect(joined == [[.user, .mount, .pid, .net, .uts], [.cgroup]])
    }

    @Test func itsTerminalIsItsOwn() throws {
        #expect(try entry("", .root, [true, true, true]).session == .jail)
        #expect(try entry("process.tty = \"inherit\"", .root, [true, true, true]).session == .jail)
        let none = try entry("process.tty = \"none\"", .root, [true, true, true])
        #expect(none.session == SessionTerminal.none && none.supervision.terminal == .output)
        #expect(try entry("").session == SessionTerminal.none && entry("").variable("TERM") == "vt100")
    }

    @Test func whatTellsOfDescriptorsIsLeftOut() throws {
        let entry = try entry("environment.set = { LISTEN_FDS = \"1\", A = \"b\" }")
        #expect(entry.variable("LISTEN_FDS") == nil && entry.variable("A") == "b")
    }
}

extension EnterTests {
    private func entry(_ text: String, _ host: Host, _ terminals: [Bool]) throws -> Plan {
        try entry(text, on: host, terminals)
    }
}
