import JailImport
import JailSpec
import SpecFile
import Testing

@Suite struct SystemdSocketsTests {
    private func draft(_ lines: String) -> Draft {
        let text = "[Service]\nExecStart=/usr/bin/true\n\(lines)\n"
        return SystemdImport.draft(of: [ImportSource(name: "x.service", text: Array(text.utf8))], [], ImportContext())
    }

    private func ports(_ lines: String) throws -> [UInt16]? { try draft(lines).spec.landlock?.value.bindTCP?.value }

    @Test func `TCP that is closed but for ports is Landlock's`() throws {
        let made = draft("SocketBindDeny=tcp\nSocketBindAllow=tcp:80\nSocketBindAllow=443\nSocketBindAllow=8000-8002")
        #expect(try made.spec.landlock?.value.bindTCP?.value == [80, 443, 8000, 8001, 8002])
        #expect(!made.hasLostRestrictions)
        #expect(try ports("SocketBindDeny=tcp\nSocketBindAllow=udp:53") == [])
    }

    @Test func `what Landlock does not know of is told as lost`() throws {
        let made = draft("SocketBindDeny=any\nSocketBindAllow=tcp:80")
        #expect(try made.spec.landlock?.value.bindTCP?.value == [80])
        #expect(made.directives(.lostRestriction) == ["SocketBindDeny=any"], "UDP may be bound")
        for line in ["udp", "tcp:22", "ipv6", "ipv4:tcp", "1-1023"] {
            #expect(draft("SocketBindDeny=\(line)").hasLostRestrictions, "\(line)")
            #expect(try ports("SocketBindDeny=\(line)") == nil, "\(line)")
        }
        // One family's port would open that of the other.
        #expect(try ports("SocketBindDeny=tcp\nSocketBindAllow=ipv4:tcp:80\nSocketBindAllow=1-65535") == [])
    }

    @Test func `what is allowed again, or leads nowhere, is not lost`() throws {
        for lines in [
            "SocketBindDeny=tcp\nSocketBindAllow=any", "SocketBindAllow=tcp:80", "SocketBindDeny=any\nSocketBindDeny=",
            "SocketBindDeny=any\nPrivateNetwork=yes", "SocketBindDeny=any\nRestrictAddressFamilies=AF_UNIX",
        ] {
            #expect(!draft(lines).hasLostRestrictions, "\(lines)")
            #expect(try ports(lines) == nil, "\(lines)")
        }
        #expect(draft("SocketBindDeny=any\nPrivateNetwork=yes\nNetworkNamespacePath=/run/netns/x").hasLostRestrictions)
    }

    @Test(arguments: ["tcp:0", "tcp:70000", "80-70", "1-2-3", "sctp:80", "tcp:", "80:tcp", ""])
    func `a port that systemd does not read is a fault`(_ word: String) {
        guard !word.isEmpty else { return #expect(draft("SocketBindDeny=").faults.isEmpty) }
        #expect(!draft("SocketBindDeny=\(word)").faults.isEmpty)
    }

    @Test func `a ring makes no socket that the unit's addresses refuse`() throws {
        let rules = try #require(try draft("IPAddressDeny=any").spec.seccomp).value.rules
        #expect(rules.contains { $0.call.value == "io_uring_setup" && $0.arguments.isEmpty })
    }

    @Test func `a network that is joined is filtered by nobody`() {
        let lines = "PrivateNetwork=yes\nNetworkNamespacePath=/run/netns/x\nIPAddressDeny=any\nIPAddressAllow=localhost"
        #expect(draft(lines).hasLostRestrictions)
    }
}
