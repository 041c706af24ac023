import SpecFile

/// A set of places, which are few for a command line and many for a profile with its includes.
///
/// As long as they are few they are compared: the first use of a set of them takes a launch 25 µs.
struct FewPlaces {
    private var few: [Position] = []
    private var many: Set<Position> = []

    private static let limit = 64

    mutating func insert(_ place: Position) {
        if few.count < Self.limit {
            if !few.contains(where: { Self.isSame($0, place) }) { few.append(place) }
        } else if !contains(place) {
            many.insert(place)
        }
    }

    func contains(_ place: Position) -> Bool {
        few.contains { Self.isSame($0, place) } || !many.isEmpty && many.contains(place)
    }

    /// What differs most comes first.
    private static func isSame(_ one: Position, _ other: Position) -> Bool {
        one.column == other.column && one.line == other.line && one.file == other.file
    }
}
