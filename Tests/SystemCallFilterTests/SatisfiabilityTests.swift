import JailSpec
import SpecFile
import TestSupport
import Testing

@testable import SystemCallFilter

/// Rules whose comparisons contradict each other.
@Suite("Rules that nothing meets")
struct SatisfiabilityTests {
    @Test("A rule that no arguments can meet is a fault at the comparison that leaves none")
    func impossible() {
        typealias Comparison = (Int, SeccompPolicy.Argument.Operator, String)
        let cases: [(comparisons: [Comparison], at: Int?)] = [
            ([(0, .equal, "AF_UNIX"), (0, .equal, "AF_INET")], 1),
            ([(0, .equal, "AF_UNIX"), (1, .equal, "1"), (0, .notEqual, "1"), (0, .equal, "2")], 2),
            ([(0, .less, "5"), (0, .greater, "4")], 1), ([(0, .less, "5"), (0, .greaterOrEqual, "4")], nil),
            ([(0, .greater, "4"), (0, .less, "7"), (0, .notEqual, "5"), (0, .notEqual, "6")], 3),
            ([(0, .less, "0")], 0), ([(0, .greater, "0xffffffff")], 0), ([(0, .lessOrEqual, "0")], nil),
            ([(0, .masked, "0x100"), (0, .less, "0x100")], 1), ([(0, .masked, "0x101"), (0, .less, "0x100")], nil),
            ([(0, .masked, "0x80"), (0, .greater, "0xff"), (0, .less, "0x180")], 2),
            ([(0, .masked, "0x80"), (0, .greater, "0xff"), (0, .less, "0x181")], nil),
            ([(0, .equal, "6"), (0, .masked, "2"), (0, .masked, "4")], nil),
            ([(0, .equal, "6"), (0, .masked, "1")], 1),
            ([(0, .equal, "1"), (0, .equal, "1")], nil), ([(0, .equal, "1"), (1, .equal, "2")], nil),
        ]
        for (comparisons, place) in cases {
            var written = SeccompPolicy()
            var rule = SeccompPolicy.Rule(call: Located("socket"), action: .allow, arguments: [])
            for (line, comparison) in comparisons.enumerated() {
                let position = Position(file: "t.toml", line: line, column: 1)
                rule.arguments.append(
                    .init(index: comparison.0, op: comparison.1, value: Located(comparison.2, at: position)))
            }
            written.rules = [rule]
            let faults = EffectivePolicy.resolve(Located(written), in: FilterContext()).faults
            #expect(faults.isEmpty == (place == nil), "\(comparisons): \(faults)")
            #expect(faults.first?.position?.line == place, "\(comparisons): \(faults)")
        }
    }

    /// Found to be impossible is what none of 256 values meets, and the other way round but for bits next to an order.
    @Test("What is said to be impossible is")
    func sound() {
        var generator = Seeded(29)
        var (possible, impossible) = (0, 0)
        for _ in 0..<4000 {
            let kinds: [Condition.Comparison] = [
                .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .anyBit,
            ]
            let conditions = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
                Condition(
                    0, kinds.randomElement(using: &generator) ?? .equal, .random(in: 0...255, using: &generator), 0xff)
            }
            let isMet = (UInt64(0)...255).contains { value in conditions.allSatisfy { $0.holds(for: [value]) } }
            let canHold = conditions.canHold(for: 0)
            #expect(canHold || !isMet, "\(conditions)")
            if !conditions.contains(where: { $0.comparison == .anyBit }) { #expect(canHold == isMet, "\(conditions)") }
            if canHold { possible += 1 } else { impossible += 1 }
        }
        #expect(possible > 1000 && impossible > 1000)
    }
}
