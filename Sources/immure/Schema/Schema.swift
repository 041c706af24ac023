import JailPlan
import JailSpec

/// The JSON Schema (draft 7) of a spec, made of the rows of its keys: what editors complete and check a spec by.
enum Schema {
    static var json: JSON {
        var entries: [(String, JSON)] = [
            ("$schema", .string("http://json-schema.org/draft-07/schema#")),
            ("title", .string("immure.toml")),
            ("description", .string("A spec of immure \(Release.version): what a jail is like.")),
        ]
        entries += table(.topLevel)
        return .object(entries)
    }

    /// A section as the schema of its table.
    private static func table(_ section: SectionRows) -> [(String, JSON)] {
        let inner = SectionRows.all.filter { $0.place?.parent == section.name }
        var properties = section.rows.flatMap(properties)
        for child in inner {
            guard let key = child.place?.key else { continue }
            let schema = JSON.object(described(child.introduction, child.isRepeated ? array(child) : table(child)))
            if let index = properties.firstIndex(where: { $0.0 == key }) {
                // A word or a table, such as namespaces.time.
                properties[index].1 = .object([("anyOf", .array([properties[index].1, schema]))])
            } else {
                properties.append((key, schema))
            }
        }
        return closed(properties, section.rows) + (section.variants.map(conditions) ?? [])
    }

    private static func array(_ section: SectionRows) -> [(String, JSON)] {
        [("type", .string("array")), ("items", .object(table(section)))]
    }

    /// A table with these keys and no others.
    private static func closed(_ properties: [(String, JSON)], _ rows: [KeyRow]) -> [(String, JSON)] {
        let required = rows.filter(\.isRequired).flatMap(\.names)
        return [
            ("type", .string("object")), ("properties", .object(properties)), ("additionalProperties", .boolean(false)),
        ] + (required.isEmpty ? [] : [("required", strings(required))])
    }

    private static func properties(_ row: KeyRow) -> [(String, JSON)] {
        let standard: [(String, JSON)] = row.standard.flatMap(literal).map { [("default", $0)] } ?? []
        let schema = JSON.object(described(row.meaning, shape(row.form.shape) + standard))
        return row.names.map { ($0, schema) }
    }

    /// The meaning, without the markup of the manual: lines run on, and an empty one ends a paragraph.
    private static func described(_ words: String, _ schema: [(String, JSON)]) -> [(String, JSON)] {
        if words.isEmpty { return schema }
        var text = ""
        for line in words.split(separator: "\n", omittingEmptySubsequences: false) {
            if !text.isEmpty, !text.hasSuffix("\n"), !line.isEmpty { text += " " }
            text += line.isEmpty ? "\n\n" : String(line)
        }
        return [("description", .string(text))] + schema
    }

    /// A default as JSON, of the kinds that TOML and JSON write alike.
    private static func literal(_ toml: String) -> JSON? {
        switch toml {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case "[]": return .array([])
        default:
            guard toml.hasPrefix("\""), toml.hasSuffix("\"") else { return nil }
            return .string(String(toml.dropFirst().dropLast()))
        }
    }

    private static func shape(_ shape: ValueForm.Shape) -> [(String, JSON)] {
        switch shape {
        case .boolean: return [("type", .string("boolean"))]
        case .exactly(let value): return [("const", .boolean(value))]
        case .integer(let range):
            return [
                ("type", .string("integer")), ("minimum", .integer(Int(range.lowerBound))),
                ("maximum", .integer(Int(range.upperBound))),
            ]
        case .word(let words): return [("enum", strings(words))]
        case .text(let pattern, let length):
            return [("type", .string("string"))] + (pattern.map { [("pattern", .string($0))] } ?? [])
                + bounds(length, "minLength", "maxLength")
        case .array(let element, let count, let isDistinct):
            return [("type", .string("array")), ("items", .object(self.shape(element)))]
                + bounds(count, "minItems", "maxItems") + (isDistinct ? [("uniqueItems", .boolean(true))] : [])
        case .table(let rows): return closed(rows.flatMap(properties), rows)
        case .dictionary(let names, let element):
            return [
                ("type", .string("object")), ("propertyNames", .object([("pattern", .string(names))])),
                ("additionalProperties", .object(self.shape(element))),
            ]
        case .either(let shapes): return [("anyOf", .array(shapes.map { .object(self.shape($0)) }))]
        }
    }

    private static func bounds(_ range: ClosedRange<Int>, _ least: String, _ most: String) -> [(String, JSON)] {
        (range.lowerBound > 0 ? [(least, .integer(range.lowerBound))] : [])
            + (range.upperBound < Int.max ? [(most, .integer(range.upperBound))] : [])
    }

    private static func strings(_ words: [String]) -> JSON { .array(words.map { .string($0) }) }
}

extension Schema {
    /// The keys that go with each word of the key that decides, and those where it is absent.
    private static func conditions(_ variants: Variants) -> [(String, JSON)] {
        let absent = JSON.object([("not", .object([("required", strings([variants.key]))]))])
        let choices = variants.choices.map { choice -> JSON in
            let word = JSON.object([(variants.key, .object([("const", .string(choice.word))]))])
            return condition(.object([("properties", word), ("required", strings([variants.key]))]), choice, variants)
        }
        return [("allOf", .array(choices + [condition(absent, variants.standard, variants)]))]
    }

    private static func condition(_ condition: JSON, _ choice: Variants.Choice, _ variants: Variants) -> JSON {
        let keys = JSON.object([("enum", strings(variants.common + choice.keys))])
        let required = choice.required.isEmpty ? [] : [("required", strings(choice.required))]
        let one = choice.alternatives.map { JSON.object([("required", strings([$0]))]) }
        let alternatives = one.isEmpty ? [] : [("oneOf", JSON.array(one))]
        return .object([("if", condition), ("then", .object([("propertyNames", keys)] + required + alternatives))])
    }
}

extension JSON {
    /// The value over several lines, as people read it: what holds neither object nor array stays on one.
    func indented(_ depth: Int = 0) -> String {
        let (outer, inner) = (String(repeating: "  ", count: depth), String(repeating: "  ", count: depth + 1))
        switch self {
        case .object(let entries) where entries.contains { $0.1.isNested }:
            let lines = entries.map { inner + JSON.string($0.0).text + ": " + $0.1.indented(depth + 1) }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(outer)}"
        case .array(let elements) where elements.contains(where: \.isNested):
            return "[\n" + elements.map { inner + $0.indented(depth + 1) }.joined(separator: ",\n") + "\n\(outer)]"
        default: return text
        }
    }

    private var isNested: Bool {
        switch self {
        case .object: true
        case .array(let elements): elements.contains(where: \.isNested)
        default: false
        }
    }
}
