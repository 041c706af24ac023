import JailSpec
import SpecFile
import Testing

@testable import SystemCallFilter

/// What rules and lists make of the calls that a profile looks into, by the program that the kernel gets.
@Suite("Calls that a profile guards")
struct GuardedCallTests {
    /// The verdicts of calls, each a name and its first arguments.
    private static func verdicts(
        _ calls: [(name: String, arguments: [UInt64])], in context: FilterContext = FilterContext(),
        _ change: (inout SeccompPolicy) throws -> Void
    ) throws -> [Verdict] {
        var written = SeccompPolicy()
        try change(&written)
        let resolved = EffectivePolicy.resolve(Located(written), in: context)
        #expect(resolved.faults == [])
        let policy = try #require(resolved.policy)
        let program = Interpreter(code: FilterProgram(policy).instructions)
        return try calls.map { call in
            let index = try #require(CallNames.index(of: call.name))
            let number = try #require(callTable[index].number(on: policy.architecture))
            let arguments = call.arguments + [UInt64](repeating: 0, count: 6 - call.arguments.count)
            let data = Interpreter.Data(
                number: Int32(number), architecture: policy.architecture.auditValue, arguments: arguments)
            let value = try #require(program.run(data)).value
            let answer = policy.answer(number: data.number, architecture: data.architecture, arguments: arguments)
            #expect(answer.verdict.rawValue == value)
            return Verdict(rawValue: value)
        }
    }

    /// AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_ALG, AF_VSOCK, and one that is AF_UNIX in the bits that the kernel reads.
    private static let sockets: [(name: String, arguments: [UInt64])] = [1, 2, 10, 16, 38, 40, 1 | 1 << 32].map {
        ("socket", [$0])
    }
    private static let refused = Verdict.errno(1)
    private static let noFamily = Verdict.noSuchFamily

    @Test("log tells what is allowed of a guarded call, by its name and by a group, and opens nothing")
    func logging() throws {
        let logged: [Verdict] = [.log, .log, .log, .log, Self.noFamily, Self.noFamily, .log]
        for change: (inout SeccompPolicy) -> Void in [
            { $0.log = [Located("@network-io")] }, { $0.log = [Located("socket")] },
            { ($0.log, $0.allow) = ([Located("socket")], [Located("@network-io")]) },
            { ($0.log, $0.deny) = ([Located("socket")], [Located("@network-io")]) },
        ] {
            #expect(try Self.verdicts(Self.sockets, change) == logged)
        }
        let processes: [(String, [UInt64])] = [
            ("clone", [17]), ("clone", [0x1000_0011]), ("clone3", []), ("unshare", [0x1000_0000]), ("wait4", []),
            ("execveat", []),
        ]
        #expect(
            try Self.verdicts(processes) { $0.log = [Located("@process")] }
                == [.log, Self.refused, .absent, Self.refused, .log, .log])
        var nested = FilterContext()
        nested.isNested = true
        #expect(
            try Self.verdicts(processes, in: nested) { $0.log = [Located("@process")] }
                == [Verdict](repeating: .log, count: 6))
        let personas: [(String, [UInt64])] = [("personality", [0]), ("personality", [0x40000])]
        for name in ["personality", "@known"] {
            #expect(try Self.verdicts(personas) { $0.log = [Located(name)] } == [.log, Self.refused])
        }
        // What is Self.refused whatever the arguments is opened by its name, and by a group where that opens it with `allow`.
        #expect(
            try Self.verdicts([("unshare", [0]), ("keyctl", [0])]) {
                $0.log = [Located("unshare"), Located("@keyring")]
            } == [.log, .log])
        let strict = try Self.verdicts(Self.sockets + [("ioctl", [0, 0x5401]), ("ioctl", [0, 0x5412])]) {
            $0.profile = Located(.strict)
            $0.log = [Located("@network-io"), Located("ioctl")]
        }
        #expect(strict == [Verdict](repeating: Self.refused, count: 7) + [.log, Self.refused])
    }

    @Test("deny and kill leave nothing of a guarded call", arguments: ["socket", "@network-io", "ioctl", "@known"])
    func taking(_ name: String) throws {
        let wanted: [Verdict] = [.errno(13), .kill]
        for (index, verdict) in wanted.enumerated() {
            let calls: [(String, [UInt64])] =
                name == "ioctl" ? [("ioctl", [0, 0x5401]), ("ioctl", [0, 0x5412])] : Self.sockets
            for profile: SeccompPolicy.Profile in [.default, .strict, .none] {
                let found = try Self.verdicts(calls) {
                    $0.profile = Located(profile)
                    if profile != .none { $0.defaultAction = Located(.errno(13)) }
                    if index == 0 { $0.deny = [Located(name)] } else { $0.kill = [Located(name)] }
                    if name == "@known" { $0.log = [Located("execve")] }
                }
                let expected = index == 0 && profile == .none ? Self.refused : verdict
                #expect(found.allSatisfy { $0 == expected }, "\(name), \(profile)")
            }
        }
    }
}
