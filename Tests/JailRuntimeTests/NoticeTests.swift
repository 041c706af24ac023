import TestSupport
import Testing

@testable import JailRuntime

/// What of a message to the service manager is passed on.
@Suite struct NoticeTests {
    private func filtered(
        _ text: String, clock: Duration? = nil, isWatched: Bool = false
    ) -> (text: String, refused: String?) {
        var filter = NoticeFilter(command: 2, launcher: 700, clock: clock, isWatched: isWatched)
        let result = filter.rebuilt(Array(text.utf8)[...])
        return (String(decoding: result, as: UTF8.self), filter.refused)
    }

    @Test(arguments: [
        "READY=1", "STATUS=a=b", "FDSTORE=1\nFDNAME=x", "BARRIER=1", "STATUS=", "STATUS=größer", "WATCHDOG=1",
        "ERRNO=4095", "EXIT_STATUS=255", "BUSERROR=org.a.B", "EXTEND_TIMEOUT_USEC=18446744073709551615", "FDPOLL=0",
    ])
    func `what concerns the service is passed on`(text: String) {
        let (result, refused) = filtered(text)
        #expect(result == text && refused == nil)
    }

    @Test(arguments: [
        "READY=0", "READY=", "READY", "READY=1 ", "ERRNO=-1", "ERRNO=4096", "ERRNO= 1", "ERRNO=+1", "EXIT_STATUS=256",
        "WATCHDOG=2", "WATCHDOG_USEC=1", "WATCHDOG=trigger", "FDNAME=a:b", "FDNAME=", "FDNAME=ä", "FDPOLL=1",
        "EXTEND_TIMEOUT_USEC=18446744073709551616", "EXTEND_TIMEOUT_USEC=1s", "BUSERROR=a b", "BARRIER=2",
    ])
    func `a value that the key does not have is left out`(text: String) {
        let (result, refused) = filtered(text + "\nSTATUS=x")
        #expect(result == "STATUS=x" && refused == text)
    }

    @Test(arguments: ["WATCHDOG=trigger", "WATCHDOG_USEC=9"])
    func `only a service that is watched can ask to be aborted`(text: String) {
        #expect(filtered(text, isWatched: true).text == text)
        #expect(filtered(text).text.isEmpty)
    }

    @Test(arguments: ["\r", "\0", "\t", "\u{1b}", "\u{7f}", "\u{85}", "\u{b}"])
    func `a control character refuses the message`(character: String) {
        let (result, refused) = filtered("READY=1\nSTATUS=x\(character)MAINPID=1")
        #expect(result.isEmpty && refused != nil)
    }

    @Test func `another encoding refuses the message`() {
        var filter = NoticeFilter(command: 2, launcher: 700, clock: nil, isWatched: true)
        #expect(filter.rebuilt([UInt8]("READY=1\nSTATUS=".utf8 + [0xFF])[...]).isEmpty && filter.refused != nil)
    }

    /// systemd: lines end at `\n` and at `\r`, and of what is before `=` the first is taken.
    @Test func `whatever comes in, what goes out is what a jail may say`() throws {
        var random = Seeded(1)
        let pieces: [[UInt8]] =
            (NoticeKey.allCases.map(\.rawValue) + ["NOTIFYACCESS", "MAINPIDFDID", "X"]).map { Array($0.utf8) }
            + ["=", "=", "\n", "\r", "\0", "1", "2", "0", "trigger", "4294967298", " ", "\u{85}", "a.b", ":"].map {
                Array($0.utf8)
            }
        var passed = 0
        for _ in 0..<20_000 {
            var message: [UInt8] = []
            for _ in 0..<Int.random(in: 0..<12, using: &random) {
                switch Int.random(in: 0..<8, using: &random) {
                case 0: message.append(UInt8.random(in: .min ... .max, using: &random))
                case 1...3:
                    message += pieces.randomElement(using: &random)!
                default:
                    message += NoticeKey.allCases.randomElement(using: &random)!.rawValue.utf8
                    message += "=\(["1", "0", "2", "trigger", "12", "x"].randomElement(using: &random)!)\n".utf8
                }
            }
            let isWatched = Bool.random(using: &random)
            var filter = NoticeFilter(command: 2, launcher: 700, clock: nil, isWatched: isWatched)
            let lines = filter.rebuilt(message[...]).split { $0 == 0x0A || $0 == 0x0D }
            for line in lines {
                passed += 1
                let text = try #require(String(validating: line, as: UTF8.self))
                let (key, value) = (text.prefix { $0 != "=" }, text.drop { $0 != "=" }.dropFirst())
                #expect(isValid(String(key), String(value), isWatched), "\(text) of \(message)")
            }
        }
        #expect(passed > 5_000)
    }

    /// What systemd 257 does something with, and may be told by a jail.
    private func isValid(_ key: String, _ value: String, _ isWatched: Bool) -> Bool {
        switch key {
        case "READY", "RELOADING", "STOPPING", "RESTART_RESET", "FDSTORE", "FDSTOREREMOVE", "BARRIER": value == "1"
        case "FDPOLL": value == "0"
        case "MAINPID": value == "700"
        case "STATUS": !value.unicodeScalars.contains { $0.properties.generalCategory == .control }
        case "ERRNO": (0...4095).contains(Int(value) ?? -1)
        case "EXIT_STATUS": UInt8(value) != nil
        case "WATCHDOG": value == "1" || isWatched && value == "trigger"
        case "WATCHDOG_USEC": isWatched && UInt64(value) != nil
        case "MONOTONIC_USEC", "EXTEND_TIMEOUT_USEC": UInt64(value) != nil
        case "BUSERROR", "VARLINKERROR", "FDNAME":
            !value.isEmpty && !value.contains(":") && value.utf8.allSatisfy { (0x20..<0x7F).contains($0) }
        default: false
        }
    }

    @Test func `the command stands under the process id of the launcher`() {
        #expect(filtered("MAINPID=2\nREADY=1").text == "MAINPID=700\nREADY=1")
    }

    @Test(arguments: ["MAINPID=1", "MAINPID=22", "MAINPID=", "MAINPID", "MAINPID=2 ", "MAINPID=02", "mainpid=2"])
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
        #expect(filtered("MONOTONIC_USEC=5", clock: .seconds(1)).text.isEmpty)
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
