package import JailPlan
import SpecFile

/// A score as `immure score` prints it.
extension Score {
    /// The lines, `name` being that of the spec.
    package func listing(of name: String) -> [String] {
        var lines = ["\(name): \(Self.decimal(tenths)) of 10, \(word)"]
        for exposure in exposures {
            let place = exposure.origin.map { "\($0)" } ?? "default"
            lines.append("  \(Self.decimal(exposure.weight))  \(place): \(exposure.id): \(exposure.what)")
            lines.append("       narrower: \(exposure.advice)")
        }
        for narrowing in narrowings where narrowing.isInForce {
            let place = narrowing.origin.map { "\($0)" } ?? "default"
            lines.append("  -\(narrowing.share)%  \(place): \(narrowing.id) narrows")
        }
        guard !exposures.isEmpty else { return lines }
        for narrowing in narrowings where !narrowing.isInForce {
            lines.append("   \(narrowing.share)%  default: \(narrowing.id) could narrow: \(narrowing.what)")
        }
        return lines
    }

    /// One object.
    package func json(of name: String) -> JSON {
        .object([
            ("spec", .string(name)), ("score", .tenths(tenths)), ("word", .string(word)),
            (
                "exposures",
                .array(
                    exposures.map { exposure in
                        .object([
                            ("id", .string(exposure.id)), ("weight", .tenths(exposure.weight)),
                            ("what", .string(exposure.what)), ("position", JSON(exposure.origin)),
                            ("narrower", .string(exposure.advice)),
                        ])
                    })
            ),
            (
                "narrowings",
                .array(
                    narrowings.map { narrowing in
                        .object([
                            ("id", .string(narrowing.id)), ("percent", .integer(narrowing.share)),
                            ("what", .string(narrowing.what)), ("in_force", .boolean(narrowing.isInForce)),
                            ("position", JSON(narrowing.origin)),
                        ])
                    })
            ),
        ])
    }

    static func decimal(_ tenths: Int) -> String { "\(tenths / 10).\(tenths % 10)" }
}
