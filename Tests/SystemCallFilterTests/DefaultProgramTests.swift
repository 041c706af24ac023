import JailSpec
import Kernel
import Testing

@testable import SystemCallFilter

/// The default profile's program stands in the source as the compiler writes it. `IMMURE_RECORD=1` writes it anew: after a
/// change of the table, the profile or the compiler.
@Suite("The program compiled ahead")
struct DefaultProgramTests {
    static func compiled(_ architecture: Architecture) -> [UInt64] {
        var context = FilterContext()
        context.architecture = architecture
        context.owners = owners(DefaultProgram.placeholders.user, DefaultProgram.placeholders.group)
        return FilterProgram(EffectivePolicy(defaultIn: context)).instructions
    }

    private static func owners(_ user: UInt32, _ group: UInt32) -> MappedOwners {
        MappedOwners(users: [user], groups: [group])
    }

    /// The smallest jail of a user and a group.
    private static func smallest(_ user: UInt32 = 1000, _ group: UInt32 = 65534) -> FilterContext {
        var context = FilterContext()
        context.owners = owners(user, group)
        return context
    }

    @Test("It is the compiler's")
    func isCurrent() throws {
        let programs = (Self.compiled(.x86_64), Self.compiled(.aarch64))
        if environmentVariable("IMMURE_RECORD") == "1" { try Self.record(programs.0, programs.1) }
        #expect(DefaultProgram.x86_64.elementsEqual(programs.0), "IMMURE_RECORD=1 writes it anew")
        #expect(DefaultProgram.aarch64.elementsEqual(programs.1), "IMMURE_RECORD=1 writes it anew")
    }

    @Test("It is taken where the jail opens nothing further, and says what the policy says")
    func isTaken() {
        let ahead = FilterProgram(defaultIn: Self.smallest())
        let compiled = FilterProgram(EffectivePolicy(defaultIn: Self.smallest()))
        #expect(ahead.instructions == compiled.instructions)
        #expect(ahead.policy == compiled.policy)
        #expect(ahead.notifying == compiled.notifying)
        #expect(ahead.killsOrLogs == compiled.killsOrLogs)
        for call in callTable {
            #expect(ahead.leavesAlone(call.name) == compiled.leavesAlone(call.name), "\(call.name)")
            #expect(ahead.answer(to: call.name) == compiled.answer(to: call.name), "\(call.name)")
        }
        let openings: [(inout FilterContext) -> Void] = [
            { $0.isNested = true }, { $0.ownsProcesses = false }, { $0.capabilities = .init(.sys_admin) },
            { $0.owners = nil }, { $0.owners = MappedOwners(users: nil, groups: [65534]) },
            { $0.owners = MappedOwners(users: [1000], groups: [65534, 4]) },
        ]
        for open in openings {
            var context = Self.smallest()
            open(&context)
            let program = FilterProgram(defaultIn: context)
            #expect(program.instructions == FilterProgram(EffectivePolicy(defaultIn: context)).instructions)
            #expect(program.instructions != ahead.instructions)
        }
    }

    @Test("The ids of the jail stand in it, whatever they are")
    func isPatched() {
        let ids: [UInt32] = [
            0, 1, 0x15, 65534, .max - 1, DefaultProgram.placeholders.user, DefaultProgram.placeholders.group,
        ]
        for user in ids {
            for group in ids {
                let context = Self.smallest(user, group)
                let compiled = FilterProgram(EffectivePolicy(defaultIn: context))
                #expect(FilterProgram(defaultIn: context).instructions == compiled.instructions, "\(user) \(group)")
            }
        }
    }

    static func record(_ x86_64: [UInt64], _ aarch64: [UInt64]) throws {
        var text = """
            /// The profile "default" of the smallest jail, compiled: written by DefaultProgramTests with `IMMURE_RECORD=1`.
            enum DefaultProgram {
                #if arch(x86_64)
                    static let native = x86_64
                #else
                    static let native = aarch64
                #endif


            """
        for (name, program) in [("x86_64", x86_64), ("aarch64", aarch64)] {
            text += "    static let \(name): [UInt64] = [\n"
            for start in stride(from: 0, to: program.count, by: 5) {
                let line = program[start..<min(start + 5, program.count)].map { "0x" + String($0, radix: 16) }
                text += "        " + line.joined(separator: ", ") + ",\n"
            }
            text += "    ]\n"
            if name == "x86_64" { text += "\n" }
        }
        text += "}\n"
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let path = "/\(root)/Sources/SystemCallFilter/DefaultProgram.swift"
        let file = try Kernel.open(path, [.write, .create, .truncate], permissions: 0o644)
        try writeAll(file.number, Array(text.utf8))
    }
}
