import CLinux
import Kernel
import Testing

/// A page after which nothing is mapped.
@safe private final class LastPage {
    private let start: UnsafeMutableRawPointer
    private let size = Int(sysconf(Int32(_SC_PAGESIZE)))
    /// Where the page ends.
    var end: UInt64 { unsafe UInt64(UInt(bitPattern: start)) + UInt64(size) }

    init() {
        unsafe start = mmap(nil, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        unsafe munmap(start + size, size)
    }

    deinit { unsafe munmap(start, size) }

    /// Puts bytes at its end; the answer is where they begin.
    func put(_ bytes: [UInt8]) -> UInt64 {
        for (index, byte) in bytes.enumerated() {
            unsafe start.storeBytes(of: byte, toByteOffset: size - bytes.count + index, as: UInt8.self)
        }
        return end - UInt64(bytes.count)
    }
}

/// process_vm_readv(2), of this process.
@Suite struct MemoryTests {
    @Test(arguments: [0, 1, 127, 128, 129, 300]) func `a text ends at its NUL, also at the end of what is mapped`(
        _ length: Int
    ) throws {
        let page = LastPage()
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: length)
        let place = page.put(text + [0])
        #expect(try readMemoryText(of: currentProcess(), at: place, limit: 4096) == text)
    }

    @Test(arguments: [1, 300]) func `a text without an end is refused`(_ length: Int) {
        let page = LastPage()
        let place = page.put([UInt8](repeating: UInt8(ascii: "a"), count: length))
        let error = #expect(throws: KernelError.self) {
            try readMemoryText(of: currentProcess(), at: place, limit: 4096)
        }
        #expect(error?.errno.name == "ENAMETOOLONG")
    }

    @Test func `memory is read as far as it is mapped`() throws {
        let page = LastPage()
        let place = page.put([1, 2, 3])
        #expect(try readMemory(of: currentProcess(), at: place, upTo: 100) == [1, 2, 3])
        for place in [page.end, 0] {
            let error = #expect(throws: KernelError.self) {
                try readMemory(of: currentProcess(), at: place, upTo: 1)
            }
            #expect(error?.errno == .badAddress)
        }
    }
}
