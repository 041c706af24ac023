import JailImport
import JailSpec
import SpecFile
import Testing

/// RestrictNamespaces=, whose lines are put together.
@Suite struct SystemdNamespaceTests {
    private func draft(_ lines: [String]) -> Draft {
        let text = "[Service]\n" + lines.map { "RestrictNamespaces=\($0)\n" }.joined()
        return SystemdImport.draft(of: [ImportSource(name: "a.service", text: Array(text.utf8))], [], ImportContext())
    }

    /// The kinds that unshare(2) makes none of; nil where the jail makes none at all.
    private func refused(_ lines: [String]) throws -> Set<String>? {
        let spec = try draft(lines).spec
        if !spec.namespaces.nested.value { return nil }
        let rules = (spec.seccomp?.value.rules ?? []).filter { $0.call.value == "unshare" }
        return Set(rules.flatMap { $0.arguments[0].value.value.split(separator: "|").map(String.init) })
    }

    @Test func `several lines hold together`() throws {
        let (user, net) = ("CLONE_NEWUSER", "CLONE_NEWNET")
        #expect(try refused(["~user", "~net"]) == [user, net] && refused(["~user net"]) == [user, net])
        #expect(try refused(["~user", "no", "~net"]) == [net] && refused(["~user", "", "~net"]) == [net])
        #expect(try refused(["~user", "user"]) == [] && refused(["~user", "no"]) == [] && refused([""]) == [])
        #expect(try refused(["user", "net"])?.isDisjoint(with: [user, net]) == true)
        #expect(try refused(["user", "net"])?.count == 6 && refused(["user net", "~net"])?.count == 7)
        #expect(try refused(["yes"]) == nil && refused(["net", "~net"]) == nil && refused(["~net", "yes"]) == nil)
        #expect(try refused(["yes", "net"])?.count == 7)
        #expect(!draft(["~user", "~net"]).said(.warning).contains { $0.contains("no effect") })
        #expect(!draft(["~wat"]).faults.isEmpty)
    }

    @Test func `a namespace of any kind is not entered`() throws {
        let rules = try #require(try draft(["~net"]).spec.seccomp).value.rules
        let entering = rules.filter { $0.call.value == "setns" }.map { $0.arguments[0] }
        #expect(entering.map(\.index) == [1, 1])
        #expect(entering.contains { $0.op == .equal && $0.value.value == "0" })
    }
}
