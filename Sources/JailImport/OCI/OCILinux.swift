import JailSpec
import SpecFile

extension OCIImport {
    mutating func linux(_ node: Node) {
        var masked: (Node, Directive)?
        for (key, value, directive) in entries(node, "linux") {
            switch key {
            case "namespaces":
                draft.isPart(directive)
                for element in value.elements { namespace(element) }
            case "uidMappings": map(value, "uid_map", directive)
            case "gidMappings": map(value, "gid_map", directive)
            case "devices":
                draft.isPart(directive)
                for element in value.elements { device(element) }
            case "cgroupsPath": draft.isOutside("immure makes a group of its own", directive)
            case "resources":
                draft.isPart(directive)
                resources(value)
            case "seccomp":
                draft.isPart(directive)
                otherFilter = true
                seccomp(value)
            case "maskedPaths": masked = (value, directive)
            case "readonlyPaths":
                draft.isPart(directive)
                for element in value.elements { readOnly(element) }
            case "rootfsPropagation":
                if ["private", "rprivate", ""].contains(value.text ?? "") {
                    draft.isInForce(.nothing, directive)
                } else {
                    draft.lose("mounts that come later", directive)
                }
            case "timeOffsets":
                draft.isPart(directive)
                offsets(value)
            case "personality":
                if value["domain"]?.text == "LINUX" {
                    draft.isInForce(.nothing, directive)
                } else {
                    draft.lose("a personality", directive)
                }
            case "sysctl": settings(value, directive)
            case "netDevices": draft.lose("interfaces that are moved into the jail", directive)
            case "mountLabel": draft.lose("labels of SELinux", restricts: value.text != "", directive)
            case "intelRdt": draft.lose("shares of caches", restricts: true, directive)
            case "memoryPolicy": draft.lose("a policy of NUMA nodes", directive)
            default: break
            }
        }
        if let (value, directive) = masked { hidden(value, directive) }
    }

    private mutating func readOnly(_ element: Node) {
        guard let path = element.text else { return }
        let one = Directive("linux.readonlyPaths \(path)", at: element.position)
        draft.take(one)
        readOnlyPaths.append((cleaned(literal(path.hasPrefix("/") ? path : "/" + path)), one))
    }

    private mutating func settings(_ value: Node, _ directive: Directive) {
        if value.isEmptyObject { return draft.isInForce(.nothing, directive) }
        draft.isPart(directive)
        for (name, node, one) in entries(value, "linux.sysctl") { draft.loseSetting(name, node.text ?? "", one) }
    }

    private mutating func namespace(_ node: Node) {
        guard let type = node["type"]?.text else { return draft.fail("a namespace without a type", at: node.position) }
        let names = ["network": "net"]
        let kind = names[type] ?? type
        let directive = Directive("linux.namespaces \(type)", at: node.position)
        guard ["pid", "net", "mount", "ipc", "uts", "user", "cgroup", "time"].contains(kind) else {
            return draft.fail("unknown namespace \(type)", directive)
        }
        listed.insert(kind)
        if let path = node["path"]?.text, !path.isEmpty {
            draft.set("namespaces.\(kind)", .string(path), directive)
        } else if kind == "time" {
            draft.set("namespaces.time", .string("new"), directive)
        } else {
            draft.isInForce(.own(foreign: kind), directive)
        }
    }

    mutating func writeNamespaces() {
        if !listed.contains("cgroup"), listed.contains("user"), let mount = mounts.cgroup {
            listed.insert("cgroup")
            draft.warn("with a namespace of its own: none other can be shown by who is not the host's root", mount)
        }
        for kind in ["user", "pid", "ipc", "uts", "cgroup"] where !listed.contains(kind) {
            draft.set(
                "namespaces.\(kind)", .string("host"), Draft.standard("oci", "the \(kind) namespace is not listed"))
        }
        if !listed.contains("net") {
            draft.set("network.mode", .string("host"), Draft.standard("oci", "the network namespace is not listed"))
            draft.set("landlock.scope", .array([]), Draft.standard("oci", "abstract sockets can be reached"))
        }
        if !listed.contains("mount") {
            draft.warn("the jail has one all the same", Draft.standard("oci", "the mount namespace is not listed"))
        }
    }

    private mutating func map(_ node: Node, _ key: String, _ directive: Directive) {
        var ranges: [Node] = []
        for element in node.elements {
            let place = element.position
            let pairs = [("inside", "containerID"), ("outside", "hostID"), ("count", "size")].map { name, foreign in
                Table.Entry(
                    key: name, keyPosition: place,
                    node: Node(.integer(element[foreign]?.integer ?? 0), at: directive.position))
            }
            ranges.append(Node(.table(Table(pairs)), at: directive.position))
        }
        if ranges.isEmpty { return draft.isInForce(.nothing, directive) }
        draft.set("identity.\(key)", .array(ranges), directive)
    }

    private mutating func device(_ node: Node) {
        let path = cleaned(node["path"]?.text ?? "")
        let directive = Directive("linux.devices \(path)", at: node.position)
        guard Self.isBelowDevices(path) else { return draft.fail("\(quoted(path)) is not below /dev", directive) }
        let minimal = ["null", "zero", "full", "random", "urandom", "tty", "ptmx", "console"].map { "/dev/" + $0 }
        if minimal.contains(path) { return draft.isInForce(.nothing, directive) }
        guard let kind = ["c": "c", "u": "c", "b": "b"][node["type"]?.text ?? ""] else {
            return draft.lose("a node that is no device", directive)
        }
        guard let major = node["major"]?.integer, let minor = node["minor"]?.integer else {
            return draft.fail("major or minor: missing", directive)
        }
        draft.warn("the host's is bound where it is there, none is made", directive)
        showsRDMA = showsRDMA || path.contains("/infiniband")
        mounts.add(
            literal(path),
            [
                ("source", .string(literal(path))), ("device", .string("\(kind) \(major):\(minor)")),
                ("options", .strings(["dev"])), ("optional", .boolean(true)),
            ],
            directive,
            &draft)
    }

    /// Whether a path leads to something below /dev, by its text.
    static func isBelowDevices(_ path: String) -> Bool {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"))
        return path.utf8.starts(with: "/dev/".utf8) && parts.count > 1
            && !parts.contains { $0.elementsEqual("..".utf8) }
    }

    private mutating func offsets(_ node: Node) {
        for (key, value, directive) in entries(node, "linux.timeOffsets") {
            let (whole, overflow) = (value["secs"]?.integer ?? 0).multipliedReportingOverflow(by: 1000)
            let sum = whole.addingReportingOverflow((value["nanosecs"]?.integer ?? 0) / 1_000_000)
            guard !overflow, !sum.overflow else {
                draft.fail("longer than time goes", directive)
                continue
            }
            let milliseconds = sum.partialValue
            draft.set("namespaces.time.\(key)", .string("\(milliseconds)ms"), directive)
        }
    }
}

extension Node {
    fileprivate var isEmptyObject: Bool { if case .table(let table) = value { table.entries.isEmpty } else { false } }
}
