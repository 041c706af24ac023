import JailPlan
import JailSpec
import Kernel

/// passwd(5), group(5) and subuid(5), read as files: in a static program the name service switch does not work, and in a
/// jail's own tree it would load that tree's code.
enum Accounts {
    /// The bytes of a file below `root`, empty where it is missing or not a regular file.
    static func read(_ path: String, below root: String) -> [UInt8] {
        do throws(KernelError) {
            let directory = try open(root, [.path, .directory])
            let pinned = try openInside(directory.number, path)
            // A FIFO would block for ever.
            guard try status(of: pinned.number).kind == .regular else { return [] }
            let file = try open("/proc/self/fd/\(pinned.number)", [.read, .nonBlocking])
            return try readAll(file.number, limit: 4 << 20)
        } catch {
            return []
        }
    }

    private static func lines(_ bytes: [UInt8]) -> [[Substring]] {
        bytes.split(separator: UInt8(ascii: "\n")).map {
            Substring(String(decoding: $0, as: UTF8.self)).split(separator: ":", omittingEmptySubsequences: false)
        }
    }

    static func users(_ bytes: [UInt8]) -> [Host.User] {
        lines(bytes).compactMap { fields in
            guard fields.count >= 7, let uid = UInt32(fields[2]), let gid = UInt32(fields[3]) else { return nil }
            return Host.User(
                name: String(fields[0]), uid: uid, gid: gid, home: String(fields[5]), shell: String(fields[6]))
        }
    }

    static func groups(_ bytes: [UInt8]) -> [String: UInt32] {
        var result: [String: UInt32] = [:]
        for fields in lines(bytes) where fields.count >= 3 {
            guard let gid = UInt32(fields[2]), result[String(fields[0])] == nil else { continue }
            result[String(fields[0])] = gid
        }
        return result
    }

    /// The ranges of one user, by name or by number.
    static func subordinates(_ bytes: [UInt8], name: String, id: UInt32) -> [Identity.Range] {
        lines(bytes).compactMap { fields in
            guard fields.count == 3, fields[0] == name || fields[0] == "\(id)" else { return nil }
            guard let start = UInt32(fields[1]), let count = UInt32(fields[2]), count > 0 else { return nil }
            return Identity.Range(inside: 0, outside: start, count: count)
        }
    }
}
