import JailPlan
import JailSpec
import LinuxFacts
import SpecFile
import TestSupport
import Testing

@Suite("Keys of the process")
struct ProcessTests {
    @Test("MAKEFLAGS, as makes of different age write it")
    func makeflags() {
        func read(_ text: String) -> Jobserver? { Jobserver(makeflags: text) }
        #expect(read("") == nil && read("k -j4") == nil && read("-- --jobserver-auth=3,4") == nil)
        #expect(
            read("--jobserver-auth=") == nil && read("--jobserver-auth=3") == nil && read("--jobserver-auth") == nil)
        #expect(read("--jobserver-auth=3,4")?.access == .pipe(3, 4))
        #expect(read(" -j4 --jobserver-auth=3,4")?.words == ["-j4", "--jobserver-auth=3,4"])
        #expect(read("kw -j --jobserver-fds=5,6 -- A=b")?.words == ["-j", "--jobserver-fds=5,6"])
        #expect(read("--jobserver-auth=3,4 --jobserver-auth=7,8")?.access == .pipe(7, 8))
        #expect(read(" -j2 --jobserver-auth=-2,-2")?.access == .withheld)
        #expect(read(" -j2 --jobserver-auth=fifo:/tmp/GMfifo17")?.access == .fifo("/tmp/GMfifo17"))
        #expect(read("--jobserver-auth=fifo:relative") == nil)
    }

    private func plan(
        _ text: String, _ makeflags: String, root: Bool = false, change: (inout Jobserver) -> Void = { _ in }
    ) throws -> Result<Plan, Planner.Faults> {
        var host = root ? Host.root : Host.user
        if var jobserver = Jobserver(makeflags: makeflags) {
            change(&jobserver)
            host.jobserver = jobserver
        }
        return Planner.plan(try spec(text + "\n[process]\njobserver = true\n"), on: host)
    }

    @Test("Descriptors are passed on with a MAKEFLAGS that says no more than where they are")
    func descriptors() throws {
        let plan = try plan("command = [\"make\"]", "kw -j4 --jobserver-auth=3,4 -- CC=x").get()
        #expect(plan.operations.contains(.process(.closeDescriptors(keeping: [3, 4]))))
        #expect(plan.environment.contains("MAKEFLAGS= -j4 --jobserver-auth=3,4"))
        let own = try self.plan(
            "command = [\"make\"]\nenvironment.set = { MAKEFLAGS = \"k\" }", "-j --jobserver-auth=3,4"
        ).get()
        #expect(own.environment.contains("MAKEFLAGS=k") && !own.environment.contains { $0.contains("auth") })
    }

    @Test("What make keeps to itself stops the launch; without a make there is nothing to pass")
    func withheld() throws {
        for (flags, isThere) in [("-j4 --jobserver-auth=3,4", false), ("-j4 --jobserver-auth=-2,-2", true)] {
            let result = try plan("command = [\"make\"]", flags) { $0.isThere = isThere }
            guard case .failure(let faults) = result else { Issue.record("\(flags)"); continue }
            #expect(faults.diagnostics.count == 1 && faults.diagnostics[0].hint?.contains("with +") == true)
        }
        let none = try plan("command = [\"make\"]", "k").get()
        #expect(none.notes.contains { $0.message.contains("process.jobserver") })
        #expect(none.operations.contains(.process(.closeDescriptors(keeping: []))))
    }

    @Test("A FIFO stands at its own path, for whom it belongs to")
    func fifo() throws {
        let flags = "-j4 --jobserver-auth=fifo:/tmp/GMfifo17"
        let plan = try plan("command = [\"make\"]", flags) { $0.owner = Host.user.uid }.get()
        #expect(plan.operations.contains { if case .tree(.attach(_, "/tmp/GMfifo17", _)) = $0 { true } else { false } })
        #expect(plan.environment.contains("MAKEFLAGS= -j4 --jobserver-auth=fifo:/tmp/GMfifo17"))
        let foreign = try self.plan("command = [\"make\"]", flags, root: true) { $0.owner = 0 }
        guard case .failure(let faults) = foreign else { Issue.record("root's FIFO"); return }
        #expect(
            faults.diagnostics.map(\.hint) == [
                "make --jobserver-style=pipe passes descriptors on, which anybody can use"
            ])
    }

    @Test("Signals by name")
    func signals() {
        for number in Int32(1)...31 { #expect(SignalName.number(SignalName.name(number)) == number) }
        for number in SignalName.realTime { #expect(SignalName.number(SignalName.name(number)) == number) }
        #expect(SignalName.number("SIGRTMIN+3") == 37 && SignalName.number("SIGRTMAX-1") == 63)
        for wrong in [
            "TERM", "15", "SIG", "SIGRTMIN+31", "SIGRTMIN++3", "SIGRTMIN+-3", "SIGRTMIN-1", "SIGRTMAX+0", "sigterm",
        ] {
            #expect(SignalName.number(wrong) == nil, "\(wrong)")
        }
    }

    @Test("Another signal than SIGTERM needs somebody who sends it")
    func stopSignal() throws {
        let text = "command = [\"x\"]\nnamespaces.pid = \"host\"\nprocess.tty = \"none\"\nfilesystem.proc = false\n"
        #expect(try Planner.plan(try spec(text), on: .user).get().shape == .direct)
        let plan = try Planner.plan(try spec(text + "process.stop_signal = \"SIGINT\""), on: .user).get()
        #expect(plan.shape == .supervised && plan.supervision.stopSignal == 2)
    }

    @Test("As root the caller's pipes are opened to the command's group as the host knows it")
    func pipes() throws {
        func found(_ text: String, _ host: Host) throws -> [Operation] {
            try Planner.plan(try spec("command = [\"x\"]\n" + text), on: host).get().operations.filter {
                if case .process(.openPipes) = $0 { true } else { false }
            }
        }
        #expect(try found("", .user) == [])
        #expect(try found("", .root) == [.process(.openPipes([0, 1, 2], group: 65534))])
        #expect(
            try found("process.fds = [7]\nidentity.group = 5", .root) == [.process(.openPipes([0, 1, 2, 7], group: 5))])
        let map = "[{ inside = 0, outside = 70000, count = 9 }]"
        #expect(
            try found("identity = { user = 0, group = 4, uid_map = \(map), gid_map = \(map) }", .root)
                == [.process(.openPipes([0, 1, 2], group: 70004))])
        #expect(try found("namespaces.user = \"/run/ns\"", .root) == [])
    }
}

@Suite("What is said to the service manager, and how the launcher ends")
struct LauncherKeyTests {
    @Test("READY by the launcher needs a launcher, and no socket in the jail")
    func exec() throws {
        let host = Host.user.with { $0.service.notifySocket = "/run/systemd/notify" }
        let text =
            "command = [\"x\"]\nservice.notify = \"exec\"\nnamespaces.pid = \"host\"\nprocess.tty = \"none\"\nfilesystem.proc = false\n"
        let plan = try Planner.plan(try spec(text), on: host).get()
        #expect(plan.shape == .supervised && plan.announces && plan.notices == nil)
        #expect(plan.operations.contains(.service(.connectManager("/run/systemd/notify"))))
        #expect(!plan.environment.contains { $0.hasPrefix("NOTIFY_SOCKET") })
        guard case .failure = Planner.plan(try spec(text), on: .user) else { Issue.record("no manager"); return }
    }

    @Test("The journal is three sockets and a link, where the mounts are the jail's own")
    func journal() throws {
        let own = try plan("service.journal = true")
        for name in ["dev-log", "socket", "stdout"] {
            #expect(own.placements.contains("attach /run/systemd/journal/\(name)"))
        }
        #expect(own.placements.contains("symlink /dev/log"))
        let host = try plan("service.journal = true\nfilesystem.dev = \"host\"")
        #expect(!host.placements.contains("symlink /dev/log"))
    }

    @Test("Compiled filters come after the spec's own, and need what installs them")
    func programs() throws {
        let names = try plan("seccomp.bpf = [10, 11]").names
        #expect(names.suffix(3) == ["install_filter", "install_programs", "execute"])
        #expect(
            try plan("seccomp = { profile = \"none\", bpf = [10] }").names.suffix(2) == ["install_programs", "execute"])
        #expect(try faults("seccomp = { bpf = [10], deny = [\"seccomp\"] }").count == 1)
        #expect(try faults("seccomp.bpf = [10]\nprocess.no_new_privs = false").count == 1)
    }
}
