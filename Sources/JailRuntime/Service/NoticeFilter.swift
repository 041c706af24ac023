/// What of a message of sd_notify(3) is passed on: the assignments that concern the service, not those that would change
/// whom the manager takes for it.
package struct NoticeFilter {
    /// The command's process id in the jail.
    let command: Int32
    /// The process id that stands for the command outside.
    let launcher: Int32
    /// How far the jail's monotonic clock is ahead.
    let clock: Duration?
    /// The first assignment that was left out.
    package private(set) var refused: String?

    package init(command: Int32, launcher: Int32, clock: Duration?) {
        self.command = command
        self.launcher = launcher
        self.clock = clock
    }

    private static let passed = [
        "READY", "RELOADING", "STOPPING", "STATUS", "ERRNO", "BUSERROR", "VARLINKERROR", "EXIT_STATUS", "WATCHDOG",
        "WATCHDOG_USEC", "EXTEND_TIMEOUT_USEC", "RESTART_RESET", "FDSTORE", "FDSTOREREMOVE", "FDNAME", "FDPOLL",
        "BARRIER",
    ]

    /// The lines that remain, each without its line feed but between them.
    package mutating func filtered(_ message: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        for line in message.split(separator: UInt8(ascii: "\n")) {
            guard let kept = self.line(line) else { continue }
            if !result.isEmpty { result.append(UInt8(ascii: "\n")) }
            result += kept
        }
        return result
    }

    private mutating func line(_ line: ArraySlice<UInt8>) -> [UInt8]? {
        let name = line.prefix { $0 != UInt8(ascii: "=") }
        let value = line.dropFirst(name.count + 1)
        for known in Self.passed where name.elementsEqual(known.utf8) { return Array(line) }
        // Whom the manager is to watch: the command alone, for the jail ends with it, and the launcher stands for it.
        if name.elementsEqual("MAINPID".utf8), value.elementsEqual("\(command)".utf8) {
            return Array("MAINPID=\(launcher)".utf8)
        }
        if name.elementsEqual("MONOTONIC_USEC".utf8), let time = shifted(value) {
            return Array("MONOTONIC_USEC=\(time)".utf8)
        }
        if refused == nil { refused = String(decoding: line.prefix(64), as: UTF8.self) }
        return nil
    }

    /// The manager compares this with its own clock.
    private func shifted(_ value: ArraySlice<UInt8>) -> Int64? {
        guard let time = Int64(String(decoding: value, as: UTF8.self)) else { return nil }
        guard let clock else { return time }
        let (seconds, attoseconds) = clock.components
        let (result, overflow) = time.subtractingReportingOverflow(
            seconds &* 1_000_000 &+ attoseconds / 1_000_000_000_000)
        return overflow ? nil : result
    }
}
