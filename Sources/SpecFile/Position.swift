/// A place in a spec file: what every value, diagnostic and kernel operation is traced back to.
///
/// Indirect: a spec that says nothing has a hundred values without one, each of them as large as what it could hold.
public indirect enum Position: Hashable, Sendable {
    case place(file: String, line: Int, column: Int)

    public init(file: String, line: Int, column: Int) { self = .place(file: file, line: line, column: column) }

    /// The file as the user named it, or `--set` for a value given on the command line.
    public var file: String {
        switch self {
        case .place(let file, _, _): file
        }
    }

    /// The line, counted from 1.
    public var line: Int {
        switch self {
        case .place(_, let line, _): line
        }
    }

    /// The column in bytes, counted from 1.
    public var column: Int {
        switch self {
        case .place(_, _, let column): column
        }
    }
}

extension Position: CustomStringConvertible {
    /// `file:line:column`, the form that editors and compilers agree on.
    public var description: String { "\(file):\(line):\(column)" }
}

/// A value together with the place it was written at; `position` is nil for a default that nobody wrote.
public struct Located<Value> {
    public let value: Value
    public let position: Position?

    /// Inlined, and the type public for it: the optimizer looks into no `package` declaration of another module, and a spec
    /// that says nothing has sixty of these.
    @inlinable @inline(__always) public init(_ value: Value, at position: Position? = nil) {
        self.value = value
        self.position = position
    }
}

extension Located: Sendable where Value: Sendable {}
extension Located: Equatable where Value: Equatable {}
extension Located: Hashable where Value: Hashable {}
