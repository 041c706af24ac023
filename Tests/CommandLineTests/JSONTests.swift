import JailPlan
import Testing

@Suite struct JSONTests {
    @Test(arguments: [
        (JSON.null, "null"), (.boolean(true), "true"), (.integer(-3), "-3"), (.tenths(0), "0.0"), (.tenths(25), "2.5"),
        (.array([]), "[]"), (.object([]), "{}"),
        (.seconds(nanoseconds: 1_000_002_999), "1.000002"), (.seconds(nanoseconds: 0), "0.000000"),
        (.seconds(nanoseconds: 59_999_999_999), "59.999999"),
        (.string("a\"\\\n\t\r\u{0}\u{1f}\u{7f}ä€😀"), "\"a\\\"\\\\\\n\\t\\r\\u0000\\u001f\\u007fä€😀\""),
        (.object([("b", .array([.integer(1), .null])), ("a", .string(""))]), "{\"b\": [1, null], \"a\": \"\"}"),
    ]) func `as RFC 8259 has it`(value: JSON, text: String) {
        #expect(value.text == text)
    }
}
