import JailSpec
import LinuxFacts
import Testing

@testable import SystemCallFilter

/// What the filter of a command that is watched answers, by the program that the kernel gets.
@Suite("Calls that are watched")
struct ObservedCallTests {
    private static let (allow, ask, missing) = (UInt32(0x7fff_0000), UInt32(0x7fc0_0000), UInt32(0x0005_0026))
    private static let names = ["openat", "clone", "sendto", "unshare", "connect"]

    private static func answers(
        _ calls: [(name: String, arguments: [UInt64])], on architecture: Architecture
    ) throws -> [UInt32] {
        let program = Interpreter(code: ObservedCalls.program(for: names, on: architecture))
        return try calls.map { call in
            let index = try #require(CallNames.index(of: call.name))
            let number = try #require(callTable[index].number(on: architecture))
            let arguments = call.arguments + [UInt64](repeating: 0, count: 6 - call.arguments.count)
            let data = Interpreter.Data(
                number: Int32(number), architecture: architecture.auditValue, arguments: arguments)
            return try #require(program.run(data)).value
        }
    }

    @Test(arguments: [Architecture.x86_64, .aarch64]) func `those that are named ask, others are made`(
        _ architecture: Architecture
    )
        throws
    {
        let calls = ["openat", "unshare", "connect", "read", "fchdir", "exit_group"].map { ($0, [UInt64]()) }
        #expect(
            try Self.answers(calls, on: architecture) == [
                Self.ask, Self.ask, Self.ask, Self.allow, Self.allow, Self.allow,
            ])
    }

    @Test(arguments: [Architecture.x86_64, .aarch64]) func `what would go past the filter is not there`(
        _ architecture: Architecture
    )
        throws
    {
        let calls = ["io_uring_setup", "clone3"].map { ($0, [UInt64]()) }
        #expect(try Self.answers(calls, on: architecture) == [Self.missing, Self.missing])
    }

    @Test(arguments: [Architecture.x86_64, .aarch64]) func `a clone asks where it makes namespaces`(
        _ architecture: Architecture
    ) throws {
        // SIGCHLD alone, a thread, CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWUSER, CLONE_NEWCGROUP, and CLONE_NEWNS above 32 bits, which is
        // none.
        let flags: [UInt64] = [17, 0x3d_0f00, 0x2_0011, 0x4000_0011, 0x1000_0011, 0x0200_0011, 0x2_0000 << 32]
        let expected = [Self.allow, Self.allow, Self.ask, Self.ask, Self.ask, Self.ask, Self.allow]
        #expect(try Self.answers(flags.map { ("clone", [$0]) }, on: architecture) == expected)
    }

    @Test(arguments: [Architecture.x86_64, .aarch64]) func `a message asks where it has an address`(
        _ architecture: Architecture
    )
        throws
    {
        // By its lower half, its upper half, both, or neither.
        let addresses: [UInt64] = [0x1000, 0x7fff_0000_0000, 0x7fff_0000_1000, 0]
        let calls = addresses.map { ("sendto", [3, 0x5000, 1, 0, $0, 16]) }
        #expect(try Self.answers(calls, on: architecture) == [Self.ask, Self.ask, Self.ask, Self.allow])
    }

    @Test func `calls of another architecture are made`() throws {
        let program = Interpreter(code: ObservedCalls.program(for: Self.names, on: .x86_64))
        let data = Interpreter.Data(number: 257, architecture: Architecture.aarch64.auditValue)
        #expect(program.run(data)?.value == Self.allow)
    }
}
