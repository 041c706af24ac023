import JailLearn
import Kernel

/// What a command writes to one of its outputs: passed on where somebody is to see it, and told apart from what another run
/// writes.
struct TappedOutput: Sendable {
    private(set) var text = RunText()

    /// The end that is read from; −1 when it is closed.
    private(set) var descriptor: Int32
    /// Where it is passed on to; −1 for nowhere.
    private var target: Int32

    init(reading descriptor: Int32, passingOnTo target: Int32) {
        (self.descriptor, self.target) = (descriptor, target)
    }

    /// Takes what there is; `before` is done before anything is passed on.
    mutating func take(before: () -> Void) throws(KernelError) {
        let bytes = try readSome(descriptor, upTo: 65_536)
        guard !bytes.isEmpty else { return close() }
        text.take(bytes)
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
