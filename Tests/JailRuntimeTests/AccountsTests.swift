import JailPlan
import JailSpec
import Testing

@testable import JailRuntime

/// Passwd(5), group(5) and subuid(5) as text, in good order and in bad.
@Suite struct AccountsTests {
    private static let passwd = """
        root:x:0:0:root:/root:/bin/bash
        ada:x:1000:1001:Ada,,,:/home/ada:/bin/zsh
        short:x:7:7
        minus:x:-1:5::/:/bin/sh
        huge:x:4294967296:5::/:/bin/sh
        spaces:x: 8:8::/:/bin/sh
        hex:x:0x10:8::/:/bin/sh
        empty:x:::::
        ada:x:2000:2000:again:/home/other:/bin/sh
        +nis::::::
        alias:x:1000:5::/alias:/bin/sh
        """

    private func users(_ wanted: Identity.Account) -> [Host.User] {
        Accounts.users(Array(Self.passwd.utf8), wanted: wanted)
    }

    /// The first line that fits counts, as for getpwnam(3).
    @Test func usersByNumberAndName() {
        #expect(users(.id(0)) == [Host.User(name: "root", uid: 0, gid: 0, home: "/root", shell: "/bin/bash")])
        #expect(users(.id(1000)).map(\.name) == ["ada"])
        #expect(users(.name("ada")).map(\.uid) == [1000])
        #expect(users(.name("ada")).first?.gid == 1001)
    }

    /// A line that is not understood is nobody's: read as 0 it would be root's.
    @Test(arguments: ["short", "minus", "huge", "spaces", "hex", "empty", "+nis", "", "ad", "adaa", "ADA"])
    func noUserIsGuessed(_ name: String) { #expect(users(.name(name)) == []) }

    @Test func groups() {
        let text = "root:x:0:\naudio:x:29:ada,bob\nbad:x:y:\nshort:x\n\nlast:x:4294967295"
        #expect(
            Accounts.groups(Array(text.utf8))
                == [.init(name: "root", gid: 0), .init(name: "audio", gid: 29), .init(name: "last", gid: .max)])
        #expect(Accounts.groups([]) == [] && Accounts.groups([0, 0xFF, 0x0A]) == [])
    }

    @Test func subordinates() {
        let text = "ada:100000:65536\nbob:5:5\n1000:900000:10\nada:7:0\nada:x:1\nada:1:2:3\nada:4294967296:1\n"
        let found = Accounts.subordinates(Array(text.utf8), name: "ada", id: 1000)
        #expect(
            found == [.init(inside: 0, outside: 100_000, count: 65_536), .init(inside: 0, outside: 900_000, count: 10)])
        #expect(Accounts.subordinates(Array(text.utf8), name: "eve", id: 5) == [])
    }

    /// Lines of everybody count, and so do their own ids; what is not a line does not.
    @Test func room() {
        let text = "bob:165536:65536\n:100000:65536\n1000:300000:10\nada:x:5\nada:1:2:3\n\n"
        let file = Array(text.utf8)
        #expect(
            Accounts.room(in: file, endsAmidLine: false, accounts: Array("carol:x:240000:\nx:y\n".utf8))
                == SubordinateRoom(start: 300_010))
        #expect(Accounts.room(in: file, endsAmidLine: true, accounts: []).start == 231_072)
        #expect(
            Accounts.room(in: nil, endsAmidLine: false, accounts: [])
                == SubordinateRoom(start: 100_000, isFileThere: false))
    }

    /// A caller without a line in passwd has no name, which is not the empty one.
    @Test func nobodyHasTheEmptyName() {
        let found = Accounts.subordinates(Array(":100000:65536\n".utf8), name: "", id: 5)
        #expect(found == [])
    }
}
