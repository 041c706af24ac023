/// A key of the spec, or several of one form: what may be written, what holds where it is absent, and what it means.
///
/// immure.toml(5), `immure schema` and the completion of `--set` are made of these rows; a launch touches none of them.
/// `JailSpecTests` holds them to the keys that the decoder asks for.
package struct KeyRow: Sendable {
    package let names: [String]
    package let form: ValueForm
    /// What holds where the key is absent, in TOML; nil where that is no single value.
    package let standard: String?
    /// Whether a table without the key is an error.
    package let isRequired: Bool
    /// For a person, in the markup of the manual: words between backquotes are bold.
    package let meaning: String
    /// The version that brought the key.
    package let since: String

    init(
        _ names: String..., as form: ValueForm, default standard: String? = nil, required isRequired: Bool = false,
        since: String = "0.1.0", _ meaning: String
    ) {
        self.names = names
        self.form = form
        self.standard = standard
        self.isRequired = isRequired
        self.meaning = meaning
        self.since = since
    }
}

/// A table of the spec with the rows of its keys.
package struct SectionRows: Sendable {
    /// The dotted path; empty for the top level.
    package let name: String
    /// Whether it is an array of tables, `[[name]]`.
    package let isRepeated: Bool
    /// What stands in the manual before the keys.
    package let introduction: String
    package let rows: [KeyRow]
    /// Where the keys that may be written depend on the word that one key has.
    package let variants: Variants?

    init(
        _ name: String, repeated isRepeated: Bool = false, _ introduction: String = "", variants: Variants? = nil,
        keys rows: [KeyRow]
    ) {
        self.name = name
        self.isRepeated = isRepeated
        self.introduction = introduction
        self.variants = variants
        self.rows = rows
    }

    /// The name as it stands in a file, in its brackets.
    package var heading: String {
        if name.isEmpty { return "Top level" }
        return isRepeated ? "[[\(name)]]" : "[\(name)]"
    }

    /// The section that this one stands in, and its key there; nil for the top level.
    package var place: (parent: String, key: String)? {
        guard !name.isEmpty else { return nil }
        let parts = name.split(separator: ".")
        return (parts.dropLast().joined(separator: "."), String(parts[parts.count - 1]))
    }
}

/// A key whose word says which other keys of its table have a meaning.
package struct Variants: Sendable {
    package struct Choice: Sendable {
        package let word: String
        /// The keys that have a meaning, besides those of every choice.
        package let keys: [String]
        package let required: [String]
        /// Keys of which exactly one must be there; none where that is all the same.
        package let alternatives: [String]
    }

    package let key: String
    /// The keys of every choice.
    package let common: [String]
    package let choices: [Choice]
    /// The choice where the key is absent.
    package let standard: Choice
}

extension SectionRows {
    /// Every section, in the order of the manual.
    package static let all: [SectionRows] = [
        topLevel, filesystem, mount, namespaces, clocks, identity, capabilities, process, environment, rlimits, limits,
        limitsOfDevices, seccomp, seccompRules, landlock, network, service,
    ]

    /// The dotted path of every key, those of inline tables too.
    package var keyPaths: [String] { Self.paths(of: rows, below: name) }

    private static func paths(of rows: [KeyRow], below prefix: String) -> [String] {
        rows.flatMap { row in
            row.names.flatMap { key -> [String] in
                let path = prefix.isEmpty ? key : prefix + "." + key
                return [path] + row.form.shape.rows.flatMap { paths(of: [$0], below: path) }
            }
        }
    }

    /// What `--set` can name: every key outside of arrays of tables, and those arrays as a whole. `extends` is for files.
    package static var settable: [String] {
        let keys = all.filter { !$0.isRepeated }.flatMap { section in
            section.rows.flatMap(\.names).map { section.name.isEmpty ? $0 : section.name + "." + $0 }
        }
        return keys.filter { $0 != "extends" } + all.filter(\.isRepeated).map(\.name)
    }
}
