/// A byte that is not part of UTF-8, as a Swift string carries it: arguments, variables and paths of Linux are bytes.
package enum CarriedByte {
    /// The character that carries the byte 0: U+10FF00, of the private plane 16. Bytes below 0x80 are carried as themselves.
    package static let base: UInt32 = 0x10FF00

    /// The byte that a character stands for; nil for one that is itself.
    package static func byte(_ scalar: Unicode.Scalar) -> UInt8? {
        scalar.value >= base + 0x80 ? UInt8(scalar.value - base) : nil
    }

    /// Whether a text carries any: each begins with F4 in UTF-8, as few other characters do.
    ///
    /// Each text that the kernel is asked with is looked at: one function for strings of any kind would be called through
    /// its witnesses, by 10,000 instructions a text.
    package static func isIn(_ text: String) -> Bool {
        let units = text.utf8.span
        for index in units.indices where units[index] == 0xF4 {
            return text.unicodeScalars.contains { byte($0) != nil }
        }
        return false
    }

    /// How many bytes the kernel gets of a text.
    package static func count(_ text: String) -> Int {
        guard isIn(text) else { return text.utf8.count }
        return text.unicodeScalars.reduce(0) { $0 + (byte($1) == nil ? UTF8.width($1) : 1) }
    }
}

extension String {
    /// The string for bytes of the kernel's, which may hold a NUL, without loss: what is not UTF-8 is carried.
    package init(escaping bytes: [UInt8]) {
        if let valid = Self(validating: bytes.span), !CarriedByte.isIn(valid) {
            self = valid
            return
        }
        var result = String.UnicodeScalarView()
        var decoder = UTF8()
        var index = 0
        while index < bytes.count {
            var rest = bytes[index...].makeIterator()
            decoder = UTF8()
            if case .scalarValue(let scalar) = decoder.decode(&rest), CarriedByte.byte(scalar) == nil {
                result.append(scalar)
                index += UTF8.width(scalar)
            } else {
                if let scalar = Unicode.Scalar(CarriedByte.base + UInt32(bytes[index])) { result.append(scalar) }
                index += 1
            }
        }
        self = String(result)
    }

    /// nil for what is not UTF-8. `String(validating:as:)` takes any collection, and asks the runtime for types that it has to make.
    package init?(validating bytes: Span<UInt8>) {
        do throws(UTF8.ValidationError) {
            self.init(copying: try UTF8Span(validating: bytes))
        } catch {
            return nil
        }
    }
}
