package import SpecFile

/// One thing that a line of a spec opens, and how much that exposes.
package struct Exposure: Equatable, Sendable {
    /// The key that it is about: stable, for scripts.
    package let id: String
    /// In tenths of a point, 1 to 90: what a spec scores that opens only this.
    package let weight: Int
    /// What it means, in a sentence's half.
    package let what: String
    /// The line that opens it; nil for a default.
    package let origin: Position?
    /// The next best restriction.
    package let advice: String
}

/// Something that narrows the jail further than the empty spec does: it takes its share off all that is open.
package struct Narrowing: Equatable, Sendable {
    package let id: String
    /// In percent of what is open.
    package let share: Int
    package let what: String
    /// Whether the spec has it in force, and the line that says so.
    package let isInForce: Bool
    package let origin: Position?
}
