package import JailSpec
import Kernel
package import SpecFile

/// Which changes are meant by the paths on a command line: those at or below them, and what they stand in.
package struct ChosenPaths {
    private let all: [Change]
    private let target: [EntryName]
    private let mount: Mount

    package init(_ all: [Change], of mount: Mount) {
        (self.all, self.mount) = (all, mount)
        target = Self.parts(mount.target.unescaped)
    }

    /// The changes; all where no path is given. What is in a directory that the original has not yet brings that directory.
    package func changes(at paths: [String]) throws(Diagnostic) -> [Change] {
        if paths.isEmpty { return all }
        var wanted: [EntryPath] = []
        for path in paths { wanted.append(try resolve(path.unescaped)) }
        var isChosen = all.map { change in !change.isImplied && wanted.contains { isMeant(change, $0) } }
        // The directories that a change is in and that are new, each with its place.
        var above: [Int] = []
        for (place, change) in all.enumerated() {
            while let last = above.last, !change.path.starts(with: all[last].path) { above.removeLast() }
            if isChosen[place], change.kind != .deleted {
                for needed in above.reversed() {
                    if isChosen[needed] { break }
                    isChosen[needed] = true
                }
            }
            if change.upper?.kind == .directory, change.kind == .added || change.kind == .replaced {
                above.append(place)
            }
        }
        return zip(all, isChosen).filter(\.1).map(\.0)
    }

    /// The root has a line of its own, for its mode, and stands for nothing else.
    private func isMeant(_ change: Change, _ wanted: EntryPath) -> Bool {
        wanted.isRoot ? change.isOfRoot : change.path.starts(with: wanted)
    }

    /// The path that is meant, of the spellings that it may have: as `diff` prints it, plain or in quotes, or with the target
    /// before it, as `run --changes` does.
    private func resolve(_ path: [UInt8]) throws(Diagnostic) -> EntryPath {
        var found: EntryPath?
        for spelling in [path, unquoted(path)].compactMap({ $0 }) {
            guard let parts = below(spelling).map(EntryPath.init) else { continue }
            if all.contains(where: { isMeant($0, parts) }) { return parts }
            if found == nil { found = parts }
        }
        guard let parts = found else {
            throw Diagnostic("\(quotedPath(path)) is not below \(mount.target)", at: nil)
        }
        if parts.names(from: 0).contains("..") { throw Diagnostic("\(quotedPath(path)): has \"..\" in it", at: nil) }
        // Of a tree that is gone only the whole is a change.
        for change in all where change.kind == .deleted || change.kind == .replaced {
            guard change.lower?.kind == .directory, parts.starts(with: change.path), change.upper?.kind != .directory
            else { continue }
            throw Diagnostic(
                "\(quotedPath(path)) is gone with \(quotedPath(change.bytes())), which is one change", at: nil)
        }
        throw Diagnostic("nothing is changed at \(quotedPath(path))", at: nil)
    }

    /// The parts of a path below the target; nil for an absolute one that is not.
    private func below(_ path: [UInt8]) -> [EntryName]? {
        let parts = Self.parts(path)
        guard path.first == UInt8(ascii: "/") else { return path.isEmpty ? nil : parts }
        return parts.starts(with: target) ? Array(parts.dropFirst(target.count)) : nil
    }

    private static func parts(_ path: [UInt8]) -> [EntryName] {
        path.split(separator: UInt8(ascii: "/")).map { EntryName(Array($0)) }.filter { $0 != "." }
    }
}

/// What `quotedPath` has put in quotes; nil for what it has not.
func unquoted(_ text: [UInt8]) -> [UInt8]? {
    let quote = UInt8(ascii: "\"")
    guard text.count > 2, text.first == quote, text.last == quote else { return nil }
    var result: [UInt8] = []
    var rest = text.dropFirst().dropLast()
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "\\") else {
            result.append(byte)
            continue
        }
        guard let escaped = rest.popFirst() else { return nil }
        switch escaped {
        case quote, UInt8(ascii: "\\"): result.append(escaped)
        case UInt8(ascii: "n"): result.append(0x0A)
        case UInt8(ascii: "t"): result.append(0x09)
        default:
            let digits = [escaped] + Array(rest.prefix(2))
            rest = rest.dropFirst(2)
            guard digits.count == 3, digits.allSatisfy({ 0x30...0x37 ~= $0 }) else { return nil }
            result.append(UInt8(truncatingIfNeeded: digits.reduce(0) { $0 * 8 + Int($1 - 0x30) }))
        }
    }
    return result
}
