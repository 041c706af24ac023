import JailPlan
import JailSpec
import TestSupport
import Testing

/// Direct where nothing is left to do outside once the command runs, supervised everywhere else.
@Suite struct ShapeTests {
    private static let shared = "namespaces.pid = \"host\"\n"
    private static let terminal = Host.root.with {
        ($0.standardInputIsTerminal, $0.standardOutputIsTerminal) = (true, true)
    }
    private static let leader = Host.root.with { $0.canStartSession = false }

    @Test(arguments: [
        ("", Host.root, Plan.Shape.supervised),
        ("process.init = false", .root, .supervised),
        ("namespaces.pid = \"/run/ns\"", .root, .supervised),
        (shared, .root, .direct),
        (shared + "timeout = \"1s\"", .root, .supervised),
        (shared + "namespaces.user = \"host\"\nnamespaces.time.boottime = \"1s\"", .root, .supervised),
        (shared + "namespaces.time = \"/run/ns\"", .root, .direct),
        (shared, terminal, .supervised),
        (shared + "process.tty = \"inherit\"", terminal, .direct),
        (shared + "process.tty = \"none\"", terminal, .supervised),
        (shared, leader, .supervised),
        (shared + "process.tty = \"inherit\"", leader, .direct),
        (shared + "process.init = false", .root, .direct),
        (Shape.allHost, .user, .direct),
    ]) func shape(text: String, host: Host, shape: Plan.Shape) throws {
        #expect(try plan(text, on: host).shape == shape)
    }

    /// Keys are shared where the command can begin in the background of a terminal, with a parent that hears what stops it.
    @Test(arguments: [
        ("", [true, true, true], TerminalUse.whole), ("", [true, false, true], .lines),
        ("", [false, true, true], .keys),
        ("", [false, false, true], .keys), ("process.init = false", [false, true, true], .output),
        (shared, [false, true, true], .output), ("process.tty = \"none\"", [false, true, true], .output),
    ]) func whatIsCarriedOfATerminal(text: String, terminals: [Bool], use: TerminalUse) throws {
        let host = Host.root.with {
            ($0.standardInputIsTerminal, $0.standardOutputIsTerminal) = (terminals[0], terminals[1])
            $0.standardErrorIsTerminal = terminals[2]
        }
        #expect(try plan(text, on: host).supervision.terminal == use)
    }

    @Test func aResultNeedsSomebodyToWriteIt() throws {
        let spec = try spec(Self.shared)
        #expect(try Planner.plan(spec, on: .root, reportsResult: true).get().shape == .supervised)
    }

    /// An init needs a pid namespace to be pid 1 of.
    @Test func supervision() throws {
        let own = try plan("").supervision
        #expect(
            own.hasInit && own.ownsProcesses && own.diesWithParent && own.timeout == nil && own.grace == .seconds(5))
        let shared = try plan(Self.shared).supervision
        #expect(!shared.hasInit && !shared.ownsProcesses)
        let joined = try plan("namespaces.pid = \"/run/ns\"").supervision
        #expect(joined.hasInit && !joined.ownsProcesses)
        let set = try plan("timeout = \"2min\"\ngrace = \"1s\"\nprocess.die_with_parent = false\nprocess.init = false")
            .supervision
        #expect(set.timeout == .seconds(120) && set.grace == .seconds(1) && !set.diesWithParent && !set.hasInit)
    }

    /// In direct mode the launcher's parent is the command's: it is asked for only where the spec wants it.
    @Test func dyingWithTheParentInDirectMode() throws {
        #expect(try plan(Self.shared).names.contains("die_with_parent"))
        #expect(try !plan(Self.shared + "process.die_with_parent = false").names.contains("die_with_parent"))
        #expect(try plan("process.init = false\nprocess.die_with_parent = false").names.contains("die_with_parent"))
    }

    @Test(arguments: [
        ("", Host.root, SessionTerminal?.some(.none)),
        ("", terminal, .jail),
        ("filesystem.dev = \"none\"", terminal, .host),
        ("filesystem.dev = \"host\"", terminal, .host),
        ("namespaces.mount = \"host\"", terminal, .host),
        ("process.tty = \"none\"", terminal, SessionTerminal.none),
        ("process.tty = \"inherit\"", terminal, nil),
    ]) func session(text: String, host: Host, session: SessionTerminal?) throws {
        let found = try plan(text, on: host).operations.lazy.compactMap { operation -> SessionTerminal? in
            if case .process(.startSession(let terminal)) = operation { terminal } else { nil }
        }.first
        #expect(found == session)
    }

    /// A /dev or /dev/pts that the spec mounts itself has no pty of immure's making.
    @Test(arguments: ["/dev", "/dev/pts"]) func aWrittenDevHasNoTerminalOfTheJail(_ target: String) throws {
        let operations = try plan("[[mount]]\ntarget = \"\(target)\"\ntype = \"tmpfs\"", on: Self.terminal).operations
        let takesTheHosts = operations.contains(.process(.startSession(.host)))
        #expect(takesTheHosts)
    }
}

@Suite struct NamespaceTests {
    private func made(_ text: String, on host: Host = .root) throws -> [NamespaceKind]? {
        try plan(text, on: host).operations.lazy.compactMap { operation in
            if case .process(.createNamespaces(let kinds)) = operation { kinds } else { nil }
        }.first
    }

    private func joined(_ text: String, on host: Host) throws -> [NamespaceKind] {
        for case .process(.joinNamespaces(let joined)) in try plan(text, on: host).operations {
            return joined.map(\.kind)
        }
        return []
    }

    @Test func newByDefault() throws {
        #expect(try made("") == [.user, .mount, .pid, .net, .ipc, .uts, .cgroup])
        #expect(try made("network.mode = \"host\"") == [.user, .mount, .pid, .ipc, .uts, .cgroup])
        #expect(try made("namespaces.net = \"host\"") == [.user, .mount, .pid, .ipc, .uts, .cgroup])
        #expect(try made(Shape.allHost, on: .user) == nil)
        #expect(try made(Shape.allHost + "\ntime.boottime = \"1s\"") == [])
    }

    /// By a process of the jail's own, which only a pid namespace of the jail's own ends with it.
    @Test func theNetworkIsMadeBesideTheTree() throws {
        #expect(try plan("").kindsMadeAtOnce == [.user, .mount, .pid, .ipc, .uts, .cgroup])
        #expect(try plan("process.init = false").makesNetworkBeside)
        let others = ["network.mode = \"host\"", "namespaces.net = \"/run/ns\"", "namespaces.pid = \"/run/ns\""]
        for text in others { #expect(try !plan(text).makesNetworkBeside) }
        let direct = try plan("namespaces.pid = \"host\"")
        #expect(direct.shape == .direct)
        #expect(direct.kindsMadeAtOnce == direct.newNamespaces)
        let supervised = try plan("namespaces.pid = \"host\"\ntimeout = \"1min\"")
        #expect(supervised.shape == .supervised)
        #expect(supervised.kindsMadeAtOnce == supervised.newNamespaces)
    }

    /// What shows the network, or belongs to it, is done in it.
    @Test func someStepsBelongToTheNetwork() throws {
        func belonging(_ text: String) throws -> [String] {
            try plan(text).operations.filter(\.belongsToNetwork).map(\.operationName)
        }
        #expect(try belonging("") == ["bring_up_loopback"])
        #expect(try belonging("filesystem.root = \"host\"") == ["make_file_system", "bring_up_loopback"])
    }

    /// Setns(2): root would lose its capabilities over the others by joining the user namespace first, an ordinary user has
    /// them only there; the mount namespace changes what paths mean.
    @Test func joinedInTheOrderThatKeepsTheCapabilities() throws {
        let all = "[namespaces]\n" + ["uts", "mount", "user", "net"].map { "\($0) = \"/run/ns/\($0)\"\n" }.joined()
        #expect(try joined(all, on: .root) == [.net, .uts, .mount, .user])
        #expect(try joined(all, on: .user) == [.user, .net, .uts, .mount])
    }

    /// Open_tree(2) asks for CAP_SYS_ADMIN over the caller's mount namespace, which root gives up in a user namespace that
    /// it joins.
    @Test func rootOpensItsSourcesBeforeItJoinsAUserNamespace() throws {
        let names = try plan("namespaces.user = \"/run/ns\"", on: .root).names
        let source = try #require(names.firstIndex(of: "open_tree"))
        let joined = try #require(names.firstIndex(of: "join_namespaces"))
        #expect(source < joined)
    }

    @Test func loopbackAndHostnameAreForNamespacesOfTheJailsOwn() throws {
        #expect(try plan("").names.contains("bring_up_loopback"))
        #expect(try !plan("network.mode = \"host\"").names.contains("bring_up_loopback"))
        #expect(try !plan("namespaces.net = \"/run/ns\"").names.contains("bring_up_loopback"))
        #expect(try !plan("").names.contains("set_host_name"))
        for other in ["host", "/run/ns"] {
            #expect(
                try faults("hostname = \"a\"\nnamespaces.uts = \"\(other)\"")
                    == ["1:12: hostname needs a uts namespace of the jail's own"])
        }
    }

    @Test func nestedNamespaces() throws {
        #expect(try plan("").names.contains("forbid_user_namespaces"))
        let shared = try plan("namespaces.user = \"/run/ns\"", on: .loner).names
        #expect(!shared.contains("forbid_user_namespaces") && shared.contains("refuse_namespaces"))
        let privileges = "process.no_new_privs = false\nseccomp.profile = \"none\"\nnamespaces.user = \"host\"\n"
        #expect(try plan(privileges).names.contains("refuse_namespaces"))
        #expect(
            try faults(privileges, on: .loner) == ["1:24: nested namespaces cannot be refused without no_new_privs"])
        #expect(try faults(privileges + "namespaces.nested = true", on: .loner) == [])
        #expect(
            try faults("process.no_new_privs = false\nnamespaces.user = \"host\"\nnamespaces.nested = true", on: .loner)
                == ["1:24: a seccomp filter cannot be installed without no_new_privs"])
    }

    @Test(arguments: [
        ("-1h", Int64(-3600), Int64(0)), ("1500ms", 1, 500_000_000), ("-1500ms", -2, 500_000_000), ("0s", 0, 0),
        ("-1ms", -1, 999_000_000),
    ]) func clockOffsets(text: String, seconds: Int64, nanoseconds: Int64) throws {
        var found: ClockOffset?
        for case .process(.offsetClocks(let monotonic, _)) in try plan("namespaces.time.monotonic = \"\(text)\"")
            .operations
        {
            found = monotonic
        }
        #expect(found?.seconds == seconds && found?.nanoseconds == nanoseconds)
    }

    /// The kernel counts nanoseconds upwards from the second below, people do not.
    @Test func aNegativeOffsetIsPrintedAsItWasWritten() throws {
        let listing = try plan("namespaces.time.monotonic = \"-1500ms\"").listing.joined()
        #expect(listing.contains("monotonic -1.500000000s"))
    }
}
