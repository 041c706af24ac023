import JailSpec
import SpecFile

/// A row of the table: what a spec is asked, and what to write instead of the line that opens it.
struct Check: Sendable {
    /// What a check found: weights are tenths of a point.
    struct Opening {
        let weight: Int
        let what: String
        let origin: Position?
    }

    let id: String
    let advice: String
    let openings: @Sendable (Spec) -> [Opening]

    /// What may be found many times, or with more than one weight.
    init(_ id: String, advice: String, each openings: @escaping @Sendable (Spec) -> [Opening]) {
        self.id = id
        self.advice = advice
        self.openings = openings
    }

    /// What is open or not: a value at the line that opens it, nil where it is closed.
    init<Value>(
        _ id: String, _ weight: Int, _ what: String, advice: String,
        where open: @escaping @Sendable (Spec) -> Located<Value>?
    ) {
        self.init(id, advice: advice) { spec in
            open(spec).map { [Opening(weight: weight, what: what, origin: $0.position)] } ?? []
        }
    }

    func exposures(of spec: Spec) -> [Exposure] {
        openings(spec).map { opening in
            Exposure(
                id: id, weight: min(max(opening.weight, 1), 90), what: opening.what, origin: opening.origin,
                advice: advice)
        }
    }

    /// The whole table.
    static let all =
        namespaces + tree + rules + mounts + identity + capabilities + process + service + limits + filters + scopes
        + network
}

extension Located {
    /// The same value where it opens something.
    func found(_ isOpen: (Value) -> Bool) -> Located? { isOpen(value) ? self : nil }
}
