import JailSpec
import Kernel
import SpecFile
import TestSupport
import Testing

@testable import SystemCallFilter

@Suite("Filters")
struct FilterTests {
    static let architectures: [Architecture] = [.x86_64, .aarch64]

    static func resolve(_ change: (inout SeccompPolicy) -> Void, in context: FilterContext = FilterContext())
        -> EffectivePolicy.Resolved
    {
        var policy = SeccompPolicy()
        change(&policy)
        return EffectivePolicy.resolve(Located(policy), in: context)
    }

    /// How many decisions were held against the library's.
    struct Counts {
        var calls = 0
        var withRules = 0
    }

    /// The program, the policy read directly, and the library decide alike; the first call on which they do not.
    static func difference(
        _ policy: EffectivePolicy, against library: [Verdict: Interpreter]?, counting counted: inout Counts
    ) -> String? {
        let ours = Interpreter(code: FilterProgram(policy).instructions)
        let calls = Calls.byNumber(policy)
        let rulesOf = Dictionary(grouping: policy.rules) { callTable[$0.call].name }
        for data in Calls.all(of: policy) {
            let call = calls[Int(data.number)]
            guard let (value, looked) = ours.run(data) else { return "invalid program at \(data)" }
            let answer = policy.answer(
                number: data.number, architecture: data.architecture, arguments: data.arguments)
            if value != answer.verdict.rawValue { return "\(data): \(Verdict(rawValue: value).name), not \(answer)" }
            if looked && call?.rules.isEmpty != false {
                return "\(data): looks at an argument without need"
            }
            let rules = call.flatMap { rulesOf[$0.name] } ?? []
            guard let library, Calls.areComparable(data, call, rules, in: policy) else { continue }
            counted.calls += 1
            if !rules.isEmpty { counted.withRules += 1 }
            let rest = rules.isEmpty ? policy.unknown : policy.verdicts[rules[0].call]
            guard let other = library[rest]?.run(data) else { return "the library's program is not valid" }
            if other.value != value {
                return
                    "\(data): \(Verdict(rawValue: value).name), by the library \(Verdict(rawValue: other.value).name)"
            }
        }
        return nil
    }

    @Test("Each profile decides as libseccomp's program for it", arguments: architectures)
    func profiles(_ architecture: Architecture) {
        var counted = Counts()
        for name in [SeccompPolicy.Profile.default, .strict] {
            for isNested in name == .strict ? [false] : [false, true] {
                let some: CapabilitySet = [CapabilitySet(.sys_admin), CapabilitySet(.sys_ptrace)]
                for capabilities in [CapabilitySet(rawValue: 0), some, CapabilitySet(rawValue: .max)] {
                    var context = FilterContext()
                    context.architecture = architecture
                    context.isNested = isNested
                    context.capabilities = capabilities
                    let resolved = Self.resolve({ $0.profile = Located(name) }, in: context)
                    #expect(resolved.faults.isEmpty)
                    guard let policy = resolved.policy else {
                        Issue.record("no policy")
                        continue
                    }
                    let library = Library.programs(policy)
                    #expect(library != nil)
                    #expect(Self.difference(policy, against: library, counting: &counted) == nil)
                }
            }
        }
        #expect(counted.calls > 4000 && counted.withRules > 1000, "\(counted)")
    }

    /// Several hundred with IMMURE_ROUNDS=300.
    static let rounds = environmentVariable("IMMURE_ROUNDS").flatMap { Int($0) } ?? 30

    @Test("Random policies decide as libseccomp's program for them", arguments: architectures)
    func random(_ architecture: Architecture) {
        var generator = Seeded(architecture == .x86_64 ? 4711 : 815)
        var (compared, counted) = (0, Counts())
        for round in 0..<Self.rounds {
            let policy = RandomPolicy.make(on: architecture, with: &generator)
            let library = Library.programs(policy)
            if library != nil { compared += 1 }
            if let difference = Self.difference(policy, against: library, counting: &counted) {
                Issue.record("policy \(round): \(difference)")
                return
            }
        }
        #expect(compared > Self.rounds * 9 / 10)
        #expect(counted.calls > 400 * compared && counted.withRules > 30 * compared, "\(counted)")
        if Self.rounds > 30 { print("\(architecture): \(compared) policies compared, \(counted)") }
    }

    @Test("The profile none with a list decides as libseccomp's program for it", arguments: architectures)
    func none(_ architecture: Architecture) throws {
        var counted = Counts()
        for change: (inout SeccompPolicy) -> Void in [
            { $0.deny = [Located("@mount"), Located("ptrace")] },
            {
                $0.defaultAction = Located(.errno(13))
                $0.allow = [Located("@system-service")]
                $0.kill = [Located("@clock")]
            },
        ] {
            var context = FilterContext()
            context.architecture = architecture
            let resolved = Self.resolve(
                {
                    $0.profile = Located(.none)
                    change(&$0)
                }, in: context)
            let policy = try #require(resolved.policy)
            #expect(Self.difference(policy, against: Library.programs(policy), counting: &counted) == nil)
        }
        #expect(counted.calls > 800)
    }

    @Test("A filter that has to jump far decides alike")
    func far() {
        let policy = RandomPolicy.large(on: .x86_64)
        var counted = Counts()
        let program = FilterProgram(policy)
        #expect(program.instructions.count > 1000)
        #expect(program.instructions.count <= 4096)
        #expect(Self.difference(policy, against: nil, counting: &counted) == nil)
    }

    @Test("What kills or logs asks a listener instead, and nothing else changes")
    func notifying() throws {
        let policy = try #require(
            Self.resolve {
                $0.kill = [Located("ptrace")]
                $0.log = [Located("mkdir")]
            }.policy)
        let program = FilterProgram(policy)
        let (plain, asking) = (Interpreter(code: program.instructions), Interpreter(code: program.notifying))
        for data in Calls.all(of: policy) {
            let value = try #require(plain.run(data)?.value)
            let expected = [Verdict.kill.rawValue, Verdict.log.rawValue].contains(value) ? Verdict.ask.rawValue : value
            #expect(asking.run(data)?.value == expected)
        }
        let answer = program.explain(
            number: 101, architecture: Architecture.x86_64.auditValue, arguments: [0, 0, 0, 0, 0, 0])
        #expect(answer.name == "ptrace" && answer.verdict == .kill && answer.origin.words == "seccomp.kill")
    }
}
