import JailSpec
import SpecFile
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

    /// The program, the policy read directly, and the library decide alike; the first call on which they do not.
    static func difference(_ policy: EffectivePolicy, against library: [UInt64]?) -> String? {
        let ours = Interpreter(code: FilterProgram(policy).instructions)
        let theirs = library.map(Interpreter.init)
        let calls = Calls.byNumber(policy)
        for data in Calls.all(of: policy) {
            guard let (value, looked) = ours.run(data) else { return "invalid program at \(data)" }
            let answer = policy.answer(
                number: data.number, architecture: data.architecture, arguments: data.arguments)
            if value != answer.verdict.rawValue { return "\(data): \(Verdict(rawValue: value).name), not \(answer)" }
            if looked && calls[Int(data.number)]?.rules.isEmpty != false {
                return "\(data): looks at an argument without need"
            }
            guard let theirs, Calls.areComparable(data, calls[Int(data.number)], in: policy) else { continue }
            guard let other = theirs.run(data) else { return "the library's program is not valid" }
            if other.value != value {
                return
                    "\(data): \(Verdict(rawValue: value).name), by the library \(Verdict(rawValue: other.value).name)"
            }
        }
        return nil
    }

    @Test("Each profile decides as libseccomp's program for it", arguments: architectures)
    func profiles(_ architecture: Architecture) {
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
                    let library = Library.compile(policy)
                    #expect(library != nil)
                    #expect(Self.difference(policy, against: library) == nil)
                }
            }
        }
    }

    @Test("Random policies decide as libseccomp's program for them", arguments: architectures)
    func random(_ architecture: Architecture) {
        var generator = Seeded(architecture == .x86_64 ? 4711 : 815)
        var compared = 0
        for round in 0..<100 {
            let policy = RandomPolicy.make(on: architecture, with: &generator)
            let library = Library.compile(policy)
            if library != nil { compared += 1 }
            if let difference = Self.difference(policy, against: library) {
                Issue.record("policy \(round): \(difference)")
                return
            }
        }
        #expect(compared > 90)
    }

    @Test("A filter that has to jump far decides alike")
    func far() {
        let policy = RandomPolicy.large(on: .x86_64)
        let program = FilterProgram(policy)
        #expect(program.instructions.count > 1000)
        #expect(program.instructions.count <= 4096)
        #expect(Self.difference(policy, against: nil) == nil)
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
