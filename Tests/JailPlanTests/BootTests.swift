import JailPlan
import JailSpec
import SpecFile
import TestSupport
import Testing

/// `process.boot`: what it stands for, and what is left as it was written.
@Suite struct BootTests {
    private let text = "process.boot = true"

    @Test func theCommandIsPidOne() throws {
        let plan = try plan(text, on: .limited)
        #expect(!plan.supervision.hasInit && plan.supervision.boots && plan.supervision.grace == .seconds(90))
        #expect(plan.identity == "0:0" && plan.variable("container") == "immure")
        #expect(plan.bounding?.contains(.sys_admin) == true && plan.bounding?.contains(.sys_module) == false)
        #expect(!plan.names.contains("forbid_user_namespaces") && !plan.names.contains("refuse_namespaces"))
        #expect(plan.session == .jail && plan.supervision.terminal == .log)
    }

    @Test func withoutACommandItIsTheTreesInit() throws {
        guard
            case .process(.execute(let words, _, _))? = try Planner.plan(TestSupport.spec(text), on: .limited).get()
                .operations
                .last
        else { return #expect(Bool(false)) }
        #expect(words == ["/sbin/init"])
    }

    @Test func whatIsWrittenStays() throws {
        let text = """
            grace = "3s"
            process = { boot = true, stop_signal = "SIGTERM", tty = "none" }
            namespaces.nested = false
            capabilities.keep = ["kill"]
            identity = { user = 5, group = 5, uid_map = [{ inside = 5, outside = 7, count = 1 }], gid_map = [{ inside = 5, outside = 7, count = 1 }] }
            environment.set = { container = "lxc" }
            mount = [{ target = "/run", type = "tmpfs", mode = "0700" }]
            """
        let plan = try plan(text, on: .limited)
        #expect(plan.supervision.grace == .seconds(3) && plan.supervision.stopSignal == 15)
        #expect(plan.supervision.terminal == nil && plan.identity == "5:5" && plan.variable("container") == "lxc")
        #expect(plan.bounding == CapabilitySet(.kill) && plan.names.contains("forbid_user_namespaces"))
        #expect(plan.operations.filter { $0.words.title == "mount tmpfs on /run" }.count == 1)
    }

    @Test(arguments: [("systemd", Int32(37)), ("busybox", 12), ("runit-init", 2), ("init", 30)])
    func eachInitIsAskedInItsWay(program: String, signal: Int32) throws {
        #expect(try plan(text, on: Host.limited.with { $0.initProgram = program }).supervision.stopSignal == signal)
    }

    /// The group is whole and the jail's own: by root outside as it is made, for an ordinary user from inside.
    @Test func theGroupBelongsToTheJailsRoot() throws {
        func delegations(_ host: Host) throws -> [CgroupDelegation] {
            try plan(text, on: host).operations.compactMap {
                if case .limits(.createCgroup(let whose)) = $0 { whose } else { nil }
            }
        }
        #expect(try delegations(.limited) == [.owned(user: 200_000, group: 200_000)])
        #expect(try delegations(.inSession) == [.inner])
        #expect(try !plan(text, on: .limited).names.contains("give_group"))
        let names = try plan(text, on: .inSession).names
        let places = ["set_identity", "give_group", "begin_root"].map { names.firstIndex(of: $0) ?? -1 }
        #expect(places == places.sorted() && !places.contains(-1))
        let own = "\nidentity.uid_map = [{ inside = 0, outside = 100000, count = 9 }]"
        #expect(
            try faults(text + own, on: .inSession).contains {
                $0.hasPrefix("2:20: the jail's control group would belong")
            })
    }

    @Test func controllersAreHandedOn() throws {
        let enabled = try plan(text, on: .inUnit).operations.compactMap { operation in
            if case .limits(.enableControllers(_, let controllers)) = operation { controllers } else { nil }
        }
        #expect(enabled == [["cpu", "io", "memory", "pids"]])
    }

    /// busybox and runit need no group: what is missing is said at every launch, and refused only where it was written.
    @Test func aHostWithoutGroupsIsSaid() throws {
        let plan = try plan(text, on: .root)
        #expect(
            !plan.names.contains("create_cgroup") && !plan.operations.contains { $0.words.title.contains("cgroup2") })
        #expect(plan.notes.contains { $0.isWarning && $0.message.contains("without a control group") })
        #expect(try faults(text + "\nlimits.pids = 9", on: .root) != [])
    }

    @Test func whatContradictsIsRefused() throws {
        #expect(
            try decode(table("process = { boot = true, init = true }")).diagnostics.map(\.message) == [
                "process.init: with process.boot the command is pid 1"
            ])
        #expect(
            try decode(table("process.boot = true\nnamespaces.pid = \"host\"")).diagnostics.map(\.message) == [
                "process.boot needs a pid namespace of the jail's own"
            ])
    }

    @Test func itsMessagesNeedNoReaper() throws {
        let host = Host.limited.with { $0.service.notifySocket = "/run/systemd/notify" }
        #expect(try plan(text + "\nservice.notify = \"main\"", on: host).notices?.isDirect == true)
        #expect(try plan("service.notify = \"main\"", on: host).notices?.isDirect == false)
    }
}
