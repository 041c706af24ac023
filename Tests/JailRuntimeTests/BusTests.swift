import Testing

@testable import JailRuntime

/// The wire format of D-Bus, as far as the manager is spoken to.
@Suite struct BusTests {
    @Test func aCall() {
        let call = BusWriter.call(
            "Get", of: "a.b", at: "/o", on: "c.d", signature: "s", serial: 7, body: [1, 0, 0, 0, 0x78, 0])
        #expect(Array(call[0..<12]) == [0x6C, 1, 0, 1, 6, 0, 0, 0, 7, 0, 0, 0])
        #expect(call.count == BusMessage.size(of: call))
        let message = BusMessage(call)
        #expect(message?.kind == .call && message?.member == "Get" && message?.texts == ["x"])
    }

    /// JobRemoved: a number and three strings.
    @Test func aSignal() {
        var body = BusWriter()
        body.number(5)
        for text in ["/job/5", "a.scope", "done"] { body.text(text) }
        var bytes = BusWriter.call(
            "JobRemoved", of: "a.b", at: "/o", on: "c.d", signature: "uoss", serial: 1, body: body.bytes)
        bytes[1] = 4
        let message = BusMessage(bytes)
        #expect(message?.kind == .signal && message?.texts == ["/job/5", "a.scope", "done"])
    }

    /// An answer of Properties.Get: a boolean, or an array, in a variant.
    @Test(arguments: [("b", UInt32(1), true), ("b", 0, false), ("a(iayu)", 24, true), ("a(iayu)", 0, false)])
    func aProperty(type: String, number: UInt32, isSet: Bool) {
        var body = BusWriter()
        body.signature(type)
        body.number(number)
        var bytes = BusWriter.call("Get", of: "a.b", at: "/o", on: "c.d", signature: "v", serial: 1, body: body.bytes)
        bytes[1] = 2
        #expect(BusMessage(bytes)?.isSet == isSet)
    }

    @Test func pathsOfUnits() {
        let root = "/org/freedesktop/systemd1/unit/"
        #expect(ManagerSocket.objectPath(of: "run-u1.service") == root + "run_2du1_2eservice")
        #expect(ManagerSocket.objectPath(of: "9a@b.scope") == root + "_39a_40b_2escope")
    }

    /// Whatever comes, nothing is read beyond the end of it.
    @Test func cutShortAndSpoilt() {
        let call = BusWriter.call("Get", of: "a.b", at: "/o", on: "c.d", signature: "s", serial: 7, body: [9, 0, 0, 0])
        for length in 0..<call.count { _ = BusMessage(Array(call[..<length])) }
        for index in call.indices {
            var spoilt = call
            spoilt[index] ^= 0xFF
            _ = BusMessage(spoilt)
        }
        #expect(BusMessage.size(of: Array(call[..<15])) == nil)
    }

    @Test func arraysLeaveOutTheirPadding() {
        var writer = BusWriter()
        writer.array(of: 8) { $0.property("k", "u") { $0.number(3) } }
        #expect(writer.bytes[0] == 16 && writer.bytes.count == 24)
    }
}
