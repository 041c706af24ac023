import JailSpec
import SpecFile
import Testing

@testable import SystemCallFilter

/// Set-user-ID bits and capabilities of files where these are another's on the host, by the program that the kernel gets.
@Suite("Rights of files that are another's")
struct RightsTests {
    /// A number of some ABI with its arguments.
    private struct Made {
        var number: Int
        var audit: UInt32 = 0xC000_003E
        var arguments: [UInt64]
    }

    private static func context(_ change: (inout FilterContext) -> Void = { _ in }) -> FilterContext {
        var context = FilterContext()
        context.architecture = .x86_64
        context.owners = MappedOwners(users: [65534], groups: [65534])
        context.filesOfOthers = Located(true, at: nil)
        change(&context)
        return context
    }

    private static func verdict(
        _ made: Made, in context: FilterContext = context(), _ change: ((inout SeccompPolicy) -> Void)? = nil
    ) throws -> Verdict {
        var program = FilterProgram(defaultIn: context)
        if let change {
            var written = SeccompPolicy()
            change(&written)
            let resolved = EffectivePolicy.resolve(Located(written), in: context)
            #expect(resolved.faults == [])
            program = FilterProgram(try #require(resolved.policy))
        }
        let arguments = made.arguments + [UInt64](repeating: 0, count: 6 - made.arguments.count)
        let data = Interpreter.Data(number: Int32(made.number), architecture: made.audit, arguments: arguments)
        let value = try #require(Interpreter(code: program.instructions).run(data)).value
        let answer = program.explain(number: data.number, architecture: data.architecture, arguments: arguments)
        #expect(answer.verdict.rawValue == value)
        return Verdict(rawValue: value)
    }

    private static func call(_ name: String, _ arguments: UInt64...) throws -> Made {
        let index = try #require(CallNames.index(of: name))
        return Made(number: try #require(callTable[index].number(on: .x86_64)), arguments: arguments)
    }

    /// Every call with a mode, as a function of it.
    private static func all(_ mode: UInt64) throws -> [Made] {
        try [
            call("chmod", 7, mode), call("fchmod", 3, mode), call("fchmodat", 3, 7, mode),
            call("fchmodat2", 3, 7, mode, 0x100), call("creat", 7, mode), call("mknod", 7, mode | 0o100000),
            call("mknodat", 3, 7, mode | 0o100000), call("open", 7, 0o101, mode), call("open", 7, 0o20200001, mode),
            call("openat", 3, 7, 0o102, mode), call("openat", 3, 7, 0o20200002, mode),
        ]
    }

    @Test("A mode with one of the bits is refused by every call that takes one, and no other mode is")
    func modes() throws {
        for mode: UInt64 in [0o4755, 0o2755, 0o6000, 0o4001 | 1 << 32] {
            for made in try Self.all(mode) { #expect(try Self.verdict(made) == .refuse, "\(made) \(mode)") }
        }
        for mode: UInt64 in [0, 0o777, 0o1777, 0o644 | 0o4000 << 32] {
            for made in try Self.all(mode) { #expect(try Self.verdict(made) == .allow, "\(made) \(mode)") }
        }
        // No file is made: what is there in place of a mode means nothing.
        #expect(try Self.verdict(Self.call("open", 7, 2, 0o6755)) == .allow)
        #expect(try Self.verdict(Self.call("openat", 3, 7, 0o2000000, 0o6755)) == .allow)
    }

    @Test("What hides a mode is not there")
    func hidden() throws {
        #expect(try Self.verdict(Self.call("openat2", 3, 7, 8, 24)) == .absent)
        let named = { (policy: inout SeccompPolicy) in
            policy.allow = ["io_uring_setup", "io_uring_enter", "io_uring_register", "openat2"].map { Located($0) }
        }
        for name in ["io_uring_setup", "io_uring_enter", "io_uring_register"] {
            #expect(try Self.verdict(Self.call(name), named) == .refuse)
        }
        #expect(try Self.verdict(Self.call("openat2", 3, 7, 8, 24), named) == .absent)
        #expect(try Self.verdict(Made(number: 900, arguments: [])) { $0.profile = Located(.none) } == .absent)
    }

    @Test("Nothing that the spec says opens it: names, groups, rules, log, no profile")
    func opened() throws {
        let rule = SeccompPolicy.Rule(
            call: Located("fchmodat"), action: .allow,
            arguments: [.init(index: 2, op: .equal, value: Located("2541"))])
        let changes: [(inout SeccompPolicy) -> Void] = [
            { $0.profile = Located(.none) },
            { $0.allow = ["chmod", "fchmod", "fchmodat", "openat", "open", "creat"].map { Located($0) } },
            { $0.allow = [Located("@file-system")] },
            { $0.log = ["chmod", "openat"].map { Located($0) } },
            { $0.rules = [rule] },
        ]
        for change in changes {
            for made in try Self.all(0o4755) { #expect(try Self.verdict(made, change) == .refuse, "\(made)") }
        }
        // Such a profile leaves all else to whom it leaves it.
        #expect(try Self.verdict(Self.call("mount")) { $0.profile = Located(.none) } == .allow)
    }

    @Test("What is refused in another way stays so")
    func stricter() throws {
        let chmod = try Self.call("chmod", 7, 0o4755)
        #expect(try Self.verdict(chmod) { $0.kill = [Located("chmod")] } == .kill)
        let rule = SeccompPolicy.Rule(
            call: Located("chmod"), action: .kill, arguments: [.init(index: 1, op: .masked, value: Located("2048"))])
        #expect(try Self.verdict(chmod) { $0.rules = [rule] } == .kill)
        #expect(try Self.verdict(Self.call("chmod", 7, 0o2755)) { $0.rules = [rule] } == .refuse)
        #expect(try Self.verdict(Self.call("openat2")) { $0.deny = [Located("openat2")] } == .refuse)
    }

    @Test("The other ABIs of the machine alike")
    func abis() throws {
        let opened = { (policy: inout SeccompPolicy) in
            policy.abis = Located([.native, .x86, .x32])
        }
        // open, creat, mknod, chmod, fchmod, openat, mknodat, fchmodat of i386.
        let i386: [(Int, [UInt64])] = [
            (5, [7, 0o101]), (8, [7]), (14, [7]), (15, [7]), (94, [3]), (295, [3, 7, 0o101]), (297, [3, 7]),
            (306, [3, 7]),
        ]
        for (number, first) in i386 {
            let made = { Made(number: number, audit: 0x4000_0003, arguments: first + [$0]) }
            #expect(try Self.verdict(made(0o4755), opened) == .refuse, "\(number)")
            #expect(try Self.verdict(made(0o755), opened) == .allow, "\(number)")
            #expect(try Self.verdict(made(0o755)) == .kill, "\(number)")
        }
        // openat2; and fchmodat2, which is beyond the table of that ABI.
        for number in [437, 452] {
            let made = Made(number: number, audit: 0x4000_0003, arguments: [3, 7, 0o755, 24])
            #expect(try Self.verdict(made, opened) == .absent)
            let bare = { (policy: inout SeccompPolicy) in
                opened(&policy)
                policy.profile = Located(.none)
            }
            #expect(try Self.verdict(made, bare) == .absent)
        }
        for made in try Self.all(0o4755) {
            let x32 = Made(number: made.number | 0x4000_0000, arguments: made.arguments)
            #expect(try Self.verdict(x32, opened) == .refuse, "\(made)")
        }
    }

    @Test("Capabilities of files, where the jail could give them")
    func capabilities() throws {
        for name in ["setxattr", "lsetxattr", "fsetxattr"] {
            for length: UInt64 in [20, 24] {
                let made = try Self.call(name, 3, 7, 8, length)
                #expect(try Self.verdict(made) == .allow)
                #expect(
                    try Self.verdict(made, in: Self.context { $0.capabilities = CapabilitySet(.setfcap) })
                        == .notSupported)
            }
            // Of three entries, the shortest that a file can have.
            let list = try Self.call(name, 3, 7, 8, 28)
            #expect(try Self.verdict(list, in: Self.context { $0.capabilities = CapabilitySet(.setfcap) }) == .allow)
        }
        #expect(
            try Self.verdict(Self.call("setxattrat"), in: Self.context { $0.capabilities = CapabilitySet(.setfcap) })
                == .absent)
        #expect(try Self.verdict(Self.call("setxattrat")) == .allow)
    }

    @Test("Without such files nothing of it, and it says why")
    func none() throws {
        let own = Self.context { $0.filesOfOthers = nil }
        for made in try Self.all(0o4755) { #expect(try Self.verdict(made, in: own) == .allow, "\(made)") }
        var unfiltered = SeccompPolicy()
        unfiltered.profile = Located(.none)
        #expect(EffectivePolicy.resolve(Located(unfiltered), in: own).policy == nil)
        let line = Position(file: "x.toml", line: 4, column: 1)
        let program = FilterProgram(defaultIn: Self.context { $0.filesOfOthers = Located(true, at: line) })
        let answer = program.explain(number: 90, architecture: 0xC000_003E, arguments: [7, 0o4755, 0, 0, 0, 0])
        #expect(answer.origin.words == EffectivePolicy.rightsOfFiles && answer.origin.position == line)
    }
}
