import JailSpec
import LinuxFacts
import SpecFile

/// hosts(5): a name of the jail's own has to lead somewhere, or `hostname -f` and whoever asks for his own address fail.
extension TreeBuilder {
    /// A private copy of the tree's file with a line for the jail's name, over that file. Where the tree has none it gets one,
    /// but not one that would stay in it.
    mutating func placeHosts() {
        guard let name = spec.hostname, let text = hostsText(adding: name.value) else { return }
        let isTaken = spec.filesystem.mounts.contains { mount in
            mount.target == "/etc" || mount.target == "/etc/hosts"
        }
        if isTaken { return }
        place(
            .file(content: text, mode: 0o644), on: "/etc/hosts", .readOnly | .closed, isDirectory: false,
            at: name.position)
    }

    /// The content; nil where the file can stay as it is, or is not to be made.
    private func hostsText(adding name: String) -> String? {
        var text = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
        switch (spec.filesystem.root.value, host.hosts) {
        case (.empty, _): break
        case (.directory, .absent?) where spec.filesystem.writable.value,
            (.host, .absent?) where spec.filesystem.writable.value:
            return nil
        case (_, .absent?), (_, .text("")?): break
        case (_, .text(let found)?):
            if HostsText.names(name, in: found) { return nil }
            text = found
            if let last = found.utf8.last, last != UInt8(ascii: "\n") { text += "\n" }
        case (_, nil): return nil
        }
        // As hosts(5) of Debian has it: an address of the loopback device by itself, the full name first.
        text += "127.0.1.1\t" + name
        if let dot = name.utf8.firstIndex(of: UInt8(ascii: ".")) { text += " " + String(name[..<dot]) }
        return text + "\n"
    }
}

/// The lines of hosts(5).
enum HostsText {
    /// Whether a line gives an address to that name, which has no case.
    static func names(_ name: String, in text: String) -> Bool {
        let wanted = name.utf8.map(lowercase)
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            let words = line.prefix { $0 != UInt8(ascii: "#") }.split {
                $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r")
            }
            if words.dropFirst().contains(where: { $0.map(lowercase) == wanted }) { return true }
        }
        return false
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }
}
