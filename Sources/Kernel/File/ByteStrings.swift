import CLinux
import LinuxFacts

// Arguments, variables and paths of Linux are bytes; a Swift string is Unicode. A byte that is not part of valid UTF-8 is
// carried through as a character of the private plane 16, U+10FF00 plus the byte, and becomes that byte again on its way
// back to the kernel. Text that holds such characters by itself is carried byte by byte, in the same way.

extension String {
    /// The string for bytes of the kernel's, without loss.
    init(escaping text: UnsafePointer<CChar>) {
        // Most texts are plain, and need no copy of their bytes.
        if let valid = unsafe String(validatingCString: text), !CarriedByte.isIn(valid) {
            self = valid
            return
        }
        self.init(escaping: unsafe UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) })
    }

    /// Calls with the bytes for the kernel, with a NUL at their end.
    @unsafe func withKernelText<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        guard CarriedByte.isIn(self) else { return unsafe withCString(body) }
        let bytes = (unescaped + [0]).map { CChar(bitPattern: $0) }
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return unsafe "".withCString(body) }
            return unsafe body(base)
        }
    }

    /// The bytes for the kernel.
    package var unescaped: [UInt8] {
        var bytes = Array(utf8)
        guard CarriedByte.isIn(self) else { return bytes }
        bytes.removeAll()
        for scalar in unicodeScalars {
            if let byte = CarriedByte.byte(scalar) {
                bytes.append(byte)
            } else {
                bytes += Array(String(scalar).utf8)
            }
        }
        return bytes
    }
}

/// A vector of C strings, as execve(2) takes it; made before the call, so that nothing is left to fail in it.
@safe package struct CStringArray: ~Copyable {
    private let storage: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    package init(_ strings: [String]) {
        count = strings.count
        unsafe storage = .allocate(capacity: count + 1)
        for (index, string) in strings.enumerated() {
            let bytes = string.unescaped
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
            for place in bytes.indices { unsafe copy[place] = CChar(bitPattern: bytes[place]) }
            unsafe copy[bytes.count] = 0
            unsafe storage[index] = unsafe copy
        }
        unsafe storage[count] = nil
    }

    deinit {
        for index in 0..<count { unsafe storage[index]?.deallocate() }
        unsafe storage.deallocate()
    }

    var pointer: UnsafePointer<UnsafeMutablePointer<CChar>?> { unsafe UnsafePointer(storage) }
}
