/// The flags of mount(2) as minijail0's `mount` has them: names and numbers, joined by `|`.
enum MinijailFlags {
    private static let named: [(name: String, bit: UInt64)] = [
        ("MS_RDONLY", 1), ("MS_NOSUID", 2), ("MS_NODEV", 4), ("MS_NOEXEC", 8), ("MS_SYNCHRONOUS", 16),
        ("MS_REMOUNT", 32), ("MS_MANDLOCK", 64), ("MS_DIRSYNC", 128), ("MS_NOSYMFOLLOW", 256), ("MS_NOATIME", 1024),
        ("MS_NODIRATIME", 2048), ("MS_BIND", 4096), ("MS_MOVE", 8192), ("MS_REC", 16384), ("MS_SILENT", 32768),
        ("MS_POSIXACL", 1 << 16), ("MS_UNBINDABLE", 1 << 17), ("MS_PRIVATE", 1 << 18), ("MS_SLAVE", 1 << 19),
        ("MS_SHARED", 1 << 20), ("MS_RELATIME", 1 << 21), ("MS_I_VERSION", 1 << 23), ("MS_STRICTATIME", 1 << 24),
        ("MS_LAZYTIME", 1 << 25),
    ]

    static let bind: UInt64 = 4096

    /// The bits of such flags; nil where one is not known.
    static func bits(_ text: String) -> UInt64? {
        var bits: UInt64 = 0
        let known = named.reduce(0) { $0 | $1.bit }
        for part in text.split(separator: "|") {
            let word = String(part).trimmed.uppercased()
            if let flag = named.first(where: { $0.name == word || $0.name == "MS_" + word }) {
                bits |= flag.bit
            } else if let number = word.after("0X").map({ UInt64($0, radix: 16) }) ?? UInt64(word),
                number & ~known == 0
            {
                bits |= number
            } else {
                return nil
            }
        }
        return bits
    }

    /// What restricts among them, as a spec's options have it.
    static func options(_ bits: UInt64) -> [String] {
        [("noexec", UInt64(8)), ("ro", 1)].filter { bits & $0.1 != 0 }.map(\.0)
    }
}
