import JailPlan
import JailSpec
import Kernel
import LinuxFacts

/// passwd(5), group(5) and subuid(5), read as files: in a static program the name service switch does not work, and in a
/// jail's own tree it would load that tree's code.
enum Accounts {
    /// The bytes of a file below `root`, empty where it is missing, not a regular file, or not for the caller's eyes. Of the host's own file
    /// all else is an error; one of a tree that may be somebody else's is empty then, too.
    static func read(_ path: String, below root: String) throws(KernelError) -> [UInt8] {
        if root == "/" { return try readHost("/" + path) }
        do throws(KernelError) {
            let directory = try open(root, .path | .directory)
            let pinned = try openInside(directory.number, path)
            // A FIFO would block for ever.
            guard try status(of: pinned.number).isRegular else { return [] }
            let file = try open("/proc/self/fd/\(pinned.number)", .read | .nonBlocking)
            return try readAll(file.number, limit: 4 << 20)
        } catch {
            return []
        }
    }

    /// The host's own file needs no precaution but the one against a FIFO.
    private static func readHost(_ path: String) throws(KernelError) -> [UInt8] {
        do throws(KernelError) {
            let file = try open(path, .read | .nonBlocking)
            guard try status(of: file.number).isRegular else { return [] }
            return try readAll(file.number, limit: 4 << 20)
        } catch {
            let refusal = KernelError(error.call, error.errno, path: "/" + path)
            switch error.errno {
            case .noEntry, .notDirectory: return []
            case .accessDenied:
                // The file that is read here decides what the jail is given: that it is closed to the caller is asked twice.
                guard try !canRead("/" + path) else { throw refusal }
                return []
            default: throw refusal
            }
        }
    }

    /// A line's fields between the colons: only their places, for a launch would have to make the type of a list of slices.
    private struct Fields {
        private let line: ArraySlice<UInt8>
        private var ends: [Int] = []

        init(_ line: ArraySlice<UInt8>) {
            self.line = line
            for place in line.indices where line[place] == UInt8(ascii: ":") { ends.append(place) }
            ends.append(line.endIndex)
        }

        var count: Int { ends.count }

        subscript(index: Int) -> ArraySlice<UInt8> {
            line[(index == 0 ? line.startIndex : ends[index - 1] + 1)..<ends[index]]
        }
    }

    /// The fields of each line that is not empty.
    private static func lines(_ bytes: [UInt8], _ body: (Fields) -> Void) {
        for line in bytes.split(separator: UInt8(ascii: "\n")) { body(Fields(line)) }
    }

    private static func text(_ field: ArraySlice<UInt8>) -> String { String(decoding: field, as: UTF8.self) }

    /// A decimal number and nothing else.
    private static func number(_ field: ArraySlice<UInt8>) -> UInt32? {
        guard !field.isEmpty, field.count <= 10 else { return nil }
        var value: UInt64 = 0
        for byte in field {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + UInt64(byte - UInt8(ascii: "0"))
        }
        return UInt32(exactly: value)
    }

    /// The first line of passwd(5) for one user, by number or by name: a list of one, or of none.
    static func users(_ bytes: [UInt8], wanted: Identity.Account) -> [Host.User] {
        var start = bytes.startIndex
        while start < bytes.endIndex {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
            defer { start = end + 1 }
            let line = bytes[start..<end]
            guard isWanted(line, wanted) else { continue }
            let fields = Fields(line)
            guard fields.count >= 7, let uid = number(fields[2]), let gid = number(fields[3]) else { continue }
            return [
                Host.User(name: text(fields[0]), uid: uid, gid: gid, home: text(fields[5]), shell: text(fields[6]))
            ]
        }
        return []
    }

    /// Looks at no more of a line than it must: a launch reads the whole file for one of them.
    private static func isWanted(_ line: ArraySlice<UInt8>, _ wanted: Identity.Account) -> Bool {
        let colon = UInt8(ascii: ":")
        guard let name = line.firstIndex(of: colon) else { return false }
        switch wanted {
        case .name(let wanted): return line[..<name].elementsEqual(wanted.utf8)
        case .id(let id):
            guard let password = line[(name + 1)...].firstIndex(of: colon),
                let last = line[(password + 1)...].firstIndex(of: colon)
            else { return false }
            return number(line[(password + 1)..<last]) == id
        }
    }

    /// The home of every user of passwd(5): the shell after it may be left out, as the C library has it.
    static func homes(_ bytes: [UInt8]) -> [(user: UInt32, home: String)] {
        var result: [(user: UInt32, home: String)] = []
        lines(bytes) { fields in
            guard fields.count >= 6, let uid = number(fields[2]) else { return }
            result.append((uid, String(escaping: Array(fields[5]))))
        }
        return result
    }

    /// The lines of group(5).
    static func groups(_ bytes: [UInt8]) -> [Host.Group] {
        var result: [Host.Group] = []
        lines(bytes) { fields in
            guard fields.count >= 3, let gid = number(fields[2]) else { return }
            result.append(Host.Group(name: text(fields[0]), gid: gid))
        }
        return result
    }

    /// The ids of passwd(5) or group(5), every one.
    static func ids(_ bytes: [UInt8]) -> [UInt32] {
        var result: [UInt32] = []
        lines(bytes) { fields in
            if fields.count >= 3, let id = number(fields[2]) { result.append(id) }
        }
        return result
    }

    /// Where a range could go in subuid(5) or subgid(5), `accounts` being passwd(5) or group(5).
    static func room(in file: [UInt8]?, endsAmidLine: Bool, accounts: [UInt8]) -> SubordinateRoom {
        var ranges: [Identity.Range] = []
        lines(file ?? []) { fields in
            guard fields.count == 3, let start = number(fields[1]), let count = number(fields[2]) else { return }
            ranges.append(Identity.Range(inside: 0, outside: start, count: count))
        }
        return SubordinateRoom(
            start: SubordinateRoom.start(besides: ranges, ids: ids(accounts)), isFileThere: file != nil,
            endsAmidLine: endsAmidLine)
    }

    /// The ranges of one user in subuid(5) or subgid(5), by name or by number.
    static func subordinates(_ bytes: [UInt8], name: String, id: UInt32) -> [Identity.Range] {
        var result: [Identity.Range] = []
        lines(bytes) { fields in
            guard fields.count == 3, !name.isEmpty && fields[0].elementsEqual(name.utf8) || number(fields[0]) == id
            else { return }
            guard let start = number(fields[1]), let count = number(fields[2]), count > 0 else { return }
            result.append(Identity.Range(inside: 0, outside: start, count: count))
        }
        return result
    }
}
