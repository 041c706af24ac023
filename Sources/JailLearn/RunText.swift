/// What a run of a command has written to one of its outputs: the beginning of it, and enough to tell it from what another has written.
package struct RunText: Sendable {
    /// FNV-1a, and the number of bytes.
    private var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    package private(set) var count = 0
    /// The beginning, for words.
    package private(set) var head: [UInt8] = []
    private static let room = 65_536

    package init() {}

    package mutating func take(_ bytes: [UInt8]) {
        count += bytes.count
        for byte in bytes { digest = (digest ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        head += bytes.prefix(Self.room - head.count)
    }

    /// Whether both runs have written the same.
    package func isSame(as other: RunText) -> Bool { digest == other.digest && count == other.count }
}
