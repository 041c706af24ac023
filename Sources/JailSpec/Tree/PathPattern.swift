/// A path of which parts are patterns, glob(7), taken apart at its slashes.
package struct PathPattern: Equatable, Sendable {
    /// One part of the path.
    package enum Part: Equatable, Sendable {
        case name(String)
        /// `*`, `?`, `[…]`.
        case pattern([Piece])
        /// `**`: any number of directories.
        case anywhere
    }

    package enum Piece: Equatable, Sendable {
        case byte(UInt8)
        case any
        case run
        /// Of bytes, or of all others.
        case set([ClosedRange<UInt8>], isNegated: Bool)
    }

    package let parts: [Part]

    /// Whether a text is meant as a pattern.
    static func isWritten(_ text: String) -> Bool {
        text.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "[") }
    }

    package init(_ path: String) {
        parts = path.utf8.split(separator: UInt8(ascii: "/")).map { Self.part(Array($0)) }
    }

    private static func part(_ text: [UInt8]) -> Part {
        if text == Array("**".utf8) { return .anywhere }
        var pieces: [Piece] = []
        var index = 0
        while index < text.count {
            let byte = text[index]
            index += 1
            switch byte {
            case UInt8(ascii: "*"): if pieces.last != .run { pieces.append(.run) }
            case UInt8(ascii: "?"): pieces.append(.any)
            case UInt8(ascii: "\\") where index < text.count:
                pieces.append(.byte(text[index]))
                index += 1
            case UInt8(ascii: "["):
                if let (set, next) = set(text, from: index) {
                    pieces.append(set)
                    index = next
                } else {
                    pieces.append(.byte(byte))
                }
            default: pieces.append(.byte(byte))
            }
        }
        var name: [UInt8] = []
        for piece in pieces {
            guard case .byte(let byte) = piece else { return .pattern(pieces) }
            name.append(byte)
        }
        return .name(String(decoding: name, as: UTF8.self))
    }

    /// What follows a `[`, and where it ends; nil where no `]` ends it: then it is a character like any other.
    private static func set(_ text: [UInt8], from start: Int) -> (Piece, Int)? {
        var index = start
        var ranges: [ClosedRange<UInt8>] = []
        let isNegated = index < text.count && (text[index] == UInt8(ascii: "!") || text[index] == UInt8(ascii: "^"))
        if isNegated { index += 1 }
        let first = index
        while index < text.count {
            if text[index] == UInt8(ascii: "]"), index > first {
                return (.set(ranges, isNegated: isNegated), index + 1)
            }
            if text[index] == UInt8(ascii: "\\"), index + 1 < text.count { index += 1 }
            let low = text[index]
            var high = low
            if index + 2 < text.count, text[index + 1] == UInt8(ascii: "-"), text[index + 2] != UInt8(ascii: "]") {
                index += 2
                if text[index] == UInt8(ascii: "\\"), index + 1 < text.count { index += 1 }
                high = text[index]
            }
            if low <= high { ranges.append(low...high) }
            index += 1
        }
        return nil
    }
}

extension PathPattern {
    /// Whether a name matches the pieces of a part: a dot at its beginning only by a dot that is written.
    package static func matches(_ name: String, _ pieces: [Piece]) -> Bool {
        let bytes = Array(name.utf8)
        if bytes.first == UInt8(ascii: "."), pieces.first != .byte(UInt8(ascii: ".")) { return false }
        // The last `*` met, and the byte from which it is tried again: never further back, so that the time is bounded.
        var (place, piece) = (0, 0)
        var again: (place: Int, piece: Int)?
        while place < bytes.count {
            if piece < pieces.count, pieces[piece] == .run {
                again = (place, piece)
                piece += 1
            } else if piece < pieces.count, accepts(pieces[piece], bytes[place]) {
                place += 1
                piece += 1
            } else if let last = again {
                again = (last.place + 1, last.piece)
                (place, piece) = (last.place + 1, last.piece + 1)
            } else {
                return false
            }
        }
        while piece < pieces.count, pieces[piece] == .run { piece += 1 }
        return piece == pieces.count
    }

    private static func accepts(_ piece: Piece, _ byte: UInt8) -> Bool {
        switch piece {
        case .byte(let wanted): wanted == byte
        case .any: true
        case .run: false
        case .set(let ranges, let isNegated): ranges.contains { $0.contains(byte) } != isNegated
        }
    }

    /// The path up to the first part that is a pattern.
    package static func beginning(of path: String) -> String {
        var result = ""
        for part in PathPattern(path).parts {
            guard case .name(let name) = part else { break }
            result += "/" + name
        }
        return result.isEmpty ? "/" : result
    }
}

extension PathPattern {
    /// Whether it begins with a name that every /proc has, and that belongs to no process: what such a name tells of is the host.
    package var isOfEveryProc: Bool {
        guard parts.count > 1, parts[0] == .name("proc"), case .name(let name) = parts[1] else { return false }
        if ["self", "thread-self", "mounts", "net"].contains(name) { return false }
        return !name.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    }
}

extension PathPattern {
    /// Whether a name may match both of two parts of a path.
    package static func mayMeet(_ one: String, _ other: String) -> Bool {
        guard case .pattern(let ours) = part(Array(one.utf8)), case .pattern(let theirs) = part(Array(other.utf8))
        else {
            return true
        }
        // A dot at the beginning is met only by a dot that is written.
        let dot = Piece.byte(UInt8(ascii: "."))
        if (ours.first == dot) != (theirs.first == dot) { return false }
        // Which places of the second can be reached together with one of the first.
        var reached = Set([0])
        for index in 0...ours.count {
            let piece = index < ours.count ? ours[index] : nil
            var (next, waiting) = (Set<Int>(), Array(reached))
            while let place = waiting.popLast() {
                let their = place < theirs.count ? theirs[place] : nil
                if piece == .run { next.insert(place) }
                if their == .run, reached.insert(place + 1).inserted { waiting.append(place + 1) }
                if piece == .run, their != nil, reached.insert(place + 1).inserted { waiting.append(place + 1) }
                guard let piece, piece != .run, let their else { continue }
                if their == .run { next.insert(place) } else if meet(piece, their) { next.insert(place + 1) }
            }
            if piece == nil { return reached.contains(theirs.count) }
            reached = next
        }
        return false
    }

    private static func meet(_ one: Piece, _ other: Piece) -> Bool {
        (UInt8.min...UInt8.max).contains { accepts(one, $0) && accepts(other, $0) }
    }
}
