import JailSpec
import SpecFile
import TestSupport
import Testing

@testable import JailPlan

/// What neither root nor a user can launch on any host is a fault of the spec, and nothing else is.
@Suite struct ContradictionTests {
    @Test(arguments: [
        (
            "[filesystem]\nhide = [\"/usr\"]\nro = [\"/usr/bin\"]",
            "3:7: /usr/bin is below /usr, which is hidden at t.toml:2:9"
        ),
        (
            "[capabilities]\npermitted = [\"sys_time\"]",
            "2:13: permitted: sys_time would be lost when the command is executed"
        ),
        (
            "[process]\ncpus = \"0-2\"\n[limits]\ncpus = \"0-1\"",
            "2:8: process.cpus: 2 is not in limits.cpus at t.toml:4:8"
        ),
    ])
    func linesThatContradictEachOther(text: String, fault: String) throws {
        #expect(try contradictions(text) == [fault])
    }

    /// Root's faults are told, unless all that stops a user stops root as well.
    @Test func whoseFaultsAreTold() throws {
        // A user is refused for the mode as well.
        let network = "[network]\nmode = \"veth\"\n[filesystem]\nhide = [\"/usr\"]\nro = [\"/usr/bin\"]"
        #expect(try contradictions(network).map { $0.prefix(3) } == ["5:7"])
        // Root is refused for the name, which is looked up in a tree of others.
        let tree = "[filesystem]\nroot = \"/srv\"\n[identity]\nuser = \"ada\"\n[capabilities]\npermitted = [\"chown\"]"
        #expect(try contradictions(tree).map { $0.prefix(3) } == ["6:1"])
    }

    @Test(arguments: [
        "", "[network]\nmode = \"macvlan\"\nparent = \"eth0\"\naddress = [\"10.9.0.2/24\"]",
        "[identity]\nuser = \"ada\"\ngroup = \"them\"\ngroups = [\"others\"]",
        "[identity]\nuser = \"toor\"\n[capabilities]\nbounding = [\"chown\"]\npermitted = [\"chown\"]",
        "[identity]\nuser = \"ada\"\nuid_map = [{ inside = 5, outside = 1000, count = 1 }]",
        "[identity]\nuid_map = [{ inside = 1234, outside = 1000, count = 1 }]",
        "[limits]\nscope = \"own\"\nmemory = \"1G\"\n[[limits.io]]\ndevice = \"/dev/vda\"\nweight = 9000",
        "[filesystem]\nro = [\"/opt/*\"]\nhide = [\"/etc/**/*.key\"]",
        "[[mount]]\ntarget = \"/\"\ntype = \"image\"\nsource = \"/srv/a.img\"",
        "[landlock]\nminimum_abi = 6\nrx = [\"/\"]\nscope = [\"signal\"]",
        "[service]\nnotify = \"all\"\nsockets = true\ncredentials = true",
    ])
    func whatSomeHostCanDo(text: String) throws {
        #expect(try contradictions(text) == [])
    }

    private func contradictions(_ text: String) throws -> [String] {
        try TestSupport.spec(text).contradictions.map { fault in
            (fault.position.map { "\($0.line):\($0.column)" } ?? "-") + ": " + fault.message
        }
    }
}
