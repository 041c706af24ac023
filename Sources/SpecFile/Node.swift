/// A value of a spec file with the place it was written at.
package struct Node: Equatable, Sendable {
    /// The kinds of value that TOML and JSON have; what they mean is not this module's business.
    package enum Value: Equatable, Sendable {
        case string(String)
        case integer(Int64)
        /// A whole number beyond the others, which JSON has and TOML has not.
        case unsigned(UInt64)
        case float(Double)
        case boolean(Bool)
        /// Any of TOML's four: no spec uses one.
        case date
        case array([Node])
        case table(Table)
    }

    package var value: Value
    package var position: Position

    package init(_ value: Value, at position: Position) {
        self.value = value
        self.position = position
    }

    /// The kind in words, with its article.
    package var kind: String {
        switch value {
        case .string: "a string"
        case .integer, .unsigned: "an integer"
        case .float: "a floating-point number"
        case .boolean: "a boolean"
        case .date: "a date"
        case .array: "an array"
        case .table: "a table"
        }
    }
}

/// A table whose entries stand in the order of the text.
package struct Table: Equatable, Sendable {
    /// A key, where it was written, and what it was given.
    package struct Entry: Equatable, Sendable {
        package let key: String
        package let keyPosition: Position
        package var node: Node

        package init(key: String, keyPosition: Position, node: Node) {
            self.key = key
            self.keyPosition = keyPosition
            self.node = node
        }
    }

    package var entries: [Entry]

    package init(_ entries: [Entry] = []) { self.entries = entries }

    /// The entry of that key.
    package subscript(key: String) -> Entry? { entries.first { $0.key == key } }
}
