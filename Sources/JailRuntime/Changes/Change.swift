package import JailPlan
import Kernel
import SpecFile

/// What an overlay has changed of one name.
package struct Change: Sendable {
    package enum Kind: String, Sendable {
        case added = "A"
        /// Other bytes, or another target of a symbolic link.
        case content = "M"
        /// The same bytes with another mode, owner, group or extended attribute.
        case metadata = "m"
        case deleted = "D"
        /// Another kind of file.
        case replaced = "T"
    }

    package let kind: Kind
    /// Where it is below the root of the overlay.
    package let path: EntryPath
    /// What a person wants to know besides.
    package var notes: [String] = []
    /// What the upper has, and what the original has; nil where one has nothing.
    let upper: EntryStatus?
    let lower: EntryStatus?
    /// The place of the lower that has the original, 0 being the first.
    var layer = 0
    /// What overlayfs has noted of the file that a new name is a copy of; nil where it has noted nothing.
    var origin: [UInt8]?
    /// Whether what the upper has has an access control list.
    var isListed = false
    /// The directory of the first lower that it is in; nil where that has none of that path.
    var place: FileMark?
    /// Which file of the first lower it was found over; nil where that has none, or where it is not asked.
    var mark: FileMark?
    /// Why the jail has not seen that directory, or one above it; nil where it has.
    var astray: String?
    /// Whether something is mounted at that name of the first lower.
    var isMounted = false
    /// Whether it is a directory that only a lower below the first has, as it is there: made in the first for what is put into it, and
    /// no change of itself.
    var isImplied = false
    /// Of the root what is changed.
    var root: RootParts = []
}

extension Change {
    /// What tells two versions of one name apart, beyond their bytes: in words, none for nothing.
    static func differences(
        _ upper: EntryStatus, _ lower: EntryStatus, attributes: [String]
    ) -> [String] {
        var result: [String] = []
        func mode(_ status: EntryStatus) -> String { "0" + String(status.permissions, radix: 8) }
        if upper.permissions != lower.permissions, upper.kind != .symlink {
            result.append("mode \(mode(lower)) to \(mode(upper))")
        }
        if upper.owner != lower.owner { result.append("uid \(lower.owner) to \(upper.owner)") }
        if upper.group != lower.group { result.append("gid \(lower.group) to \(upper.group)") }
        return result + attributes
    }

    /// Whether an entry of an upper says that there is nothing of that name: a character device 0:0, or in a directory that
    /// says so (`isMarked`) an empty file with the attribute.
    static func isWhiteout(_ status: EntryStatus, isMarked: Bool) -> Bool {
        status.kind == .characterDevice && status.node == 0 || isMarked && status.kind == .regular && status.size == 0
    }

    /// What goes by it; nil where the first lower has nothing, or where that is not asked.
    var compared: ComparedFile? {
        guard let mark, let lower, layer == 0 else { return nil }
        return ComparedFile(mark, lower)
    }

    /// Whether it is the root of the overlay that is changed: what it is, for it has no name.
    var isOfRoot: Bool { path.isRoot }

    /// The changes without the directories that nothing is put into.
    package static func needed(_ changes: [Change]) -> [Change] {
        guard changes.contains(where: \.isImplied) else { return changes }
        var (result, put): ([Change], EntryPath?) = ([], nil)
        // The last first: a directory comes before what is in it.
        for change in changes.reversed() {
            if change.isImplied, put.map({ !$0.starts(with: change.path) }) ?? true { continue }
            if change.kind != .deleted { put = change.path }
            result.append(change)
        }
        return result.reversed()
    }

    /// The bytes of the path, parts joined by slashes, after `prefix`; of the root those of a prefix without its slash, or a dot.
    package func bytes(after prefix: String = "") -> [UInt8] {
        var result = Array(prefix.utf8)
        if isOfRoot {
            if result.count > 1 { result.removeLast() }
            return result.isEmpty ? [UInt8(ascii: ".")] : result
        }
        return result + path.bytes
    }

    /// A line for people: the letter, the path, and after a tab the notes. A path that would act on a terminal, or begin or
    /// end a line, is in quotes as C has them.
    package func line(after prefix: String = "") -> String {
        let notes = notes.isEmpty ? "" : "\t(" + notes.joined(separator: ", ") + ")"
        return "\(kind.rawValue) \(quotedPath(bytes(after: prefix)))\(notes)"
    }

    /// JSON is text: a path that is none comes beside it in hexadecimal digits.
    package func json(after prefix: String = "") -> JSON {
        let bytes = bytes(after: prefix)
        let text = String(decoding: bytes, as: UTF8.self)
        let exact: [(String, JSON)] = text.utf8.elementsEqual(bytes) ? [] : [("path_hex", .string(hexDigits(bytes)))]
        return .object(
            [("change", .string(kind.rawValue)), ("path", .string(text))] + exact
                + [("notes", .array(notes.map { .string($0) }))])
    }

    /// The changes as they are listed. A path that is too long for every call is too long for a list, which a deep tree would make as
    /// long as the square of its depth: what is there is counted at the last directory whose path is not.
    package static func listed(_ changes: [Change]) -> [Change] {
        var result: [Change] = []
        var (places, deep): ([EntryPath: Int], [Int: [Change]]) = ([:], [:])
        var shown: (path: EntryPath, place: Int)?
        for change in changes {
            guard change.path.length > EntryPath.longest else {
                if change.path.length + 256 > EntryPath.longest { places[change.path] = result.count }
                result.append(change)
                continue
            }
            if shown.map({ !change.path.starts(with: $0.path) }) ?? true {
                let path = change.path.shown
                let place = places[path] ?? result.count
                if place == result.count {
                    places[path] = place
                    result.append(Change(kind: .content, path: path, upper: nil, lower: nil))
                }
                shown = (path, place)
            }
            if let shown { deep[shown.place, default: []].append(change) }
        }
        for (place, below) in deep {
            result[place].notes.append(
                "\(ChangeCount(below).text) below it, at paths of more than \(EntryPath.longest) bytes")
        }
        return result
    }
}

/// A path as it is, or in double quotes with escapes of C where it has control characters, quotes, backslashes or bytes that
/// are not UTF-8.
package func quotedPath(_ bytes: [UInt8]) -> String {
    let text = String(decoding: bytes, as: UTF8.self)
    let isValid = Array(text.utf8) == bytes
    let isPlain =
        isValid
        && !text.unicodeScalars.contains { $0 == "\"" || $0 == "\\" || acts($0) }
    if isPlain { return text }
    var result = "\""
    for byte in bytes {
        switch byte {
        case UInt8(ascii: "\""): result += "\\\""
        case UInt8(ascii: "\\"): result += "\\\\"
        case 0x0A: result += "\\n"
        case 0x09: result += "\\t"
        case 0x20..<0x7F: result.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            let digits = String(byte, radix: 8)
            result += "\\" + String(repeating: "0", count: 3 - digits.utf8.count) + digits
        }
    }
    return result + "\""
}
