import Kernel

/// What the host is asked after a failure, to tell its causes apart: functions, so that tests can play any host.
package struct Evidence: Sendable {
    /// The text of a file of procfs or sysfs without the last line break; nil where there is none.
    package var text: @Sendable (String) -> String?
    /// Whether the host has a file of that name.
    package var exists: @Sendable (String) -> Bool
    /// Whether a file ends without a line break: what is appended to it would go on with its last line.
    package var endsAmidLine: @Sendable (String) -> Bool
    package var uid: UInt32

    package init(
        text: @escaping @Sendable (String) -> String?, exists: @escaping @Sendable (String) -> Bool,
        endsAmidLine: @escaping @Sendable (String) -> Bool = { _ in false }, uid: UInt32
    ) {
        self.text = text
        self.exists = exists
        self.endsAmidLine = endsAmidLine
        self.uid = uid
    }

    /// The running host.
    package static var host: Evidence {
        Evidence(
            text: { path in
                guard let text = readHost(path) else { return nil }
                return text.utf8.last == UInt8(ascii: "\n") ? String(text.dropLast()) : text
            }, exists: Caller.exists,
            endsAmidLine: { path in readHost(path)?.utf8.last.map { $0 != UInt8(ascii: "\n") } ?? false },
            uid: Caller.userID)
    }

    private static func readHost(_ path: String) -> String? {
        do throws(KernelError) {
            return try readText(path)
        } catch {
            return nil
        }
    }

    /// A number in a file, such as a sysctl.
    package func number(_ path: String) -> Int? { text(path).flatMap { Int($0) } }

    /// A field of /proc/self/status.
    package func status(_ field: String) -> String? {
        for line in (text("/proc/self/status") ?? "").split(separator: "\n") where line.hasPrefix(field + ":") {
            let value = line.dropFirst(field.utf8.count + 1).drop { $0 == " " || $0 == "\t" }
            return String(value)
        }
        return nil
    }
}

extension Caller {
    /// The effective user id.
    package static var userID: UInt32 { callerIdentity().euid }

    /// Whether this program was executed set-user-ID, or with capabilities of its file.
    package static var wasGivenPrivilege: Bool { isSecureExecution() }

    /// Whether this process was given that descriptor.
    package static func hasOpen(_ descriptor: Int32) -> Bool { isOpen(descriptor) }

    /// Whether there is a file of that name, of any kind.
    @Sendable package static func exists(_ path: String) -> Bool {
        do throws(KernelError) {
            _ = try open(path, .path)
            return true
        } catch {
            return false
        }
    }
}
