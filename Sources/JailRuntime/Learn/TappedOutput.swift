import Kernel

/// What a command writes to one of its outputs: passed on where somebody is to see it, and told apart from what another run
/// writes.
package struct TappedOutput: Sendable {
    /// FNV-1a, and the number of bytes.
    private var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    package private(set) var count = 0
    /// The beginning, for words.
    package private(set) var head: [UInt8] = []
    private static let room = 65_536

    /// The end that is read from; −1 when it is closed.
    private(set) var descriptor: Int32
    /// Where it is passed on to; −1 for nowhere.
    private var target: Int32

    init(reading descriptor: Int32, passingOnTo target: Int32) {
        (self.descriptor, self.target) = (descriptor, target)
    }

    /// Whether both runs have written the same.
    package func isSame(as other: TappedOutput) -> Bool { digest == other.digest && count == other.count }

    /// Takes what there is; `before` is done before anything is passed on.
    mutating func take(before: () -> Void) throws(KernelError) {
        let bytes = try readSome(descriptor, upTo: 65_536)
        guard !bytes.isEmpty else { return close() }
        count += bytes.count
        for byte in bytes { digest = (digest ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        head += bytes.prefix(Self.room - head.count)
        guard target >= 0 else { return }
        before()
        do throws(KernelError) {
            try writeAll(target, bytes)
        } catch {
            // Nobody reads any more: the command is told as it would be without an observer.
            close()
        }
    }

    mutating func close() {
        if descriptor >= 0 { closeDescriptor(descriptor) }
        descriptor = -1
    }
}
