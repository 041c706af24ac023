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

    private static func rule(
        _ call: String, _ action: SeccompPolicy.Action, _ comparisons: (Int, SeccompPolicy.Argument.Operator, String)...
    ) -> SeccompPolicy.Rule {
        SeccompPolicy.Rule(
            call: Located(call), action: action,
            arguments: comparisons.map { .init(index: $0.0, op: $0.1, value: Located($0.2)) })
    }

    /// AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_ALG, AF_VSOCK, and one that is AF_UNIX in the bits that the kernel reads.
    private static let sockets: [(name: String, arguments: [UInt64])] = [1, 2, 10, 16, 38, 40, 1 | 1 << 32].map {
        ("socket", [$0])
    }
    private static let refused = Verdict.errno(1)
    private static let noFamily = Verdict.noSuchFamily

    @Test("A rule that allows narrows a guarded call, and opens nothing that the profile refuses besides")
    func narrowing() throws {
        let narrowed: [Verdict] = [
            .allow, Self.refused, Self.refused, Self.refused, Self.noFamily, Self.noFamily, .allow,
        ]
        let found = try Self.verdicts(Self.sockets) { $0.rules = [Self.rule("socket", .allow, (0, .equal, "AF_UNIX"))] }
        #expect(found == narrowed)
        // The contract's own, where a group holds the call too.
        let contract = try Self.verdicts(Self.sockets) {
            $0.profile = Located(.default)
            $0.defaultAction = Located(.errno(1))
            $0.allow = [Located("@system-service")]
            $0.deny = [Located("ptrace"), Located("@mount")]
            $0.rules = [Self.rule("socket", .allow, (0, .equal, "AF_UNIX"))]
        }
        #expect(contract == narrowed)
        // TCGETS, FIONREAD, TIOCSTI.
        let requests: [(String, [UInt64])] = [
            ("ioctl", [0, 0x5401]), ("ioctl", [0, 0x541b]), ("ioctl", [0, 0x5412]),
        ]
        for profile: SeccompPolicy.Profile in [.default, .strict, .none] {
            let found = try Self.verdicts(requests) {
                $0.profile = Located(profile)
                $0.rules = [Self.rule("ioctl", .allow, (1, .equal, "TCGETS"))]
            }
            #expect(found == [.allow, Self.refused, Self.refused], "\(profile)")
        }
        let personas = try Self.verdicts([("personality", [0]), ("personality", [8]), ("personality", [0x40000])]) {
            $0.defaultAction = Located(.errno(13))
            $0.rules = [Self.rule("personality", .allow, (0, .equal, "8"))]
        }
        #expect(personas == [.errno(13), .allow, .errno(13)])
        // A thread, and CLONE_NEWUSER.
        let clones = try Self.verdicts([("clone", [0x3d0f00]), ("clone", [17]), ("clone", [0x1000_0011])]) {
            $0.rules = [Self.rule("clone", .allow, (0, .equal, "0x3d0f00"))]
        }
        #expect(clones == [.allow, Self.refused, Self.refused])
    }

    @Test("Rules of one call add up")
    func together() throws {
        let found = try Self.verdicts(Self.sockets) {
            $0.rules = [
                Self.rule("socket", .allow, (0, .equal, "AF_UNIX"), (1, .equal, "0")),
                Self.rule("socket", .log, (0, .equal, "AF_INET")),
                Self.rule("socket", .errno(13), (0, .equal, "AF_INET6")),
            ]
        }
        #expect(found == [.allow, .log, .errno(13), Self.refused, Self.noFamily, Self.noFamily, .allow])
        // What refuses narrows nothing.
        let other = try Self.verdicts(Self.sockets) {
            $0.rules = [Self.rule("socket", .errno(13), (0, .equal, "AF_INET6"))]
        }
        #expect(other == [.allow, .allow, .errno(13), .allow, Self.noFamily, Self.noFamily, .allow])
        // A rule is over the profile: its own arguments are opened.
        let opened = try Self.verdicts(Self.sockets) {
            $0.rules = [Self.rule("socket", .allow, (0, .equal, "AF_VSOCK"))]
        }
        #expect(opened.map(\.permits) == [false, false, false, false, false, true, false])
    }

    @Test("Rules stand over lists, and lists decide what no rule is met by")
    func overLists() throws {
        let unix = Self.rule("socket", .allow, (0, .equal, "AF_UNIX"))
        let lists: [(WritableKeyPath<SeccompPolicy, [Located<String>]>, String, Verdict)] = [
            (\.allow, "socket", Self.refused), (\.allow, "@network-io", Self.refused), (\.log, "socket", Self.refused),
            (\.log, "@network-io", Self.refused), (\.deny, "socket", Self.refused),
            (\.deny, "@network-io", Self.refused),
            (\.kill, "socket", .kill), (\.kill, "@network-io", .kill),
        ]
        for (list, name, rest) in lists {
            let found = try Self.verdicts(Self.sockets) {
                $0[keyPath: list] = [Located(name)]
                $0.rules = [unix]
            }
            #expect(found[0] == .allow && found[6] == .allow && found[1...3].allSatisfy { $0 == rest }, "\(name)")
            #expect(found[4...5].allSatisfy { !$0.permits }, "\(name)")
        }
    }

    /// As docker's allows socket: for some arguments each.
    private static let engine = #"""
        { "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 13, "syscalls": [
            { "names": ["execve"], "action": "SCMP_ACT_ALLOW" },
            { "names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 22, "args": [
                { "index": 0, "value": 16, "op": "SCMP_CMP_EQ" }, { "index": 2, "value": 9, "op": "SCMP_CMP_EQ" } ] },
            { "names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [
                { "index": 0, "value": 40, "op": "SCMP_CMP_NE" } ] },
            { "names": ["kill"], "action": "SCMP_ACT_ERRNO", "errnoRet": 22, "args": [
                { "index": 1, "value": 9, "op": "SCMP_CMP_EQ" } ] } ] }
        """#

    private static func engineProfile() throws -> SeccompProfile {
        let root = try parseJSON(Array(engine.utf8), file: "p.json")
        return try #require(
            SeccompProfile.decode(root, in: Surroundings(environment: [:], currentDirectory: "/")).profile)
    }

    @Test("What a file allows by arguments is narrowed and logged as well")
    func files() throws {
        let calls = Self.sockets[0...5] + [("socket", [16, 3, 9])]
        let profile = try Self.engineProfile()
        let narrowed = try Self.verdicts(Array(calls)) {
            ($0.profile, $0.file) = (Located(.file("/p.json")), profile)
            $0.rules = [Self.rule("socket", .allow, (0, .equal, "AF_UNIX"))]
        }
        #expect(narrowed == [.allow] + [Verdict](repeating: .errno(13), count: 5) + [.errno(22)])
        for name in ["socket", "@network-io"] {
            let logged = try Self.verdicts(Array(calls)) {
                ($0.profile, $0.file) = (Located(.file("/p.json")), profile)
                $0.log = [Located(name)]
            }
            #expect(logged == [Verdict](repeating: .log, count: 5) + [.errno(13), .errno(22)], "\(name)")
        }
        // Of kill the file allows nothing.
        let opened = try Self.verdicts([("kill", [1, 0]), ("kill", [1, 9])]) {
            ($0.profile, $0.file) = (Located(.file("/p.json")), profile)
            $0.log = [Located("kill")]
        }
        #expect(opened == [.log, .errno(22)])
    }

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
