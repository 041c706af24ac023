package import JailSpec

/// How far a spec opens the jail: 0 for the empty spec, which nothing is below, up to 10.
///
/// The heaviest exposure counts in full and each further one of what is left, so that ten small ones are not worse than
/// the host's root; every further opening still raises the score. A narrowing takes its share off the whole: where nothing
/// is open there is nothing to take it off, and a score is never below that of the empty spec.
package struct Score: Equatable, Sendable {
    /// The heaviest first; of one weight in the order of the table.
    package let exposures: [Exposure]
    package let narrowings: [Narrowing]

    /// Looks at nothing but the spec, so that it is the same on every machine: what depends on the caller counts as for
    /// root.
    package init(of spec: Spec) {
        let found = Check.all.flatMap { $0.exposures(of: spec) }
        exposures = found.enumerated().sorted { a, b in
            a.element.weight != b.element.weight ? a.element.weight > b.element.weight : a.offset < b.offset
        }.map(\.element)
        narrowings = Narrowing.all(of: spec)
    }

    /// From 0 up to but not including 10.
    package var exact: Double {
        var left = 1.0
        for exposure in exposures { left *= 1 - Double(exposure.weight) / 100 }
        // Of a hundred heavy ones so little is left that the difference to one is lost.
        var score = min(10 * (1 - left), (10.0).nextDown)
        for narrowing in narrowings where narrowing.isInForce { score *= 1 - Double(narrowing.share) / 100 }
        return score
    }

    /// As it is shown, in tenths: 0 only where nothing is open.
    package var tenths: Int {
        let rounded = Int((exact * 10).rounded())
        return exposures.isEmpty ? 0 : min(max(rounded, 1), 100)
    }

    /// The score in a word.
    package var word: String {
        switch tenths {
        case 0: "closed"
        case ..<10: "tight"
        case ..<25: "ok"
        case ..<50: "medium"
        case ..<75: "exposed"
        case ..<90: "unsafe"
        default: "dangerous"
        }
    }
}
