import JailSpec
import SpecFile
import Testing

@testable import SystemCallFilter

/// chown(2) and its kin where the jail maps ids one by one, by the program that the kernel gets.
@Suite("Owners that the jail does not map")
struct OwnerTests {
    private static let minusOne: UInt64 = 0xffff_ffff

    /// What becomes of a call, its user and group in their places, by a policy.
    private static func verdict(
        _ name: String, _ user: UInt64, _ group: UInt64, in context: FilterContext,
        _ change: ((inout SeccompPolicy) -> Void)? = nil
    ) throws -> Verdict {
        var written = SeccompPolicy()
        change?(&written)
        let resolved = EffectivePolicy.resolve(change == nil ? nil : Located(written), in: context)
        #expect(resolved.faults == [])
        let policy = try #require(resolved.policy)
        let index = try #require(CallNames.index(of: name))
        let number = Int32(try #require(callTable[index].number(on: .x86_64)))
        let arguments = [name == "fchownat" ? 9 : 7, 8, user, group].suffix(name == "fchownat" ? 4 : 3) + [0, 0, 0]
        let data = Interpreter.Data(number: number, architecture: 0xC000_003E, arguments: Array(arguments.prefix(6)))
        let value = try #require(Interpreter(code: FilterProgram(policy).instructions).run(data)).value
        #expect(
            policy.answer(number: number, architecture: 0xC000_003E, arguments: data.arguments).verdict.rawValue
                == value)
        return Verdict(rawValue: value)
    }

    private static func context(_ users: [UInt32]?, _ groups: [UInt32]?) -> FilterContext {
        var context = FilterContext()
        context.architecture = .x86_64
        context.owners = MappedOwners(users: users, groups: groups)
        return context
    }

    @Test(
        "An owner that is not mapped is EPERM; one's own, and one that stays, pass",
        arguments: ["chown", "fchown", "lchown", "fchownat"])
    func single(_ call: String) throws {
        let own = Self.context([1000], [65534])
        let same: [UInt64] = [1000, Self.minusOne, 1000 | 7 << 32, .max]
        for user in same {
            for group: UInt64 in [65534, Self.minusOne, .max] {
                #expect(try Self.verdict(call, user, group, in: own) == .allow, "\(user) \(group)")
            }
            for group: UInt64 in [0, 1000, 65535, 0xffff, 0x8000_0000] {
                #expect(try Self.verdict(call, user, group, in: own) == .refuse, "\(user) \(group)")
            }
        }
        for user: UInt64 in [0, 1, 999, 65534, 0xffff, 1000 << 32] {
            #expect(try Self.verdict(call, user, 65534, in: own) == .refuse, "\(user)")
            #expect(try Self.verdict(call, user, Self.minusOne, in: own) == .refuse, "\(user)")
        }
    }

    @Test("Of ranges, and where nothing is known, the kernel decides")
    func ranges() throws {
        #expect(try Self.verdict("chown", 5, 5, in: Self.context(nil, nil)) == .allow)
        #expect(try Self.verdict("chown", 5, 5, in: Self.context(nil, [65534])) == .refuse)
        #expect(try Self.verdict("chown", 5, 65534, in: Self.context(nil, [65534])) == .allow)
        #expect(try Self.verdict("chown", 5, 7, in: Self.context([5, 6], [7, 8, 9])) == .allow)
        #expect(try Self.verdict("chown", 5, 10, in: Self.context([5, 6], [7, 8, 9])) == .refuse)
        let many = [UInt32](0..<UInt32(MappedOwners.limit + 1))
        #expect(try Self.verdict("chown", 5000, 0, in: Self.context(many, many)) == .allow)
        #expect(try Self.verdict("chown", 5, 5, in: FilterContext()) == .allow)
    }

    @Test("A group opens no owner, a name opens the call, what refuses more stays")
    func lists() throws {
        let own = Self.context([1000], [1000])
        let group = { (policy: inout SeccompPolicy) in policy.allow = [Located("@system-service")] }
        #expect(try Self.verdict("chown", 0, 0, in: own, group) == .refuse)
        #expect(try Self.verdict("chown", 1000, 1000, in: own, group) == .allow)
        #expect(try Self.verdict("chown", 0, 0, in: own) { $0.allow = [Located("chown")] } == .allow)
        #expect(try Self.verdict("chown", 1000, 1000, in: own) { $0.kill = [Located("@chown")] } == .kill)
        #expect(try Self.verdict("chown", 0, 0, in: own) { $0.log = [Located("chown")] } == .refuse)
        #expect(try Self.verdict("chown", 1000, 0xffff_ffff, in: own) { $0.log = [Located("chown")] } == .log)
        let strict = { (policy: inout SeccompPolicy) in
            policy.profile = Located(.strict)
            policy.allow = [Located("@chown")]
        }
        #expect(try Self.verdict("chown", 0, 0, in: own, strict) == .refuse)
        #expect(try Self.verdict("chown", 1000, 1000, in: own, strict) == .allow)
        let none = { (policy: inout SeccompPolicy) in
            policy.profile = Located(.none)
            policy.deny = [Located("ptrace")]
        }
        #expect(try Self.verdict("chown", 0, 0, in: own, none) == .allow)
    }

    @Test("It says why")
    func reason() throws {
        let policy = EffectivePolicy(defaultIn: Self.context([1000], [1000]))
        let answer = policy.answer(number: 92, architecture: 0xC000_003E, arguments: [0, 0, 0, 0, 0, 0])
        #expect(answer.origin.words == "owners that the jail does not map")
    }
}
