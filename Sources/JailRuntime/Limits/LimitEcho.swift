import JailPlan
import Kernel

/// Whether a limit is in force, as the kernel repeats it.
extension LimitSetting {
    /// Whether the kernel's answer says that what was asked for is in force.
    func isEchoed(by answer: [UInt8]) -> Bool {
        let lines = Kernel.lines(answer)
        switch echo {
        case .same: return lines.first.map { $0 == value } ?? false
        case .pages:
            guard let wanted = decimal(value), let first = lines.first else { return false }
            // PAGE_COUNTER_MAX is "max": what is more than any memory limits nothing, as was asked.
            if first == "max" { return wanted > 1 << 60 }
            guard let found = decimal(first) else { return false }
            return found <= wanted && wanted - found < 65536
        case .line:
            let words = Kernel.words(Array(value.utf8))
            return lines.contains { line in
                let found = Kernel.words(Array(line.utf8))
                return found.first == words.first && words.dropFirst().allSatisfy { found.contains($0) }
            }
        case .effective:
            guard let first = lines.first else { return false }
            return Self.numbers(first[...]) == Self.numbers(value[...])
        }
    }

    /// The members of a list such as `0-2,5`.
    private static func numbers(_ list: Substring) -> [Int] {
        var result: [Int] = []
        for part in list.split(separator: ",") {
            let ends = part.split(separator: "-").map { Int($0) ?? -1 }
            guard let low = ends.first, let high = ends.last, low >= 0, high >= low else { return [] }
            result += low...high
        }
        return result
    }
}
