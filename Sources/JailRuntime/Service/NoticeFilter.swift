/// What of a message of sd_notify(3) is passed on: a message of the launcher's own, made of what the jail's says.
///
/// Nothing of the sender's text passes as it is but the words of STATUS= and names, and those have no character that ends a
/// line: systemd, which trusts the launcher, ends one at `\r` too.
package struct NoticeFilter {
    /// The command's process id in the jail.
    let command: Int32
    /// The process id that stands for the command outside.
    let launcher: Int32
    /// How far the jail's monotonic clock is ahead.
    let clock: Duration?
    /// Whether the manager watches the service: one that it does not watch cannot be aborted by a message either.
    let isWatched: Bool
    /// The first assignment that was left out, or what the whole message was refused for.
    package private(set) var refused: String?

    package init(command: Int32, launcher: Int32, clock: Duration?, isWatched: Bool) {
        self.command = command
        self.launcher = launcher
        self.clock = clock
        self.isWatched = isWatched
    }

    /// The message as it is sent on; empty where nothing remains.
    package mutating func rebuilt(_ message: ArraySlice<UInt8>) -> [UInt8] {
        guard let text = String(validating: message, as: UTF8.self),
            !text.unicodeScalars.contains(where: { $0 != "\n" && Self.isControl($0) })
        else {
            refused = "a message with a control character, or in another encoding than UTF-8,"
            return []
        }
        var result: [UInt8] = []
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            let name = line.prefix { $0 != UInt8(ascii: "=") }
            let value = line.dropFirst(name.count + 1)
            guard name.count < line.count, let key = NoticeKey(name), let known = known(key, value) else {
                if refused == nil { refused = String(Substring(line).prefix(64)) }
                continue
            }
            if !result.isEmpty { result.append(UInt8(ascii: "\n")) }
            result += key.rawValue.utf8
            result.append(UInt8(ascii: "="))
            result += known.utf8
        }
        return result
    }

    /// C0, DEL and C1.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
    }

    /// The value written anew; nil where it is none that the key has, or not the jail's to say.
    private func known(_ key: NoticeKey, _ value: Substring.UTF8View) -> String? {
        switch key {
        case .ready, .reloading, .stopping, .restartReset, .store, .storeRemove, .barrier: word(value, "1")
        case .storePoll: word(value, "0")
        case .status: String(Substring(value))
        case .errno: number(value, upTo: 4095)
        case .exitStatus: number(value, upTo: 255)
        case .busError, .varlinkError: name(value) { Self.isWordCharacter($0) || $0 == UInt8(ascii: ".") }
        case .storeName: name(value) { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: ":") }
        case .extendTimeout: number(value, upTo: .max)
        case .watchdog: word(value, "1") ?? (isWatched ? word(value, "trigger") : nil)
        case .watchdogInterval: isWatched ? number(value, upTo: .max) : nil
        // Whom the manager is to watch: only the command, for the jail ends with it, and the launcher stands for it.
        case .mainProcess: value.elementsEqual("\(command)".utf8) ? "\(launcher)" : nil
        case .clock: shifted(value)
        }
    }

    private func word(_ value: Substring.UTF8View, _ word: String) -> String? {
        value.elementsEqual(word.utf8) ? word : nil
    }

    /// Decimal digits, and nothing that strtoull(3) would take besides.
    private func number(_ value: Substring.UTF8View, upTo limit: UInt64) -> String? {
        guard !value.isEmpty, value.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = UInt64(Substring(value)), number <= limit
        else { return nil }
        return "\(number)"
    }

    private func name(_ value: Substring.UTF8View, of isAllowed: (UInt8) -> Bool) -> String? {
        (1...255).contains(value.count) && value.allSatisfy(isAllowed) ? String(Substring(value)) : nil
    }

    private static func isWordCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// The manager compares this with its own clock.
    private func shifted(_ value: Substring.UTF8View) -> String? {
        guard let time = number(value, upTo: UInt64(Int64.max)).flatMap({ Int64($0) }) else { return nil }
        guard let clock else { return "\(time)" }
        let (seconds, attoseconds) = clock.components
        let (result, overflow) = time.subtractingReportingOverflow(
            seconds &* 1_000_000 &+ attoseconds / 1_000_000_000_000)
        return overflow || result < 0 ? nil : "\(result)"
    }
}

/// The assignments that a jail may make: sd_notify(3) without those that would change whom the manager listens to.
package enum NoticeKey: String, CaseIterable, Sendable {
    case ready = "READY"
    case reloading = "RELOADING"
    case stopping = "STOPPING"
    case status = "STATUS"
    case errno = "ERRNO"
    case busError = "BUSERROR"
    case varlinkError = "VARLINKERROR"
    case exitStatus = "EXIT_STATUS"
    case mainProcess = "MAINPID"
    case clock = "MONOTONIC_USEC"
    case watchdog = "WATCHDOG"
    case watchdogInterval = "WATCHDOG_USEC"
    case extendTimeout = "EXTEND_TIMEOUT_USEC"
    case restartReset = "RESTART_RESET"
    case store = "FDSTORE"
    case storeRemove = "FDSTOREREMOVE"
    case storeName = "FDNAME"
    case storePoll = "FDPOLL"
    case barrier = "BARRIER"

    init?(_ name: Substring.UTF8View) {
        for key in Self.allCases where name.elementsEqual(key.rawValue.utf8) {
            self = key
            return
        }
        return nil
    }
}
