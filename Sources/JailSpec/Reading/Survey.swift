import SpecFile

/// What a decoder asks for, by dotted path: how tests learn which keys there are from the code that reads them.
struct Survey {
    struct Key: Hashable {
        let path: String
        /// Whether it is read as an array of tables.
        let isRepeatedTable: Bool
    }

    var asked: [String] = []
    var repeated: [String] = []
}

extension Decoding {
    /// Decodes a table with every table within it that is missing taken for an empty one, and tells what was asked for.
    static func survey(_ table: Table, in surroundings: Surroundings) -> [Survey.Key] {
        let decoding = Decoding(surroundings)
        decoding.survey = Survey()
        var spec = Spec()
        decoding.root(table, into: &spec)
        let survey = decoding.survey ?? Survey()
        return survey.asked.map { Survey.Key(path: $0, isRepeatedTable: survey.repeated.contains($0)) }
    }
}
