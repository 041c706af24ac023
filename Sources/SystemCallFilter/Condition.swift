/// A comparison of an argument with a number.
package struct Condition: Equatable, Sendable {
    package enum Comparison: Equatable, Sendable {
        case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
        /// At least one bit of the value is set.
        case anyBit
    }

    package let argument: Int
    package let comparison: Comparison
    package let value: UInt64
    /// The bits of the argument that are compared: those that the kernel reads, or fewer.
    package let bits: UInt64

    package func holds(for arguments: [UInt64]) -> Bool {
        let given = arguments[argument] & bits
        return switch comparison {
        case .equal: given == value
        case .notEqual: given != value
        case .less: given < value
        case .lessOrEqual: given <= value
        case .greater: given > value
        case .greaterOrEqual: given >= value
        case .anyBit: given & value != 0
        }
    }
}

extension Condition {
    init(_ argument: Int, _ comparison: Comparison, _ value: UInt64, _ bits: UInt64) {
        self.init(argument: argument, comparison: comparison, value: value, bits: bits)
    }
}
