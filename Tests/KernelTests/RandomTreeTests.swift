import Kernel
import TestSupport
import Testing

/// Both resolvers on trees and paths that nobody thought of.
@Suite struct RandomTreeTests {
    @Test func resolversAgree() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = Seeded(seed)
        for _ in 0..<20 {
            let scratch = try Scratch()
            let (directories, files) = try grow(in: scratch, with: &random)
            let root = try scratch.opened()
            for _ in 0..<40 {
                let path = path(from: directories + files, with: &random)
                let (kernel, own) = (try resolve(path, below: root.number), try walk(path, below: root.number))
                #expect(kernel == own, "seed \(seed): \(path) in \(directories) \(files)")
            }
        }
    }

    private static let names = ["a", "b", "c", "d"]

    /// Directories and links of random names; a link points at anything, there or not.
    private func grow(in scratch: Scratch, with random: inout Seeded) throws -> ([String], [String]) {
        var directories = [""]
        var others: [String] = []
        for _ in 0..<14 {
            let parent = directories.randomElement(using: &random) ?? ""
            let name = parent + "/" + (Self.names.randomElement(using: &random) ?? "a")
            guard !directories.contains(name), !others.contains(name) else { continue }
            if Int.random(in: 0..<5, using: &random) < 2 {
                try scratch.directory(name)
                directories.append(name)
            } else {
                try scratch.link(name, to: path(from: directories + others, with: &random))
                others.append(name)
            }
        }
        return (directories, others)
    }

    /// Known names, unknown ones and `..`, absolute or not; never empty.
    private func path(from known: [String], with random: inout Seeded) -> String {
        var parts: [String] = []
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            switch Int.random(in: 0..<6, using: &random) {
            case 0: parts.append("..")
            case 1: parts.append(".")
            case 2, 3: parts.append(Self.names.randomElement(using: &random) ?? "a")
            default: parts += components(known.randomElement(using: &random) ?? "")
            }
        }
        if parts.isEmpty { parts = ["."] }
        return (Bool.random(using: &random) ? "/" : "") + parts.joined(separator: "/")
    }
}
