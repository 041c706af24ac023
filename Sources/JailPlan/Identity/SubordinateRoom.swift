package import JailSpec
import SpecFile

/// The files of subuid(5) and subgid(5).
package enum SubordinateFile: String, Equatable, Sendable {
    case subuid, subgid

    package var path: String { "/etc/" + rawValue }

    /// The option of usermod(8) that adds a range to it.
    var option: String {
        switch self {
        case .subuid: "--add-subuids"
        case .subgid: "--add-subgids"
        }
    }
}

/// Where a range of ids could still go, for whoever has none: asked only then.
package struct SubordinateRoom: Equatable, Sendable {
    /// What useradd(8) gives to each user.
    package static let count: UInt32 = 65_536
    /// SUB_UID_MIN of login.defs(5).
    private static let lowest: UInt32 = 100_000

    /// The first of the ids; nil where so many in a row are nobody's nowhere.
    package let start: UInt32?
    /// Whether the file is there; usermod(8) adds to no other.
    package let isFileThere: Bool
    /// Whether the file ends amid a line.
    package let endsAmidLine: Bool

    package init(start: UInt32?, isFileThere: Bool = true, endsAmidLine: Bool = false) {
        self.start = start
        self.isFileThere = isFileThere
        self.endsAmidLine = endsAmidLine
    }

    /// The first of `count` ids in a row that no range has and that are no user's or group's own: an id that two have gives
    /// each the files and processes of the other.
    package static func start(besides ranges: [Identity.Range], ids: [UInt32]) -> UInt32? {
        var taken = ranges.filter { $0.count > 0 }.map {
            (first: UInt64($0.outside), end: UInt64($0.outside) + UInt64($0.count))
        }
        taken += ids.map { (first: UInt64($0), end: UInt64($0) + 1) }
        taken.sort { $0.first < $1.first }
        var start = UInt64(lowest)
        for range in taken where range.end > start {
            if range.first >= start + UInt64(count) { break }
            start = range.end
        }
        // (uid_t) -1 is no id.
        return start + UInt64(count) <= UInt64(UInt32.max) ? UInt32(start) : nil
    }
}

/// Whoever is to get a range.
package struct SubordinateOwner: Equatable, Sendable {
    /// Empty where passwd(5) has no line for the uid.
    package let name: String
    package let uid: UInt32
    package let gid: UInt32
    /// Whether newuidmap(1) is to write the maps, which it does for a uid with a name only.
    package let needsName: Bool

    package init(name: String, uid: UInt32, gid: UInt32, needsName: Bool) {
        self.name = name
        self.uid = uid
        self.gid = gid
        self.needsName = needsName
    }
}

extension Remedy {
    /// A range of ids for a user who has none: the first that is free.
    package static func range(_ room: SubordinateRoom, in file: SubordinateFile, for owner: SubordinateOwner) -> String
    {
        let count = SubordinateRoom.count
        guard let start = room.start else {
            return "no \(count) ids in a row are free in \(file.path): take a range away that nobody uses"
        }
        if !owner.name.isEmpty, room.isFileThere {
            return "as root: usermod \(file.option) \(start)-\(start + count - 1) \(shellWord(owner.name))"
        }
        let line = (owner.name.isEmpty ? "\(owner.uid)" : owner.name) + ":\(start):\(count)"
        let append = appending(line, to: file.path, amidLine: room.endsAmidLine)
        // Once, and not for each of the two files.
        guard owner.name.isEmpty, owner.needsName, case .subuid = file else { return "as root: \(append)" }
        return "newuidmap(1) asks for a name; as root: \(append); \(namingCommand(owner.uid, owner.gid))"
    }

    /// A name for a uid that has none: newuidmap(1) maps nothing for it else.
    package static func name(forUID uid: UInt32, gid: UInt32) -> String {
        "newuidmap(1) asks for a name; as root: \(namingCommand(uid, gid))"
    }

    private static func namingCommand(_ uid: UInt32, _ gid: UInt32) -> String {
        appending("u\(uid):x:\(uid):\(gid)::/:/usr/sbin/nologin", to: "/etc/passwd", amidLine: false)
    }

    private static func appending(_ line: String, to file: String, amidLine: Bool) -> String {
        amidLine
            ? "printf '\\n%s\\n' \(shellWord(line, quoted: true)) >>\(file)"
            : "echo \(shellWord(line, quoted: true)) >>\(file)"
    }
}
