/// A place in a spec file: what every value, diagnostic and kernel operation is traced back to.
package struct Position: Hashable, Sendable {
    /// The file as the user named it, or `--set` for a value given on the command line.
    package let file: String
    /// The line, counted from 1.
    package let line: Int
    /// The column in bytes, counted from 1.
    package let column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
}

extension Position: CustomStringConvertible {
    /// `file:line:column`, the form that editors and compilers agree on.
    package var description: String { "\(file):\(line):\(column)" }
}

/// A value together with the place it was written at; `position` is nil for a default that nobody wrote.
package struct Located<Value> {
    package let value: Value
    package let position: Position?

    package init(_ value: Value, at position: Position? = nil) {
        self.value = value
        self.position = position
    }
}

extension Located: Sendable where Value: Sendable {}
extension Located: Equatable where Value: Equatable {}
extension Located: Hashable where Value: Hashable {}
