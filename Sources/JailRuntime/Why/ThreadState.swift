import JailLearn
import JailSpec
import Kernel
import LinuxFacts
import SpecFile

/// A thread of the jail that waits: its memory, its files, and what it may.
struct ThreadState {
    let number: Int32
    let proc: HostProc
    private(set) var program = ""
    /// Its process.
    private(set) var process: Int32 = 0
    /// The ids that files are opened by, and whether modes do not bind it, capabilities(7).
    private(set) var user: UInt32 = 0
    private(set) var groups: Set<UInt32> = []
    private(set) var overrides = false
    /// Those that are effective.
    private(set) var capabilities: CapabilitySet = []

    /// Throws where it has gone.
    init(_ number: Int32, in proc: HostProc) throws(KernelError) {
        (self.number, self.proc) = (number, proc)
        let text = try readText("\(number)/status", at: proc.descriptor)
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == "\t" || $0 == " " }
            let words = value.split { $0 == "\t" || $0 == " " }
            switch line[..<colon] {
            case "Name": program = String(value)
            case "Tgid": process = Int32(value) ?? 0
            case "Uid": user = words.last.flatMap { UInt32($0) } ?? 0
            case "Gid": if let group = words.last.flatMap({ UInt32($0) }) { groups.insert(group) }
            case "Groups": groups.formUnion(words.compactMap { UInt32($0) })
            case "CapEff":
                capabilities = CapabilitySet(rawValue: UInt64(value, radix: 16) ?? 0)
                overrides = capabilities.contains(.dac_override)
            default: break
            }
        }
    }

    /// Whether the mode of a file allows all of `bits`: 4 to read, 2 to write, 1 to execute or search.
    func may(_ bits: UInt32, _ status: FileStatus) -> Bool {
        if overrides { return true }
        let shift: UInt32 = status.owner == user ? 6 : groups.contains(status.group) ? 3 : 0
        return status.permissions >> shift & bits == bits
    }

    func path(at address: UInt64) -> String? {
        if case .text(let path) = proc.text(of: number, at: address) { path } else { nil }
    }

    func memory(at address: UInt64, upTo count: Int) -> [UInt8]? {
        address == 0 ? nil : proc.memory(of: number, at: address, upTo: count)
    }

    /// Where a path of a call starts: its current directory, or that of a descriptor; nil where it is no path.
    func start(_ descriptor: Int32?) -> String? {
        do throws(KernelError) {
            let name = descriptor.map { $0 >= 0 ? "fd/\($0)" : "cwd" } ?? "cwd"
            let path = try readLink("\(number)/\(name)", at: proc.descriptor)
            return path.utf8.first == UInt8(ascii: "/") ? path : nil
        } catch {
            return nil
        }
    }

    /// What a path of the jail leads to there.
    func reach(_ path: String) throws(KernelError) -> Found {
        let root = try open("\(number)/root", at: proc.descriptor, .path | .directory)
        let file = try openInside(root.number, path)
        return Found(
            path: try readLink("self/fd/\(file.number)", at: proc.descriptor), status: try status(of: file.number),
            attributes: try heldAttributes(of: file.number),
            mount: try mountIdentity(of: file.number))
    }

    struct Found {
        /// Without links.
        let path: String
        let status: FileStatus
        /// Of the mount that it is on.
        let attributes: MountAttributes
        var isReadOnly: Bool { attributes.hasAll(of: .readOnly) }
        /// The number of that mount.
        let mount: UInt64
    }

    /// Whether an id inside is one that its user namespace has, user_namespaces(7): ID-inside ID-outside length.
    func maps(_ id: UInt32, by map: String) -> Bool {
        do throws(KernelError) {
            return try readText("\(number)/\(map)", at: proc.descriptor).split(separator: "\n").contains { line in
                let words = line.split(separator: " ").compactMap { UInt64($0) }
                return words.count == 3 && UInt64(id) >= words[0] && UInt64(id) < words[0] + words[2]
            }
        } catch {
            return true
        }
    }

    /// A file of its own below /proc.
    func text(_ name: String) throws(KernelError) -> String {
        try readText("\(number)/\(name)", at: proc.descriptor)
    }

    /// How many of the numbers that the limit leaves are descriptors. proc_pid_fd(5).
    func openFiles() throws(KernelError) -> UInt64 {
        let directory = try open("\(number)/fd", at: proc.descriptor, .path | .directory)
        return UInt64(try entries(of: directory.number).count)
    }

    /// Where a descriptor of a regular file would write; nil for what is none.
    func placeToWrite(_ descriptor: Int32) throws(KernelError) -> UInt64? {
        let file = try open("\(number)/fd/\(descriptor)", at: proc.descriptor, .path)
        let status = try Kernel.status(of: file.number)
        guard status.isRegular else { return nil }
        var (place, flags): (UInt64, UInt64) = (0, 0)
        for line in try text("fdinfo/\(descriptor)").split(separator: "\n") {
            let words = line.split { $0 == "\t" || $0 == " " }
            guard words.count == 2 else { continue }
            if words[0] == "pos:" { place = UInt64(words[1]) ?? 0 }
            if words[0] == "flags:" { flags = UInt64(words[1], radix: 8) ?? 0 }
        }
        // O_APPEND
        return flags & 0o2000 != 0 ? UInt64(clamping: status.size) : place
    }

    /// A table of /proc/net, of the thread's network namespace or, of `host`, of the launcher's.
    func table(_ name: String, ofHost host: Bool) -> [Substring] {
        do throws(KernelError) {
            let file = try open(host ? "self/net/\(name)" : "\(number)/net/\(name)", at: proc.descriptor, .read)
            return String(decoding: try readAll(file.number, limit: 1 << 22), as: UTF8.self).split(separator: "\n")
        } catch {
            return []
        }
    }
}
