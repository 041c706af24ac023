/// Marshals what a method call needs of the D-Bus wire format, little-endian: every value is aligned to its size.
struct BusWriter {
    private(set) var bytes: [UInt8] = []

    mutating func align(_ size: Int) { while bytes.count % size != 0 { bytes.append(0) } }

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func number(_ value: UInt32) {
        align(4)
        for shift in [UInt32(0), 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    mutating func text(_ value: String) {
        number(UInt32(value.utf8.count))
        bytes += Array(value.utf8)
        bytes.append(0)
    }

    mutating func signature(_ value: String) {
        bytes.append(UInt8(value.utf8.count))
        bytes += Array(value.utf8)
        bytes.append(0)
    }

    /// An array of elements with that alignment; its length leaves out the padding before the first.
    mutating func array(of alignment: Int, _ body: (inout BusWriter) -> Void) {
        number(0)
        let mark = bytes.count - 4
        align(alignment)
        let start = bytes.count
        body(&self)
        let length = UInt32(bytes.count - start)
        for (index, shift) in [UInt32(0), 8, 16, 24].enumerated() {
            bytes[mark + index] = UInt8(truncatingIfNeeded: length >> shift)
        }
    }

    /// A property: a name and a variant.
    mutating func property(_ name: String, _ type: String, _ body: (inout BusWriter) -> Void) {
        align(8)
        text(name)
        signature(type)
        body(&self)
    }

    /// A whole method call.
    static func call(
        _ member: String, of interface: String, at path: String, on destination: String, signature: String,
        serial: UInt32, body: [UInt8]
    ) -> [UInt8] {
        var message = BusWriter()
        message.bytes = [UInt8(ascii: "l"), 1, 0, 1]
        message.number(UInt32(body.count))
        message.number(serial)
        message.array(of: 8) { fields in
            for (code, type, value) in [
                (UInt8(1), "o", path), (2, "s", interface), (3, "s", member), (6, "s", destination),
            ] {
                fields.align(8)
                fields.byte(code)
                fields.signature(type)
                fields.text(value)
            }
            fields.align(8)
            fields.byte(8)
            fields.signature("g")
            fields.signature(signature)
        }
        message.align(8)
        return message.bytes + body
    }
}
