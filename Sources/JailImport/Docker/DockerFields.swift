/// The fields of a line of comma-separated values: one in quotes may have commas, and a quote written twice. Nil where a quote
/// is not closed, or ends within a field.
func fieldsOfCSV(_ text: String) -> [String]? {
    var fields: [String] = []
    var rest = text[...]
    while true {
        var field = ""
        if rest.first == "\"" {
            rest = rest.dropFirst()
            while true {
                guard let end = rest.firstIndex(of: "\"") else { return nil }
                field += rest[..<end]
                rest = rest[rest.index(after: end)...]
                guard rest.first == "\"" else { break }
                field += "\""
                rest = rest.dropFirst()
            }
            guard rest.isEmpty || rest.first == "," else { return nil }
        } else {
            field = String(rest.prefix { $0 != "," })
            rest = rest.dropFirst(field.count)
            if field.contains("\"") { return nil }
        }
        fields.append(field)
        guard rest.first == "," else { return fields }
        rest = rest.dropFirst()
    }
}
