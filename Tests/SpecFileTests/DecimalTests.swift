import SpecFile
import Testing

/// Numbers as digits, the same as the standard library's.
@Suite struct DecimalTests {
    @Test(arguments: [0, 1, 9, 10, 99, 100, 65_534, 4_294_967_295, 18_446_744_073_709_551_615] as [UInt64])
    func digits(number: UInt64) { #expect(String(decimal: number) == "\(number)") }
}
