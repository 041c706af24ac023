import JailSpec
import SpecFile

/// The config.json of a bundle, OCI's runtime specification, as a spec that stands in the bundle.
package struct OCIImport {
    var draft = Draft()
    var mounts = MountList()
    /// The namespaces that are listed, all others being the host's.
    var listed: Set<String> = []
    var otherFilter = false
    /// What is to be read-only within what may be writable: told when all mounts are known.
    var readOnlyPaths: [(path: String, directive: Directive)] = []
    /// Where the root is, as this process reaches it.
    private(set) var rootPath = ""
    /// Whether something is mounted on /dev.
    var hasDevices = false
    /// A limit of RDMA, and whether anything that is mounted may hold its devices.
    var rdma: Directive?
    var showsRDMA = false
    /// The capabilities that the program may have, which rules of a filter can depend on.
    var held: CapabilitySet = []
    let context: ImportContext
    /// No honest file comes near it, and it bounds the time that comparing them with each other takes.
    private static let elementLimit = 4096
    /// The bundle, as the file was named: empty, or with a slash at its end.
    private(set) var bundle = ""

    init(_ context: ImportContext) { self.context = context }

    package static func draft(of sources: [ImportSource], _ words: [String], _ context: ImportContext) -> Draft {
        var imported = OCIImport(context)
        for source in sources {
            do throws(Diagnostic) {
                let root = try parseJSON(source.text, file: source.name)
                imported.take(root, from: source.name)
            } catch {
                imported.draft.fail(error)
            }
        }
        imported.finish(words)
        return imported.draft
    }

    private mutating func finish(_ words: [String]) {
        guard draft.faults.isEmpty else { return }
        if !words.isEmpty { draft.set("command", .strings(words), Draft.standard("oci", "the command after --")) }
        writeMounts()
        writeRDMA()
        writeNamespaces()
        if !otherFilter {
            draft.warn(
                "immure's own filter of system calls stays; seccomp.profile = \"none\" is as without it",
                Draft.standard("oci", "no linux.seccomp"))
        }
        draft.finish()
    }

    /// The entries of an object, each taken note of, by its path.
    mutating func entries(_ node: Node, _ path: String) -> [(key: String, node: Node, directive: Directive)] {
        guard case .table(let table) = node.value else {
            draft.fail("\(path.isEmpty ? "the file" : path): must be an object", at: node.position)
            return []
        }
        return table.entries.map { entry in
            let full = path.isEmpty ? entry.key : "\(path).\(entry.key)"
            let directive = Directive("\(full)\(Self.shown(entry.node))", at: entry.keyPosition)
            draft.take(directive)
            return (entry.key, entry.node, directive)
        }
    }

    private static func shown(_ node: Node) -> String {
        switch node.value {
        case .string(let text): ": \(quoted(text))"
        case .integer(let number): ": \(number)"
        case .unsigned(let number): ": \(number)"
        case .boolean(let truth): ": \(truth)"
        default: ""
        }
    }

    private mutating func take(_ root: Node, from name: String) {
        bundle = name.lastIndex(of: "/").map { String(name[...$0]) } ?? ""
        guard root.elementCount <= Self.elementLimit else {
            return draft.fail("lists more than \(Self.elementLimit) things in all", at: root.position)
        }
        OCIShape.file.check(root, "", into: &draft)
        guard draft.faults.isEmpty else { return }
        for element in root["process"]?["capabilities"]?["bounding"]?.elements ?? [] {
            if let one = element.text.flatMap({ Capability.named(foreign: $0) }) { held = held | CapabilitySet(one) }
        }
        top(root)
    }

    /// A path of the host as a spec writes it. One that is relative is in the bundle, and stays there: whoever has looked at the
    /// file must know where it leads.
    mutating func place(_ path: String, _ directive: Directive) -> String {
        if path.hasPrefix("/") { return cleaned(literal(path)) }
        guard path.utf8.count < 4096 else {
            draft.fail("\(quoted(path)) is longer than the 4095 bytes of a path", directive)
            return "./"
        }
        let hint = "write the path from / on, if it is meant"
        var depth = 0
        var walked = bundle
        for part in path.split(separator: "/") where part != "." {
            depth += part == ".." ? -1 : 1
            walked += (walked.isEmpty || walked.hasSuffix("/") ? "" : "/") + part
            if depth < 0 {
                draft.fail("\(quoted(path)) leads out of the bundle", directive, hint: hint)
                break
            }
            if context.isLink(walked) {
                draft.fail(
                    "\(quoted(path)): \(walked) is a symbolic link, and may lead out of the bundle", directive,
                    hint: hint)
                break
            }
        }
        return "./" + literal(path)
    }

    private mutating func top(_ root: Node) {
        for (key, node, directive) in entries(root, "") {
            switch key {
            case "ociVersion", "annotations", "platform": draft.isOutside("", directive)
            case "windows", "solaris", "vm", "zos", "freebsd": draft.isOutside("for another system", directive)
            case "process":
                draft.isPart(directive)
                process(node)
            case "root":
                draft.isPart(directive)
                self.root(node)
            case "hostname": if let text = node.text { draft.set("hostname", .string(text), directive) }
            case "domainname": draft.lose("an NIS domain name", directive)
            case "mounts":
                draft.isPart(directive)
                for element in node.elements { mount(element) }
            case "hooks":
                draft.isPart(directive)
                hooks(node)
            case "linux":
                draft.isPart(directive)
                linux(node)
            default: break
            }
        }
    }

    /// Programs of the host that are run at stages of the launch: none is.
    private mutating func hooks(_ node: Node) {
        for (key, list, directive) in entries(node, "hooks") {
            let programs = list.elements.compactMap { $0["path"]?.text }
            guard !programs.isEmpty, OCIShape.hooks.contains(key) else {
                draft.isInForce(.nothing, directive)
                continue
            }
            draft.lose("hooks are not run: \(programs.joined(separator: ", "))", restricts: true, directive)
        }
    }

    private mutating func root(_ node: Node) {
        var path = ""
        var readOnly: Directive?
        var from = Draft.standard("oci", "the root of the bundle")
        for (key, value, directive) in entries(node, "root") {
            switch key {
            case "path":
                path = value.text ?? path
                from = directive
            case "readonly":
                draft.isPart(directive)
                if value.isTrue { readOnly = directive }
            default: break
            }
        }
        guard !path.isEmpty else { return draft.fail("root.path: empty", from) }
        let written = place(path, from)
        draft.set("filesystem.root", .string(written == "/" ? "host" : written), from)
        rootPath = path.hasPrefix("/") ? path : bundle + path
        if !path.hasPrefix("/"), !context.isInPlace {
            draft.warn("from the directory of the spec, which belongs into the bundle", from)
        }
        if let readOnly { return draft.isInForce(.readOnly("/"), readOnly) }
        if Available.writable("/x") {
            draft.set("filesystem.writable", .boolean(true), from)
        } else {
            draft.lose("a root that can be written to", from)
        }
    }
}

extension Node {
    /// How many elements all arrays in it have together.
    fileprivate var elementCount: Int {
        switch value {
        case .array(let list): list.reduce(list.count) { $0 + $1.elementCount }
        case .table(let table): table.entries.reduce(0) { $0 + $1.node.elementCount }
        case .string, .integer, .unsigned, .float, .boolean, .date: 0
        }
    }

    var text: String? { if case .string(let text) = value { text } else { nil } }
    var isTrue: Bool { value == .boolean(true) }
    var elements: [Node] { if case .array(let list) = value { list } else { [] } }
    var integer: Int64? { if case .integer(let number) = value { number } else { nil } }
    subscript(key: String) -> Node? { if case .table(let table) = value { table[key]?.node } else { nil } }
}
