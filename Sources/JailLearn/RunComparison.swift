import SpecFile

/// What one run of a command has shown of itself.
package struct RunTrace: Sendable {
    package let status: Int32
    package let output: RunText
    package let errors: RunText
    /// The places that the first run has changed and this one has changed as well.
    package let changed: Set<String>
    /// The names that it was seen to give what it made, without their directories: those of mktemp(1) are others in each run.
    package let made: Set<String>

    package init(status: Int32, output: RunText, errors: RunText, changed: Set<String>, made: Set<String> = []) {
        (self.status, self.output, self.errors, self.changed) = (status, output, errors, changed)
        self.made = made
    }
}

/// What a run in the jail says of the spec, as the end of a sentence.
package enum RunVerdict: Equatable, Sendable {
    /// In the jail it did the same.
    case same(String)
    /// It said the same, but what the first run has changed no later run has changed, inside or outside.
    case partly(String)
    /// In the jail it did something else.
    case different(String)
    /// A second run outside does something else than the first, so that there is nothing to hold the jail to: a build is up to date.
    case unlike(String)
}

/// A run in the jail, held to the one that was watched outside and, where it is another, to a second one outside: what these two have
/// in common is the command's.
package struct RunComparison {
    private let first: RunTrace
    private let inside: RunTrace

    package init(first: RunTrace, inside: RunTrace) { (self.first, self.inside) = (first, inside) }

    /// Where no second run outside has to tell.
    package var early: RunVerdict? {
        guard difference == nil, inside.changed == first.changed else { return nil }
        return .same("its status and output are the same")
    }

    /// What the run in the jail has said otherwise than the first.
    package var difference: String? { Self.difference(inside, first, first) }

    package func verdict(with again: RunTrace) -> RunVerdict {
        if let rest = Self.difference(inside, first, again) { return .different(rest) }
        if let left = again.changed.subtracting(inside.changed).min() {
            return .different("it leaves alone what it changes outside, as \(quoted(left))")
        }
        if let other = otherwise(again) { return .unlike(other) }
        let same =
            if difference == nil {
                "its status and output are the same"
            } else if Self.difference(inside, again, again) == nil {
                "its status and output are the same as in a second run outside"
            } else {
                "its status and output are the same, but for what differs outside as well"
            }
        let changed = again.changed.union(inside.changed)
        guard let untried = first.changed.subtracting(changed).min() else { return .same(same) }
        let more = same + "; not tried: what only its first run has changed, as \(quoted(untried))"
        return changed.isEmpty ? .partly(more) : .same(more)
    }

    /// How a second run outside is another than the first: by its status, or as it has nothing left to do, or little in common of what
    /// both say.
    private func otherwise(_ again: RunTrace) -> String? {
        if again.status != first.status { return Self.difference(again, first, first) }
        let said = [(first.output, again.output), (first.errors, again.errors)]
        if !said.allSatisfy({ $0.isSame(as: $1) }) {
            let names = MadeNames(first.made)
            let one = OutputDifference.shapes(first.output.head) + OutputDifference.shapes(first.errors.head)
            let other =
                OutputDifference.shapes(names.given(to: again.output.head, by: first.output.head))
                + OutputDifference.shapes(names.given(to: again.errors.head, by: first.errors.head))
            if OutputDifference.common(one, other) * 2 < max(one.count, other.count) {
                return Self.difference(again, first, first)
            }
        }
        guard let place = first.changed.min(), again.changed.isEmpty, inside.changed.isEmpty else { return nil }
        guard first.output.count + first.errors.count == 0 else { return nil }
        return "it leaves alone what the first has changed, as \(quoted(place)), and says nothing"
    }

    // MARK: What is said

    /// What one run has that two others have not, where these have the same.
    private static func difference(_ run: RunTrace, _ one: RunTrace, _ other: RunTrace) -> String? {
        if run.status != one.status, run.status != other.status {
            let said = String(decoding: run.errors.head.prefix { $0 != UInt8(ascii: "\n") }.prefix(200), as: UTF8.self)
            return "its status is \(run.status), not \(one.status)" + (said.isEmpty ? "" : ": " + said)
        }
        if let place = place(run.output, one.output, other.output) { return "its standard output differs" + place }
        if let place = place(run.errors, one.errors, other.errors) { return "its standard error differs" + place }
        return nil
    }

    private static func place(_ run: RunText, _ one: RunText, _ other: RunText) -> String? {
        if run.isSame(as: one) || run.isSame(as: other) { return nil }
        guard let line = OutputDifference.line(inside: run.head, outside: one.head, again: other.head) else {
            // What differs comes after what is kept of it.
            return one.isSame(as: other) ? " after its first \(run.head.count) bytes" : nil
        }
        let lines = run.head.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let said = line <= lines.count ? String(decoding: lines[line - 1].prefix(120), as: UTF8.self) : "the end"
        return " at line \(line): \(said)"
    }
}
