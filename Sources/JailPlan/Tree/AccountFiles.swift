import JailSpec
import LinuxFacts
import SpecFile

/// passwd(5) and group(5) of a tree that has no line for whom the command is: `getpwuid` of ssh, git, Java and Python.
extension TreeBuilder {
    /// Private copies with a line more, over the tree's own; not in a tree that knows of no users at all. A group(5) that is
    /// missing is made, but not one that would stay in the tree.
    mutating func placeAccounts() {
        guard let files = host.accountFiles, spec.filesystem.root.value != .empty, !files.passwd.isEmpty else { return }
        let home = premises.home(of: nil).path
        let line = "\(files.name):x:\(identity.user):\(identity.group)::\(home):/bin/sh\n"
        placeAccountFile("/etc/passwd", files.passwd, line)
        if !names(identity.group, files.group) {
            placeAccountFile("/etc/group", files.group, "\(files.name):x:\(identity.group):\n")
        }
    }

    private mutating func placeAccountFile(_ target: String, _ found: String, _ line: String) {
        if spec.filesystem.mounts.contains(where: { isWithin(target, $0.target) }) { return }
        if found.isEmpty, !rootIsPrivate, spec.filesystem.writable.value { return }
        let end = found.utf8.last.map { $0 == UInt8(ascii: "\n") ? "" : "\n" } ?? ""
        place(
            .file(content: found + end + line, mode: 0o644), on: target, .readOnly | .closed, isDirectory: false,
            at: nil)
    }

    /// Whether a line of group(5) is of that id.
    private func names(_ group: UInt32, _ text: String) -> Bool {
        text.utf8.split(separator: UInt8(ascii: "\n")).contains { line in
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            return fields.count > 2 && fields[2].elementsEqual("\(group)".utf8)
        }
    }
}
