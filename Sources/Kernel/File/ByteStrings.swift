import CLinux

// Arguments, variables and paths of Linux are bytes; a Swift string is Unicode. A byte that is not part of valid UTF-8 is
// carried through as a character of the private plane 16, U+10FF00 plus the byte, and becomes that byte again on its way
// back to the kernel. Text that holds such characters by itself is not carried: it would come out as other bytes.

private let escapeBase: UInt32 = 0x10FF00

extension String {
    /// The string for bytes of the kernel's, without loss.
    init(escaping text: UnsafePointer<CChar>) {
        if let valid = unsafe String(validatingCString: text) {
            self = valid
            return
        }
        let bytes = unsafe UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) }
        var result = String.UnicodeScalarView()
        var decoder = UTF8()
        var index = 0
        while index < bytes.count {
            var rest = bytes[index...].makeIterator()
            decoder = UTF8()
            if case .scalarValue(let scalar) = decoder.decode(&rest) {
                result.append(scalar)
                index += UTF8.width(scalar)
            } else {
                if let scalar = Unicode.Scalar(escapeBase + UInt32(bytes[index])) { result.append(scalar) }
                index += 1
            }
        }
        self = String(result)
    }

    /// The bytes for the kernel.
    var unescaped: [UInt8] {
        // Every escape begins with the bytes F4 8F BC–BF in UTF-8: most strings have no F4 at all.
        var bytes = Array(utf8)
        guard bytes.contains(0xF4) else { return bytes }
        bytes.removeAll()
        for scalar in unicodeScalars {
            if scalar.value >= escapeBase + 0x80, scalar.value <= escapeBase + 0xFF {
                bytes.append(UInt8(scalar.value - escapeBase))
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
