import Kernel
import TestSupport
import Testing

@testable import JailRuntime

/// Paths as lists of names, against arrays of them.
@Suite struct EntryPathTests {
    private func path(_ names: [EntryName]) -> EntryPath { EntryPath(names) }

    @Test(arguments: 0..<40) func asAnArrayOfNames(seed: UInt64) {
        var random = Seeded(seed)
        let alphabet: [EntryName] = ["a", "b", "long name"]
        func names(_ count: Int) -> [EntryName] {
            (0..<count).map { _ in alphabet[Int.random(in: 0..<3, using: &random)] }
        }
        let one = names(Int.random(in: 0...200, using: &random))
        // Alike up to somewhere, and the same memory up to somewhere.
        let (alike, shared) = (
            Int.random(in: 0...one.count, using: &random), Int.random(in: 0...one.count, using: &random)
        )
        let more = names(Int.random(in: 0...200, using: &random))
        let other = Array(one.prefix(alike)) + more
        var built = path(one)
        while built.count > min(alike, shared) { built = built.parent }
        for name in other[built.count...] { built = built.appending(name) }

        #expect(built == path(other) && built.hashValue == path(other).hashValue)
        #expect((built == path(one)) == (other == one))
        #expect(built.names(from: 0) == other && built.count == other.count && built.last == other.last)
        #expect(built.common(with: path(one)) == zip(one, other).prefix { $0 == $1 }.count)
        #expect(built.starts(with: path(one)) == other.starts(with: one))
        #expect(built.bytes == Array(other.map(\.bytes).joined(separator: [UInt8(ascii: "/")])))
        #expect(built.length == built.bytes.count)
        for depth in 0..<other.count {
            #expect(built.names(from: depth) == Array(other[depth...]))
            #expect(built.some(from: depth).first == other[depth])
        }
    }

    @Test func whatIsTooLongIsShownWhereItBegins() {
        let deep = path(Array(repeating: "nine byte", count: 1_000))
        #expect(deep.shown.length == 4_089 && deep.shown.count == 409 && deep.starts(with: deep.shown))
        #expect(deep.text.hasSuffix("/... (591 directories deeper)"))
        #expect(deep.shown.shown == deep.shown && EntryPath.root.text == ".")
    }
}

/// Ways down and up whose directories are moved meanwhile.
@Suite struct DescentTests {
    @Test func itGoesUpToWhereItCameFromOrNowhere() throws {
        let scratch = try Scratch()
        var made = scratch.path
        for _ in 0..<100 {
            made += "/a"
            try makeDirectory(made, at: currentDirectory, permissions: 0o700)
        }
        let root = try scratch.opened()
        let way = Descent(root.number)
        for _ in 0..<100 { try way.enter("a") }
        try scratch.directory("else")
        let place = try openEntry("else", at: root.number, .read | .directory)
        let above = Descent(root.number)
        try above.go(to: EntryPath(Array(repeating: "a", count: 20)))
        try moveEntry("a", at: above.directory, to: "a", at: place.number)
        #expect(throws: KernelError.self) {
            for _ in 0..<100 { try way.leave() }
        }
        #expect(way.depth == 0 && way.directory == root.number)
        #expect(throws: KernelError.self) { try way.go(to: EntryPath(Array(repeating: "a", count: 21))) }
        #expect(way.depth == 20)
        try way.go(to: EntryPath(["else", "a", "a"]))
        #expect(way.depth == 3)
    }
}
