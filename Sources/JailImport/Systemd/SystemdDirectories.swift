import JailSpec
import SpecFile

extension SystemdImport {
    /// The directories that systemd makes for the service, which the host's tree has by the same names.
    mutating func writeDirectories() {
        var made: [String] = []
        for (kind, parent) in [
            ("Runtime", "/run"), ("State", "/var/lib"), ("Cache", "/var/cache"), ("Logs", "/var/log"),
            ("Configuration", "/etc"),
        ] {
            let mode = last("\(kind)DirectoryMode")
            var bits: UInt32?
            if let mode {
                draft.isInForce(.nothing, "of the directories that it is about", mode.directive)
                bits = isOctal(mode.value) ? UInt32(mode.value, radix: 8) : nil
                if bits == nil { draft.fail("\(quoted(mode.value)) is not a mode", mode.directive) }
            }
            let all = words("\(kind)Directory")
            if all.isEmpty { continue }
            kept.append(kind.uppercased() + "_DIRECTORY")
            for (word, directive) in all {
                let place = cleaned("\(parent)/\(specifiers.resolve(word.cut(":").0))")
                guard !made.contains(place) else { continue }
                made.append(place)
                var pairs: [(String, Node.Value)] = [
                    ("source", .string(place)), ("create", .boolean(true)),
                ]
                if let bits { pairs.append(("mode", .string(octal(bits & 0o777)))) }
                mount(place, pairs, directive)
            }
        }
    }
}
