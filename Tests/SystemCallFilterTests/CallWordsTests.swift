import Testing

@testable import SystemCallFilter

/// Calls as people write them.
@Suite struct CallWordsTests {
    private func words(_ name: String, _ arguments: UInt64...) throws -> String {
        let index = try #require(CallNames.index(of: name))
        let number = try #require(callTable[index].number(on: .native))
        let padded = arguments + [UInt64](repeating: 0, count: 6 - arguments.count)
        let call = CallWords.call(
            number: Int32(number), architecture: Architecture.native.auditValue, arguments: padded)
        return "\(call.name)(\(call.arguments.joined(separator: ", ")))"
    }

    @Test func names() throws {
        #expect(try words("ptrace", 0, 1, 2, 3) == "ptrace(PTRACE_TRACEME)")
        #expect(try words("ptrace", 16, 7, 0, 0) == "ptrace(PTRACE_ATTACH, 7, 0, 0)")
        #expect(try words("socket", 1, 0x80801, 0) == "socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0)")
        #expect(try words("ioctl", 0, 0x5412, 0x7fff_0000_1234) == "ioctl(0, TIOCSTI, 0x7fff00001234)")
        #expect(try words("unshare", 0x1000_0000) == "unshare(CLONE_NEWUSER)")
        #expect(try words("prctl", 38, 1) == "prctl(PR_SET_NO_NEW_PRIVS, 1)")
        #expect(try words("getpid", 1, 2, 3) == "getpid()")
        #expect(try words("kill", UInt64(UInt32(bitPattern: -1)), 9) == "kill(-1, 9)")
        #expect(try words("mmap", 0, 4096, 7, 0x22, .max, 0).contains("PROT_EXEC"))
    }

    /// A number that has no name stays one, next to names for the rest.
    @Test func numbers() throws {
        #expect(try words("socket", 99, 99, 0) == "socket(99, SOCK_RAW|96, 0)")
        #expect(try words("unshare", 0x1000_0001) == "unshare(CLONE_NEWUSER|1)")
    }

    @Test func everyCallHasAnArity() {
        let names = callsByArity.flatMap { $0.names.split(separator: " ").map(String.init) }
        #expect(names.count == Set(names).count)
        #expect(Set(names) == Set(callTable.map(\.name)))
    }

    @Test func foreignCalls() {
        let arguments = [UInt64](repeating: 1, count: 6)
        let old = CallWords.call(number: 20, architecture: 0x4000_0003, arguments: arguments)
        #expect(old.name == "i386 getpid" && old.arguments == [])
        let none = CallWords.call(number: 17, architecture: 0x4000_0003, arguments: arguments)
        #expect(none.name == "i386 break")
        let unknown = CallWords.call(number: 9999, architecture: 0x4000_0003, arguments: arguments)
        #expect(unknown.name == "i386 call 9999" && unknown.arguments.count == 6)
        let late = CallWords.call(number: 5000, architecture: Architecture.native.auditValue, arguments: arguments)
        #expect(late.name == "call 5000")
    }
}
