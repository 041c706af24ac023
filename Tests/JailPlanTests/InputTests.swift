import Kernel
import TestSupport
import Testing

/// What the fuzzer starts from and what it has found, and texts made of those: none crashes, none breaks a law. `make fuzz`
/// looks for more.
@Suite struct InputTests {
    private static func inputs() throws -> [[UInt8]] {
        let checkout = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        var found: [[UInt8]] = []
        for directory in ["Tests/Fuzz/Seeds", "Examples"] {
            let place = try open("\(checkout)/\(directory)", [.read, .directory])
            for name in try entries(of: place.number).sorted() {
                let file = try open("\(checkout)/\(directory)/\(name)", .read)
                if try status(of: file.number).isRegular { found.append(try readAll(file.number, limit: 1 << 20)) }
            }
        }
        return found
    }

    @Test func whatIsThere() throws {
        let inputs = try Self.inputs()
        #expect(inputs.count > 30)
        for input in inputs { tryInput(input) }
    }

    /// A part of one in the place of a part of another, and a few other bytes. A crash is repeated by the seed in its name.
    @Test(arguments: 0..<16) func whatIsMadeOfThem(seed: Int) throws {
        let inputs = try Self.inputs()
        var random = Seeded(UInt64(seed))
        for _ in 0..<20 {
            var bytes = inputs.randomElement(using: &random) ?? []
            let other = inputs.randomElement(using: &random) ?? []
            bytes.replaceSubrange(part(of: bytes, &random), with: other[part(of: other, &random)])
            for _ in 0..<Int.random(in: 0..<4, using: &random) where !bytes.isEmpty {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
            }
            tryInput(bytes)
        }
    }

    private func part(of bytes: [UInt8], _ random: inout Seeded) -> Range<Int> {
        let ends = [Int.random(in: 0...bytes.count, using: &random), Int.random(in: 0...bytes.count, using: &random)]
        return min(ends[0], ends[1])..<max(ends[0], ends[1])
    }
}
