import JailSpec
import SpecFile

/// The configuration of an image, as the image specification has it: what the image says of its program becomes lines, and all
/// else is the jail's own default.
package struct OCIImageImport {
    /// What the image says, without an end: `finish` is to come.
    private(set) var draft = Draft()
    /// The program that stands before whatever words a command is given by, and where the image says so.
    private(set) var entrypoint: (words: [String], directive: Directive)?
    private let layout: String
    private let context: ImportContext

    /// `layout` is an image layout with one image for one machine, `bundle` where umoci(1) has unpacked it, `words` a command in place
    /// of the image's.
    package static func draft(
        of layout: String, in bundle: String, _ words: [String], _ context: ImportContext
    ) -> Draft {
        var draft = read(layout, in: bundle, context).draft
        guard draft.faults.isEmpty else { return draft }
        draft.warn(
            "the root is read-only: filesystem.changes = \"discard\" lets it be written to, and throws that away",
            Draft.standard("oci", "what is written is not kept"))
        if !words.isEmpty { draft.set("command", .strings(words), Draft.standard("oci", "the command after --")) }
        draft.makeWorkingDirectory(in: bundle + "/rootfs", below: [], context)
        draft.finish()
        return draft
    }

    static func read(_ layout: String, in bundle: String, _ context: ImportContext) -> OCIImageImport {
        var imported = OCIImageImport(layout: layout, context: context)
        do throws(Diagnostic) {
            let index = try imported.read(layout + "/index.json")
            let manifest = try imported.blob(index["manifests"]?.elements.first, of: "index.json")
            try imported.top(try imported.blob(manifest["config"], of: "the manifest"), bundle)
        } catch {
            imported.draft.fail(error)
        }
        return imported
    }

    private init(layout: String, context: ImportContext) { (self.layout, self.context) = (layout, context) }

    private func read(_ path: String) throws(Diagnostic) -> Node {
        guard let text = context.read(path) else { throw Diagnostic("cannot read \(quoted(path))", at: nil) }
        return try parseJSON(text, file: path)
    }

    /// The blob that a descriptor names, descriptor.md: the digest is its name.
    private func blob(_ descriptor: Node?, of what: String) throws(Diagnostic) -> Node {
        let (kind, digits) = (descriptor?["digest"]?.text ?? "").cut(":")
        let isPlain = (digits ?? "").utf8.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
        }
        guard ["sha256", "sha512"].contains(kind), let digits, !digits.isEmpty, isPlain else {
            throw Diagnostic("\(layout): \(what) names no blob", at: descriptor?.position)
        }
        return try read("\(layout)/blobs/\(kind)/\(digits)")
    }

    private mutating func top(_ image: Node, _ bundle: String) throws(Diagnostic) {
        let root = bundle + "/rootfs"
        draft.set("filesystem.root", .string(literal(root)), Draft.standard("oci", "the image's file system"))
        guard let settings = image["config"] else { return }
        guard case .table(let table) = settings.value else {
            return draft.fail("config: must be an object", at: settings.position)
        }
        var command: [(words: [String], directive: Directive)] = []
        var hasUser = false
        for entry in table.entries {
            let (key, value) = (entry.key, entry.node)
            let directive = Directive("config.\(key)", at: entry.keyPosition)
            draft.take(directive)
            switch key {
            case "Env": variables(value, directive)
            case "Entrypoint":
                let words = texts(value, directive)
                if !words.isEmpty { entrypoint = (words, directive) }
                command.insert((words, directive), at: 0)
            case "Cmd": command.append((texts(value, directive), directive))
            case "WorkingDir":
                let path = text(value, directive)
                draft.set("cwd", .string(path.isEmpty ? "/" : literal(path)), directive)
            case "User":
                draft.isPart(directive)
                if !text(value, directive).isEmpty { hasUser = try user(bundle, directive) }
            case "StopSignal":
                let name = text(value, directive)
                if Available.takes("process.stop_signal", .string(name)) {
                    draft.set("process.stop_signal", .string(name), directive)
                } else {
                    draft.lose("the signal \(quoted(name))", directive)
                }
            case "Volumes":
                draft.lose("a place of its own that is kept, for each of them: filesystem.rw has one", directive)
            case "ExposedPorts": draft.isOutside("network.publish opens ports", directive)
            default: draft.isOutside("", directive)
            }
        }
        if !hasUser {
            draft.warn(
                "not root, as the image's program would be: whoever launches, or nobody where that is root; identity.user = 0 "
                    + "makes it root in the jail", Draft.standard("oci", "no other config.User"))
        }
        for (_, directive) in command { draft.isPart(directive) }
        guard let first = command.first(where: { !$0.words.isEmpty }) else { return }
        draft.set("command", .strings(command.flatMap(\.words)), first.directive)
    }

    private mutating func text(_ node: Node, _ directive: Directive) -> String {
        if let text = node.text { return text }
        draft.fail("\(directive.words): must be a string", at: node.position)
        return ""
    }

    private mutating func texts(_ node: Node, _ directive: Directive) -> [String] {
        let found = node.elements.compactMap(\.text)
        if case .array(let list) = node.value, found.count == list.count { return found }
        draft.fail("\(directive.words): must be an array of strings", at: node.position)
        return []
    }

    private mutating func variables(_ node: Node, _ directive: Directive) {
        draft.isPart(directive)
        _ = texts(node, directive)
        for element in node.elements {
            let (name, value) = (element.text ?? "").cut("=")
            draft.setLiteral(
                name, value ?? "", Directive("config.Env \(shown([element.text ?? ""]))", at: element.position))
        }
    }

    /// The ids that umoci(1) has found for the user: names are the image's own, and any of them may be another one for root. Whether
    /// it is somebody else: root is no more than what an image says where it says nothing.
    private mutating func user(_ bundle: String, _ directive: Directive) throws(Diagnostic) -> Bool {
        let found = try read(bundle + "/config.json")["process"]?["user"]
        guard let user = found?["uid"]?.integer, let group = found?["gid"]?.integer else {
            throw Diagnostic("\(bundle)/config.json: no user", at: nil)
        }
        guard user != 0 else { return false }
        draft.set("identity.user", .integer(user), directive)
        if group != 0 { draft.set("identity.group", .integer(group), directive) }
        return true
    }
}
