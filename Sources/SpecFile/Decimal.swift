extension String {
    /// A number in decimal digits. The standard library's way is for every type and radix, and a launch would touch four
    /// pages of code for it that nothing else is on.
    package init(decimal number: UInt64) {
        var digits: [UInt8] = []
        var rest = number
        repeat {
            digits.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        digits.reverse()
        self.init(decoding: digits, as: UTF8.self)
    }
}
