import JailScore
import JailSpec
import SpecFile
import TestSupport
import Testing

/// The law of the score, tried on random specs: no line that opens something, or does nothing, lowers it. A failure names
/// its seed.
@Suite struct MonotoneTests {
    /// What opens something on top of whatever else, besides the samples.
    private static let openings =
        samples.filter { $0.effect == .opens }.map(\.text) + [
            "identity.groups = [\"disk\"]", "identity.groups = [6]", "identity.group = \"shadow\"",
            "identity.user = \"immure-test\"", "filesystem.rw = [\"/:/host\"]", "filesystem.ro = [\"/proc/1/root:/r\"]",
            "filesystem.ro = [\"/usr\", \"/etc\"]", "filesystem.ro = [\"/proc\"]", "filesystem.rw = [\"/run\"]",
            "capabilities.keep = [\"sys_admin\"]", "environment.keep = [\"*\"]", "seccomp.allow = [\"@known\"]",
        ]

    /// What opens something where rules of Landlock, or lists of its ports, are there already.
    private static let rules = ["ro", "rx", "rw", "rwx"].flatMap { grant in
        ["/", "/etc", "/run", "/home/ada", "/opt"].map { "landlock.\(grant) = [\"\($0)\"]" }
    }

    /// What opens nothing and narrows nothing, whatever else stands there.
    private static let idle = [
        "landlock.rwx = [\"/\"]", "limits.memory = \"8000G\"", "limits.pids = 4000000", "limits.cpu = \"100000%\"",
        "filesystem.hide = [\"/nonexistent\"]", "identity.user = \"nobody\"", "cwd = \"/src\"", "rlimits.nofile = 9",
    ]

    @Test func noOpeningLowersTheScore() throws {
        let openings = try (Self.openings + Self.rules + Self.idle).map { (text: $0, table: try table($0)) }
        let lines = try (samples.map(\.text) + Self.openings + Self.rules).map { try table($0) }
        var tried = 0
        for seed in 1...400 as ClosedRange<UInt64> {
            var random = Seeded(seed)
            var base = Table()
            for _ in 0..<Int.random(in: 0...14, using: &random) {
                let line = lines[Int.random(in: lines.indices, using: &random)]
                guard !Self.replaces(base, line), let more = try? base.merging(line, .appending), decoded(more) != nil
                else { continue }
                base = more
            }
            guard let spec = decoded(base) else { continue }
            let before = Score(of: spec)
            for (text, line) in openings where !Self.replaces(base, line) && Self.opens(text, in: spec) {
                guard let more = try? base.merging(line, .appending), let after = decoded(more) else { continue }
                tried += 1
                let score = Score(of: after).exact
                #expect(
                    score >= before.exact - 1e-9,
                    "seed \(seed): \(text) lowers \(before.exact) to \(score): \(before.listing(of: "before"))")
            }
        }
        #expect(tried > 20000, "\(tried)")
    }

    /// Whether a line opens anything there: the first rule of Landlock closes, and a map of ids stands for other ids than
    /// those of the host that `user`, `group` and `groups` name without it.
    private static func opens(_ text: String, in spec: Spec) -> Bool {
        if idle.contains(text) { return true }
        if text.hasPrefix("landlock.scope") { return false }
        if text.hasPrefix("landlock.") { return spec.landlock?.value.files != nil }
        if text.hasPrefix("identity.uid_map") { return spec.identity.user == nil }
        if text.hasPrefix("identity.gid_map") { return spec.identity.group == nil && spec.identity.groups == nil }
        return true
    }

    private func decoded(_ table: Table) -> Spec? {
        let decoded = decode(table)
        return decoded.diagnostics.isEmpty ? decoded.spec : nil
    }

    /// Whether a key that is no table or array stands in both: the second would answer the first.
    private static func replaces(_ a: Table, _ b: Table) -> Bool {
        b.entries.contains { entry in
            guard let other = a[entry.key] else { return false }
            switch (entry.node.value, other.node.value) {
            case (.table(let new), .table(let old)): return replaces(old, new)
            case (.array, .array): return false
            default: return true
            }
        }
    }
}
