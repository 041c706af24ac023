import CLinux
import Kernel
import Testing

@Suite struct ChannelTests {
    @Test func messagesKeepTheirBoundaries() throws {
        let (one, other) = try makeChannel()
        defer { for end in [one, other] where isOpen(end) { closeDescriptor(end) } }
        let sizes = [1, 2, 1000, 65536]
        for size in sizes { try send([UInt8](repeating: UInt8(size & 0x7F), count: size), over: one) }
        for size in sizes {
            let message = try #require(try receive(from: other, limit: 1 << 17))
            #expect(message.bytes == [UInt8](repeating: UInt8(size & 0x7F), count: size) && message.descriptor == nil)
        }
    }

    @Test func aDescriptorComesWithItsMessage() throws {
        let (one, other) = try makeChannel()
        defer { for end in [one, other] { closeDescriptor(end) } }
        let file = try Kernel.open("/dev/null", [.read])
        try send([7], over: one, passing: file.number)
        try send([8], over: one)
        let first = try #require(try receive(from: other, limit: 16))
        let passed = Descriptor(owning: try #require(first.descriptor))
        #expect(first.bytes == [7] && passed.number != file.number)
        #expect(inode(of: passed.number) == inode(of: file.number))
        // Nothing of the launcher's is left open across exec.
        #expect(linux_fcntl(passed.number, F_GETFD, 0) == FD_CLOEXEC)
        #expect(try receive(from: other, limit: 16)?.descriptor == nil)
    }

    @Test func theOtherEndGoneIsNil() throws {
        let (one, other) = try makeChannel()
        try send([1], over: one)
        closeDescriptor(one)
        #expect(try receive(from: other, limit: 16)?.bytes == [1])
        #expect(try receive(from: other, limit: 16) == nil)
        closeDescriptor(other)
        // Its own message was never read: ECONNRESET is the same end.
        let (third, fourth) = try makeChannel()
        try send([1], over: fourth)
        closeDescriptor(third)
        #expect(try receive(from: fourth, limit: 16) == nil)
        closeDescriptor(fourth)
    }

    /// A write to a closed end must be an error, not SIGPIPE.
    @Test func sendingToNobodyIsAnError() throws {
        let (one, other) = try makeChannel()
        closeDescriptor(other)
        #expect(errno { () throws(KernelError) in try send([1], over: one) } == "EPIPE")
        closeDescriptor(one)
    }

    @Test func pollTellsWhatIsReady() throws {
        let (one, other) = try makeChannel()
        var watches = [Watch(one), Watch(other, for: .writable), Watch(-1)]
        try poll(&watches, milliseconds: 0)
        #expect(watches.map(\.isReady) == [false, true, false])
        #expect(try !look(at: one).isReady)
        try send([1], over: other)
        watches = [Watch(one)]
        try poll(&watches, milliseconds: nil)
        #expect(watches[0].isReadable && !watches[0].hasHungUp)
        closeDescriptor(other)
        try poll(&watches, milliseconds: 1000)
        #expect(watches[0].hasHungUp)
        #expect(try look(at: one).hasHungUp)
        closeDescriptor(one)
    }

    @Test func pollEndsInTime() throws {
        let (one, other) = try makeChannel()
        let start = monotonicNanoseconds()
        var watches = [Watch(one)]
        try poll(&watches, milliseconds: 20)
        #expect(!watches[0].isReady)
        let passed = monotonicNanoseconds() - start
        #expect(passed >= 19_000_000 && passed < 5_000_000_000)
        for end in [one, other] { closeDescriptor(end) }
    }
}
