extension [Condition] {
    /// Whether any value of an argument meets all that is said of it. What this finds to be impossible is; of some bits
    /// together with an order it does not find everything.
    func canHold(for argument: Int) -> Bool {
        var (low, high): (UInt64, UInt64) = (0, .max)
        let own = filter { $0.argument == argument }
        for condition in own {
            let value = condition.value
            high = Swift.min(high, condition.bits)
            switch condition.comparison {
            case .equal: (low, high) = (Swift.max(low, value), Swift.min(high, value))
            case .less:
                if value == 0 { return false }
                high = Swift.min(high, value - 1)
            case .lessOrEqual: high = Swift.min(high, value)
            case .greater:
                if value == .max { return false }
                low = Swift.max(low, value + 1)
            case .greaterOrEqual: low = Swift.max(low, value)
            case .notEqual, .anyBit: break
            }
        }
        guard low <= high else { return false }
        // Few values, as after an equality: each of them.
        if high - low < 64 {
            return (low...high).contains { value in
                own.allSatisfy { $0.isMet(by: value) }
            }
        }
        return own.allSatisfy { $0.comparison != .anyBit || $0.value.hasBit(from: low, to: high) }
    }
}

extension Condition {
    fileprivate func isMet(by value: UInt64) -> Bool {
        holds(for: [UInt64](repeating: value, count: argument + 1))
    }
}

extension UInt64 {
    /// Whether a number of the range has any of these bits.
    fileprivate func hasBit(from low: UInt64, to high: UInt64) -> Bool {
        (0..<64).contains { place in
            guard self & 1 << UInt64(place) != 0 else { return false }
            // The smallest number from `low` on that has it.
            let first = low & 1 << UInt64(place) != 0 ? low : (low >> UInt64(place) | 1) << UInt64(place)
            return first <= high
        }
    }
}
