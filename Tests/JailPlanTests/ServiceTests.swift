import JailPlan
import JailSpec
import SpecFile
import TestSupport
import Testing

/// What a service manager offers, planned.
@Suite struct ServiceTests {
    private let managed = Host.root.with { host in
        host.service.notifySocket = "/run/systemd/notify"
        host.service.socketCount = 2
        host.service.socketNames = "web:control"
        host.service.credentials = "/run/credentials/a.service"
    }

    @Test func `an empty spec asks for none of it`() throws {
        #expect(try plan("", on: managed).operations == plan("", on: .root).operations)
    }

    @Test func `the manager is connected before anything else`() throws {
        let plan = try plan("service.notify = \"main\"", on: managed)
        #expect(plan.names.first == "connect_manager")
        #expect(plan.notices?.fromCommandAlone == true)
        #expect(plan.environment.contains("NOTIFY_SOCKET=/run/immure/notify"))
    }

    @Test func `messages are told by the reaper, which must be there`() throws {
        let found = try faults("service.notify = \"all\"\nprocess.init = false", on: managed)
        #expect(found.count == 1 && found[0].contains("process.init"))
    }

    @Test func `with the host's pids the manager's own socket is bound`() throws {
        let plan = try plan("service.notify = \"main\"\nnamespaces.pid = \"host\"\nprocess.tty = \"none\"", on: managed)
        #expect(plan.notices == nil && !plan.names.contains("connect_manager"))
        #expect(plan.environment.contains("NOTIFY_SOCKET=/run/systemd/notify"))
    }

    @Test func `an abstract socket is that of a network`() throws {
        let abstract = managed.with { $0.service.notifySocket = "@notify" }
        let text = "service.notify = \"main\"\nnamespaces.pid = \"host\"\nprocess.tty = \"none\"\n"
        #expect(try faults(text, on: abstract).count == 1)
        #expect(try faults(text + "network.mode = \"host\"", on: abstract) == [])
        #expect(try faults("service.notify = \"main\"", on: abstract) == [])
        let remote = managed.with { $0.service.notifySocket = "vsock:2:1234" }
        #expect(try faults("service.notify = \"main\"", on: remote).count == 1)
    }

    @Test func `sockets are kept beside other descriptors`() throws {
        let plan = try plan("service.sockets = true\nprocess.fds = [4, 9]", on: managed)
        #expect(plan.operations.contains(.process(.closeDescriptors(keeping: [3, 4, 9]))))
        #expect(plan.environment.contains("LISTEN_FDS=2") && plan.environment.contains("LISTEN_FDNAMES=web:control"))
        #expect(plan.names.suffix(3) == ["name_process", "install_filter", "execute"])
    }

    @Test func `credentials are read before the ids change and written after`() throws {
        let names = try plan("service.credentials = true", on: managed).names
        let places = ["read_credentials", "create_namespaces", "set_identity", "make_credentials", "seal"].map {
            names.firstIndex(of: $0)
        }
        #expect(places.allSatisfy { $0 != nil } && places.map { $0! } == places.map { $0! }.sorted(), "\(names)")
    }

    @Test(arguments: ["notify = \"main\"", "sockets = true", "credentials = true"])
    func `what is not offered stops the launch, or is noted`(key: String) throws {
        #expect(try faults("[service]\n\(key)").map { $0.prefix(2) } == ["2:"])
        #expect(try plan("[service]\n\(key)\noptional = true").notes.count == 1)
    }
}
