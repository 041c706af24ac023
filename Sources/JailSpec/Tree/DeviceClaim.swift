import SpecFile

/// Which device node a source must be: its name may be anybody's.
package enum DeviceClaim: Equatable, Sendable {
    /// A device node, and no directory or file.
    case any
    case character(major: UInt32, minor: UInt32)
    case block(major: UInt32, minor: UInt32)

    /// What `text` matches: numbers as mknod(1) takes them.
    static let pattern = "^(any|[bc] [0-9]{1,4}:[0-9]{1,7})$"

    /// `any`, or `c` or `b`, a space, MAJOR:MINOR; nil for all else.
    init?(_ text: String) {
        if text.utf8.elementsEqual("any".utf8) {
            self = .any
            return
        }
        let bytes = Array(text.utf8)
        guard bytes.count > 2, bytes[1] == UInt8(ascii: " ") else { return nil }
        let numbers = bytes[2...].split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard numbers.count == 2, let major = Self.number(numbers[0], 4), let minor = Self.number(numbers[1], 7) else {
            return nil
        }
        switch bytes[0] {
        case UInt8(ascii: "c"): self = .character(major: major, minor: minor)
        case UInt8(ascii: "b"): self = .block(major: major, minor: minor)
        default: return nil
        }
    }

    private static func number(_ digits: ArraySlice<UInt8>, _ limit: Int) -> UInt32? {
        guard (1...limit).contains(digits.count) else { return nil }
        var number: UInt32 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            number = number * 10 + UInt32(digit - UInt8(ascii: "0"))
        }
        return number
    }

    /// As a spec has it.
    package var text: String {
        switch self {
        case .any: "any"
        case .character(let major, let minor): "c \(major):\(minor)"
        case .block(let major, let minor): "b \(major):\(minor)"
        }
    }

    /// As messages have it.
    package var words: String {
        switch self {
        case .any: "a device node"
        case .character(let major, let minor): "the character device \(major):\(minor)"
        case .block(let major, let minor): "the block device \(major):\(minor)"
        }
    }
}

extension Form {
    static func deviceClaim(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> DeviceClaim {
        guard let claim = DeviceClaim(try text(node, decoding)) else {
            throw fault("must be \"any\", or \"c\" or \"b\" with the numbers, such as \"c 10:229\"", node)
        }
        return claim
    }
}
