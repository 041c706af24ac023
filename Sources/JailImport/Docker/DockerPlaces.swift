import JailSpec
import SpecFile

/// What an engine makes in the image when it starts a container, and an image need not have: the directory that the program
/// starts in, and the places of mounts.
extension Draft {
    /// Makes the command's directory where the tree that lies at `root` has none, and no mount brings one.
    mutating func makeWorkingDirectory(in root: String, below mounts: [String], _ context: ImportContext) {
        guard let path = value("cwd")?.text.map(cleaned), path.hasPrefix("/"), path != "/", !path.contains("$"),
            !(mounts + Self.ownPlaces).contains(where: { isWithin(path, $0) }), context.exists(root),
            !context.exists(root + path), let directive = value("cwd").flatMap({ origins[$0.position] })
        else { return }
        add("mount", [("target", .string(path)), ("type", .string("dir"))], directive)
    }

    /// What is mounted in a tree without a line.
    fileprivate static let ownPlaces = ["/dev", "/proc", "/tmp"]
}

extension DockerImport {
    /// Where the spec is written, the image's tree lies here; nil where that is not known.
    private var tree: String? {
        if let rest = root.after("${PWD}") { return context.currentDirectory.map { $0 + rest } }
        return root.contains("$") ? nil : root
    }

    mutating func writePlaces() {
        guard let tree, context.exists(tree) else { return }
        let targets = mounts.entries.map(\.target)
        draft.makeWorkingDirectory(in: tree, below: targets, context)
        keepReadOnly(tree, targets)
    }

    /// Leaves out that the root can be written to, where root's jail could make no place for a mount in it: the overlay
    /// belongs to who the image belongs to, and the tree is built as the command's user. In a read-only root it can.
    private mutating func keepReadOnly(_ tree: String, _ targets: [String]) {
        guard context.isRoot, draft.value("identity.user")?.integer != 0,
            let changes = draft.value("filesystem.changes"),
            let directive = draft.origins[changes.position]
        else { return }
        var wanted = targets + Draft.ownPlaces
        if let list = draft.value("mount")?.elements {
            wanted += list.filter { $0["type"]?.text == "dir" }.compactMap { $0["target"]?.text }
        }
        let missing = wanted.filter { target in
            !target.contains("$") && !targets.contains { $0 != target && isWithin(target, $0) }
                && !context.exists(tree + target)
        }
        guard !missing.isEmpty else { return }
        draft.remove("filesystem.changes")
        draft.warn(
            "the root is read-only: the image has no \(missing.joined(separator: ", no ")), which root's jail cannot make in "
                + "a root that can be written to, as it is built as the command's user. Make it, and import once more: "
                + making(missing, in: tree), directive)
    }

    /// The shell's words that make the places in the image: files for what is a file on the host.
    private func making(_ targets: [String], in tree: String) -> String {
        let files = targets.filter(isFile)
        var directories = targets.filter { !files.contains($0) }
        for file in files {
            guard let slash = file.lastIndex(of: "/"), slash != file.startIndex else { continue }
            let parent = String(file[..<slash])
            if !context.exists(tree + parent), !directories.contains(parent) { directories.append(parent) }
        }
        func words(_ command: String, _ paths: [String]) -> [String] {
            paths.isEmpty ? [] : [command + paths.map { " " + shellWord(tree + $0) }.joined()]
        }
        return (words("mkdir -p", directories) + words("touch", files)).joined(separator: " && ")
    }

    /// Whether what is shown at a place is a file.
    private func isFile(_ target: String) -> Bool {
        guard let mount = mounts.entries.first(where: { $0.target == target }) else { return false }
        if mount.pairs.contains(where: { $0.0 == "content" || $0.0 == "device" }) { return true }
        guard case .string(let source)? = mount.pairs.first(where: { $0.0 == "source" })?.1 else { return false }
        let path = source.after("${PWD}").map { (context.currentDirectory ?? "") + $0 } ?? source
        return context.exists(path) && !context.isDirectory(path)
    }
}
