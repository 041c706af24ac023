import Testing

@testable import JailRuntime

/// What of a message to the service manager is passed on.
@Suite struct NoticeTests {
    private func filtered(_ text: String, clock: Duration? = nil) -> (text: String, refused: String?) {
        var filter = NoticeFilter(command: 2, launcher: 700, clock: clock)
        let result = filter.filtered(Array(text.utf8)[...])
        return (String(decoding: result, as: UTF8.self), filter.refused)
    }

    @Test(arguments: ["READY=1", "STATUS=a=b", "FDSTORE=1\nFDNAME=x", "BARRIER=1", "WATCHDOG=trigger", "STATUS="])
    func `what concerns the service is passed on as it is`(text: String) {
        let (result, refused) = filtered(text)
        #expect(result == text && refused == nil)
    }

    @Test func `the command stands under the process id of the launcher`() {
        #expect(filtered("MAINPID=2\nREADY=1").text == "MAINPID=700\nREADY=1")
    }

    @Test(arguments: ["MAINPID=1", "MAINPID=22", "MAINPID=", "MAINPID", "MAINPID=2 ", "mainpid=2"])
    func `no other process becomes the main one`(text: String) {
        let (result, refused) = filtered(text + "\nREADY=1")
        #expect(result == "READY=1" && refused == text)
    }

    @Test(arguments: ["NOTIFYACCESS=all", "MAINPIDFDID=3", "READYX=1", "X", "=1"])
    func `what is not known is left out, and the first of it told`(text: String) {
        let (result, refused) = filtered(text + "\nOTHER=1")
        #expect(result.isEmpty && refused == text)
    }

    @Test func `a clock that was moved is moved back`() {
        #expect(filtered("MONOTONIC_USEC=10000000", clock: .seconds(4)).text == "MONOTONIC_USEC=6000000")
        #expect(filtered("MONOTONIC_USEC=10000000", clock: .seconds(-3600)).text == "MONOTONIC_USEC=3610000000")
        #expect(filtered("MONOTONIC_USEC=5").text == "MONOTONIC_USEC=5")
        #expect(filtered("MONOTONIC_USEC=x").text.isEmpty)
        #expect(filtered("MONOTONIC_USEC=\(Int64.min)", clock: .seconds(1)).text.isEmpty)
    }

    @Test func `empty lines are nothing`() {
        #expect(filtered("\n\nREADY=1\n\n").text == "READY=1")
        #expect(filtered("").text.isEmpty)
    }

    @Test(arguments: [1, 2, 255, 256, 65_536, 4_194_304])
    func `the head crosses the channel`(command: Int32) throws {
        for isFromCommand in [true, false] {
            let head = try #require(NoticeHead(NoticeHead(isFromCommand: isFromCommand, command: command).bytes))
            #expect(head.command == command && head.isFromCommand == isFromCommand)
        }
    }
}
