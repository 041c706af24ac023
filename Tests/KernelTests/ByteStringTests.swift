import Kernel
import LinuxFacts
import TestSupport
import Testing

/// Paths are bytes: what comes from the kernel goes back to it as it was.
@Suite struct ByteStringTests {
    @Test func anyBytesComeBackAsTheyWere() {
        var generator = Seeded(117)
        let pieces: [[UInt8]] = [
            [0x61], [0x2F], [0xC3, 0xA9], [0x65, 0xCC, 0x81], [0xFF], [0x80], [0xF4, 0x8F, 0xBF, 0xBF],
            [0xF4, 0x8F, 0xBE, 0x80],
            [0xF4, 0x8F], [0xED, 0xA0, 0x80], [0xC0, 0xAF], [0xF0, 0x9F, 0x98, 0x80], [0xE2, 0x82],
        ]
        for _ in 0..<5000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...12, using: &generator) {
                if Bool.random(using: &generator) {
                    bytes += pieces.randomElement(using: &generator) ?? []
                } else {
                    bytes.append(UInt8.random(in: 1...255, using: &generator))
                }
            }
            #expect(String(escaping: bytes).unescaped == bytes, "\(bytes)")
        }
    }

    @Test(
        arguments: [[0xFF], [0x61, 0xE9, 0x62], [0xF4, 0x8F, 0xBF, 0xBF], [0xC3, 0xA9], [0x65, 0xCC, 0x81]] as [[UInt8]]
    )
    func aFileIsTheOneOfThoseBytes(bytes: [UInt8]) throws {
        let scratch = try Scratch()
        let directory = try scratch.opened()
        let name = String(escaping: bytes)
        _ = try open(name, at: directory.number, .write | .create | .exclusive, permissions: 0o600)
        #expect(try entries(of: directory.number).map(\.unescaped) == [bytes])
        try makeSymlink("link", to: name, at: directory.number)
        #expect(try readLink("link", at: directory.number).unescaped == bytes)
        let opened = try open(name, at: directory.number, .read)
        #expect(try status(of: opened.number).isRegular)
    }
}
