/// A row of the table: one system call.
package struct SystemCall: Equatable, Sendable {
    /// As section 2 of the manual and the kernel's tables have it.
    package let name: String
    let x86_64: Int16
    let aarch64: Int16
    let kind: CallKind
    private let widths: UInt32

    init(_ name: String, _ x86_64: Int16, _ aarch64: Int16, _ kind: CallKind, _ widths: UInt32 = 0) {
        self.name = name
        self.x86_64 = x86_64
        self.aarch64 = aarch64
        self.kind = kind
        self.widths = widths
    }

    /// The number on an architecture; nil where that has no such call.
    package func number(on architecture: Architecture) -> Int? {
        let number =
            switch architecture {
            case .x86_64: x86_64
            case .aarch64: aarch64
            }
        return number < 0 ? nil : Int(number)
    }

    /// The bits of an argument that the kernel looks at: what stands above them must not decide, or a call passes a filter
    /// with a bit set that the kernel then ignores.
    func bits(ofArgument index: Int) -> UInt64 {
        switch widths >> UInt32(4 * index) & 0xf {
        case 2: 0xffff
        case 4: 0xffff_ffff
        default: .max
        }
    }
}
