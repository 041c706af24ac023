package import JailPlan
package import JailSpec
import Kernel
package import SpecFile

/// What the host is asked after a failure, to tell its causes apart: functions, so that tests can play any host.
package struct Evidence: Sendable {
    /// The text of a file of procfs or sysfs without the last line break; nil where there is none.
    package var text: @Sendable (String) -> String?
    /// Whether the host has a file of that name.
    package var exists: @Sendable (String) -> Bool
    /// Whether a file ends without a line break: what is appended to it would go on with its last line.
    package var endsAmidLine: @Sendable (String) -> Bool
    package var uid: UInt32
    /// Whether systemd has started this process, or one above it, as part of a unit.
    package var isOfUnit = false
    /// The process that a service manager has executed, this one or one above it, as the caller's environment has it
    /// ($SYSTEMD_EXEC_PID of systemd.exec(5)).
    package var executed: String?
    /// Whether the name of the host is not the machine's own: uts_namespaces(7).
    package var hasOwnHostname = false
    /// What a filter from outside refuses of the launch.
    package var refusedCalls: @Sendable (Plan) -> [RefusedTrial] = { _ in [] }

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
        var evidence = Evidence(
            text: { path in
                guard let text = readHost(path) else { return nil }
                return text.utf8.last == UInt8(ascii: "\n") ? String(text.dropLast()) : text
            }, exists: Caller.exists,
            endsAmidLine: { path in readHost(path)?.utf8.last.map { $0 != UInt8(ascii: "\n") } ?? false },
            uid: Caller.userID)
        evidence.isOfUnit = environmentVariable("INVOCATION_ID") != nil
        evidence.executed = environmentVariable("SYSTEMD_EXEC_PID")
        evidence.hasOwnHostname = hostnameNamespace.map { $0 != "uts:[4026531838]" } ?? false
        evidence.refusedCalls = { TriedCalls.refused(CallNeeds($0)) }
        return evidence
    }

    /// The first one of a machine has the number PROC_UTS_INIT_INO.
    private static var hostnameNamespace: String? {
        do throws(KernelError) {
            return try readLink("/proc/self/ns/uts")
        } catch {
            return nil
        }
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

    /// The fields of each line of mountinfo, proc(5).
    var mountLines: [[Substring]] {
        (text("/proc/self/mountinfo") ?? "").split(separator: "\n").map { $0.split(separator: " ") }
    }

    /// The places below a directory where something is mounted, in the order in which that was done; binfmt_misc stands on an
    /// empty directory, and covers nothing.
    func mounts(below directory: String) -> [String] {
        mountLines.compactMap { $0.count > 4 ? String($0[4]) : nil }.filter {
            $0.utf8.starts(with: "\(directory)/".utf8) && $0 != "/proc/sys/fs/binfmt_misc"
        }
    }

    /// The FUSE file system that a path is on, where only its owner may enter it.
    func privateFileSystem(of path: String) -> (place: String, owner: String)? {
        var found: [Substring] = []
        for fields in mountLines where fields.count > 4 {
            let place = fields[4]
            guard path == place || path.utf8.starts(with: "\(place)/".utf8) || place == "/" else { continue }
            if place.utf8.count >= found.first?.utf8.count ?? 0 { found = Array(fields[4...]) }
        }
        guard let dash = found.firstIndex(of: "-"), dash + 1 < found.count, found[dash + 1].hasPrefix("fuse"),
            let options = found.last?.split(separator: ","), !options.contains("allow_other")
        else { return nil }
        let owner = options.first { $0.hasPrefix("user_id=") }?.dropFirst(8)
        return (String(found[0]), owner.map(String.init) ?? "0")
    }

    /// A field of /proc/self/status, or of that of another process.
    package func status(_ field: String, of process: String = "self") -> String? {
        for line in (text("/proc/\(process)/status") ?? "").split(separator: "\n") where line.hasPrefix(field + ":") {
            let value = line.dropFirst(field.utf8.count + 1).drop { $0 == " " || $0 == "\t" }
            return String(value)
        }
        return nil
    }
}

extension Caller {
    /// The effective user id.
    package static var userID: UInt32 { callerIdentity().euid }

    /// The group id, the real one as a launch has it.
    package static var groupID: UInt32 { callerIdentity().gid }

    /// The permitted capabilities; nil where the kernel does not say. A container's root often lacks some.
    package static var permitted: CapabilitySet? {
        do throws(KernelError) {
            return CapabilitySet(rawValue: try permittedCapabilities())
        } catch {
            return nil
        }
    }

    /// Whether this program was executed set-user-ID, or with capabilities of its file.
    package static var wasGivenPrivilege: Bool { isSecureExecution() }

    /// Whether this process was given that descriptor.
    package static func hasOpen(_ descriptor: Int32) -> Bool { isOpen(descriptor) }

    /// The descriptors that this process was given, of those in a range that begins with 3. Procfs says how many there are (since
    /// Linux 6.2), so that they are not looked for among numbers above the last one.
    package static func openDescriptors(in range: Range<Int32>) -> [Int32] {
        var left = Int.max
        do throws(KernelError) {
            let count = try size(of: "/proc/self/fd", at: currentDirectory)
            if count > 0 { left = count - (0..<range.lowerBound).count { isOpen($0) } }
        } catch {
            // Without procfs each number is looked at.
        }
        var found: [Int32] = []
        for number in range where found.count < left {
            if isOpen(number) { found.append(number) }
        }
        return found
    }

    /// Where a descriptor of the caller's leads.
    package static func path(of descriptor: Int32) throws(Diagnostic) -> String {
        let path: String
        do throws(KernelError) {
            path = try readLink("/proc/self/fd/\(descriptor)")
        } catch {
            throw Diagnostic(
                "descriptor \(descriptor): \(error.call.name): \(error.errno.name) \(error.errno.words)", at: nil)
        }
        guard path.utf8.first == UInt8(ascii: "/") else {
            throw Diagnostic("descriptor \(descriptor) is \(path), which has no name to mount it by", at: nil)
        }
        return path
    }

    /// Whether a file is one to execute, and no spec: an interpreter's other than immure, or a binary.
    package static func isProgram(_ path: String) -> Bool {
        do throws(KernelError) {
            let file = try open(path, .read | .nonBlocking | .noTerminal)
            guard try status(of: file.number).permissions & 0o111 != 0 else { return false }
            let head = try readSome(file.number, upTo: 256)
            let first = String(decoding: head.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
            return head.starts(with: [0x7f, 0x45, 0x4c, 0x46]) || !first.contains("immure")
        } catch {
            return false
        }
    }

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
