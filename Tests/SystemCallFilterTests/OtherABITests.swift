import JailSpec
import LinuxFacts
import SpecFile
import TestSupport
import Testing

@testable import SystemCallFilter

@Suite("Calls of other ABIs")
struct OtherABITests {
    private static func opened(_ change: (inout SeccompPolicy) -> Void = { _ in }) throws -> EffectivePolicy {
        var context = FilterContext()
        context.architecture = .x86_64
        context.owners = MappedOwners(users: [1000], groups: [1000])
        let resolved = FilterTests.resolve(
            {
                $0.abis = Located([.native, .x86, .x32])
                change(&$0)
            }, in: context)
        #expect(resolved.faults.isEmpty)
        return try #require(resolved.policy)
    }

    private static let first: [OtherABI: UInt32] = [.i386: 0, .x32: AuditArchitecture.x32Bit]

    private static func audit(_ abi: OtherABI) -> UInt32 {
        switch abi {
        case .i386: AuditArchitecture.i386
        case .x32: AuditArchitecture.x86_64
        }
    }

    /// Arguments that rules of the profiles ask for, and some by chance, as wide as i386 passes them.
    private static func arguments(with generator: inout Seeded) -> [UInt64] {
        (0..<6).map { _ in
            let some: [UInt64] = [0, 1, 8, 38, 40, 1000, 0x5412, 0x541c, 0x1000_0000, 0xffff_ffff]
            return some.randomElement(using: &generator) ?? 0
        }
    }

    @Test("The program says what the policy says, to every number of each ABI", arguments: 0..<12)
    func alike(_ seed: Int) throws {
        var generator = Seeded(UInt64(seed))
        var policy = seed == 0 ? try Self.opened() : RandomPolicy.make(on: .x86_64, with: &generator)
        policy.others = seed % 3 == 1 ? [.i386] : seed % 3 == 2 ? [.x32] : [.i386, .x32]
        let program = Interpreter(code: FilterProgram(policy).instructions)
        for abi in OtherABI.allCases {
            for offset in UInt32(0)..<600 {
                let number = Int32(bitPattern: (Self.first[abi] ?? 0) + offset)
                let data = Interpreter.Data(
                    number: number, architecture: Self.audit(abi), arguments: Self.arguments(with: &generator))
                let answer = policy.answer(
                    number: number, architecture: data.architecture, arguments: data.arguments)
                #expect(program.run(data)?.value == answer.verdict.rawValue, "\(abi) \(offset): \(answer)")
                if !policy.others.contains(abi) { #expect(answer.verdict == .kill) }
            }
        }
        for number in [Int32(-1), 0x3fff_ffff] {
            for architecture in [AuditArchitecture.x86_64, AuditArchitecture.i386, AuditArchitecture.arm] {
                let data = Interpreter.Data(number: number, architecture: architecture)
                let answer = policy.answer(number: number, architecture: architecture, arguments: data.arguments)
                #expect(program.run(data)?.value == answer.verdict.rawValue, "\(number) of \(architecture)")
            }
        }
    }

    @Test("No call is answered more laxly than the call that it stands for", arguments: 0..<8)
    func neverLaxer(_ seed: Int) throws {
        var generator = Seeded(UInt64(100 + seed))
        var policy = seed == 0 ? try Self.opened() : RandomPolicy.make(on: .x86_64, with: &generator)
        policy.others = OtherABI.allCases
        for abi in OtherABI.allCases {
            for call in abi.calls where !call.name.isEmpty {
                let arguments = Self.arguments(with: &generator)
                let answer = policy.answer(
                    number: Int32(bitPattern: call.number), architecture: Self.audit(abi), arguments: arguments)
                for own in call.own {
                    let native = policy.answer(
                        number: Int32(callTable[own].number(on: .x86_64) ?? -1),
                        architecture: AuditArchitecture.x86_64, arguments: arguments)
                    #expect(!native.verdict.isStricter(than: answer.verdict), "\(abi.name) \(call.name)")
                }
            }
        }
    }

    @Test("Every call of i386 that the kernel has on x86-64 under another name is known")
    func names() throws {
        let alone = Set(
            ["", "break", "stty", "gtty", "ftime", "lock", "mpx", "prof", "profil", "ulimit", "idle", "bdflush"]
                + ["vm86", "vm86old"])
        for call in OtherABI.i386.calls where call.own.isEmpty { #expect(alone.contains(call.name), "\(call.name)") }
        let policy = try Self.opened()
        let calls = Dictionary(policy.ownCalls(of: .i386).map { ($0.name, $0) }) { first, _ in first }
        #expect(calls["socketcall"]?.verdict == .noSuchFamily && calls["vm86"]?.verdict == .absent)
        #expect(calls["ipc"]?.verdict == .allow && calls["chown32"]?.rules.isEmpty == false)
        // The 16-bit ids of the old call stand where no rule looks for them.
        let old = policy.answer(number: 182, architecture: AuditArchitecture.i386, arguments: [0, 1000, 1000, 0, 0, 0])
        #expect(old.name == "chown" && old.verdict == .refuse)
    }

    @Test("Lists name calls that only another ABI has, rules cannot")
    func lists() throws {
        let policy = try Self.opened {
            $0.allow = [Located("socketcall")]
            $0.kill = [Located("stat64")]
        }
        let calls = Dictionary(policy.ownCalls(of: .i386).map { ($0.name, $0.verdict) }) { first, _ in first }
        #expect(calls["socketcall"] == .allow && calls["stat64"] == .kill && calls["lstat64"] == .allow)
        #expect(FilterProgram(policy).killsOrLogs)
        let rule = SeccompPolicy.Rule(call: Located("socketcall"), action: .allow, arguments: [])
        let faults = FilterTests.resolve {
            $0.abis = Located([.x86])
            $0.rules = [rule]
        }.faults
        #expect(faults.count == 1 && faults[0].message.contains("socketcall"))
    }

    @Test("Another machine has no such ABI")
    func elsewhere() {
        var context = FilterContext()
        context.architecture = .aarch64
        let faults = FilterTests.resolve({ $0.abis = Located([.x86]) }, in: context).faults
        #expect(faults.map(\.message) == ["seccomp.architectures: only x86-64 has the ABI i386"])
        #expect(FilterTests.resolve({ $0.abis = Located([.native]) }, in: context).faults.isEmpty)
    }
}
