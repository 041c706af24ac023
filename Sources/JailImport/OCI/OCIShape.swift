import JailSpec
import SpecFile

/// What kind of value stands where in a config.json: whatever is of another kind would be passed over, and with it what it
/// restricts.
indirect enum OCIShape {
    case text, truth, whole
    /// What is refused or passed over as a whole.
    case anything
    case list(OCIShape)
    /// An object whose keys are names of the writer's.
    case map(OCIShape)
    /// An object with these keys, of which the required ones must be there.
    case object(required: [(String, OCIShape)], [(String, OCIShape)])

    static func object(_ keys: [(String, OCIShape)]) -> OCIShape { .object(required: [], keys) }

    private var words: String {
        switch self {
        case .text: "a string"
        case .truth: "true or false"
        case .whole: "a whole number"
        case .list: "an array"
        case .map, .object: "an object"
        case .anything: "anything"
        }
    }

    /// Tells what is wrong with a value, by its path from the top.
    func check(_ node: Node, _ path: String, into draft: inout Draft) {
        switch (self, node.value) {
        case (.anything, _), (.text, .string), (.truth, .boolean), (.whole, .integer), (.whole, .unsigned): return
        case (.list(let element), .array(let nodes)):
            for (index, node) in nodes.enumerated() { element.check(node, "\(path)[\(index)]", into: &draft) }
        case (.map(let element), .table(let table)):
            for entry in table.entries { element.check(entry.node, "\(path).\(entry.key)", into: &draft) }
        case (.object(let required, let others), .table(let table)):
            let known = required + others
            for entry in table.entries {
                let inner = path.isEmpty ? entry.key : "\(path).\(entry.key)"
                if let shape = known.first(where: { $0.0 == entry.key })?.1 {
                    shape.check(entry.node, inner, into: &draft)
                } else {
                    draft.fail(
                        "the runtime specification has no \(inner)", at: entry.keyPosition,
                        hint: nearest(entry.key, known.map(\.0)).map { "did you mean \($0)?" })
                }
            }
            for (key, _) in required where table[key] == nil {
                draft.fail("\(path.isEmpty ? key : "\(path).\(key)"): missing", at: node.position)
            }
        default: draft.fail("\(path.isEmpty ? "the file" : path): must be \(words)", at: node.position)
        }
    }
}

extension OCIShape {
    /// The whole file: config.md, config-linux.md of the runtime specification 1.3.
    static var file: OCIShape {
        .object(
            required: [("root", .object(required: [("path", .text)], [("readonly", .truth)]))],
            [
                ("ociVersion", .text), ("hostname", .text), ("domainname", .text), ("annotations", .map(.text)),
                ("mounts", .list(mount)), ("process", process), ("linux", linux),
                ("hooks", .object(hooks.map { ($0, .list(hook)) })), ("windows", .anything), ("solaris", .anything),
                ("vm", .anything), ("zos", .anything), ("freebsd", .anything), ("platform", .anything),
            ])
    }

    /// The stages of a launch at which programs of the host are run.
    static var hooks: [String] {
        ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
    }

    private static var hook: OCIShape {
        .object(required: [("path", .text)], [("args", .list(.text)), ("env", .list(.text)), ("timeout", .whole)])
    }

    private static var mount: OCIShape {
        .object(
            required: [("destination", .text)],
            [
                ("type", .text), ("source", .text), ("options", .list(.text)), ("uidMappings", ids),
                ("gidMappings", ids),
            ])
    }

    private static var ids: OCIShape {
        .list(.object(required: [("containerID", .whole), ("hostID", .whole), ("size", .whole)], []))
    }

    private static var process: OCIShape {
        let sets = ["bounding", "permitted", "effective", "inheritable", "ambient"]
        return .object([
            ("terminal", .truth), ("consoleSize", .object([("height", .whole), ("width", .whole)])),
            (
                "user",
                .object([
                    ("uid", .whole), ("gid", .whole), ("umask", .whole), ("additionalGids", .list(.whole)),
                    ("username", .text),
                ])
            ), ("args", .list(.text)), ("commandLine", .text), ("env", .list(.text)), ("cwd", .text),
            ("capabilities", .object(sets.map { ($0, .list(.text)) })),
            ("rlimits", .list(.object(required: [("type", .text), ("soft", .whole), ("hard", .whole)], []))),
            ("noNewPrivileges", .truth), ("apparmorProfile", .text), ("selinuxLabel", .text), ("oomScoreAdj", .whole),
            ("scheduler", .anything), ("ioPriority", .anything), ("execCPUAffinity", .anything),
        ])
    }

    private static var linux: OCIShape {
        let offset = OCIShape.object([("secs", .whole), ("nanosecs", .whole)])
        let device = OCIShape.object(
            required: [("type", .text), ("path", .text)],
            [("major", .whole), ("minor", .whole), ("fileMode", .whole), ("uid", .whole), ("gid", .whole)])
        return .object([
            ("namespaces", .list(.object(required: [("type", .text)], [("path", .text)]))), ("uidMappings", ids),
            ("gidMappings", ids), ("devices", .list(device)), ("cgroupsPath", .text), ("resources", resources),
            ("seccomp", seccomp), ("maskedPaths", .list(.text)), ("readonlyPaths", .list(.text)), ("mountLabel", .text),
            ("rootfsPropagation", .text), ("timeOffsets", .object([("monotonic", offset), ("boottime", offset)])),
            ("personality", .object([("domain", .text), ("flags", .list(.text))])), ("sysctl", .map(.text)),
            ("netDevices", .anything), ("intelRdt", .anything), ("memoryPolicy", .anything),
        ])
    }

    private static var resources: OCIShape {
        let device: [(String, OCIShape)] = [("major", .whole), ("minor", .whole)]
        let rates = OCIShape.list(.object(required: device + [("rate", .whole)], []))
        func whole(_ keys: [String]) -> [(String, OCIShape)] { keys.map { ($0, .whole) } }
        return .object([
            ("devices", .list(.object([("allow", .truth), ("type", .text), ("access", .text)] + device))),
            (
                "memory",
                .object(
                    whole(["limit", "reservation", "swap", "kernel", "kernelTCP", "swappiness"]) + [
                        ("disableOOMKiller", .truth), ("useHierarchy", .truth), ("checkBeforeUpdate", .truth),
                    ])
            ),
            (
                "cpu",
                .object(
                    whole(["shares", "quota", "burst", "period", "realtimeRuntime", "realtimePeriod", "idle"])
                        + [("cpus", .text), ("mems", .text)])
            ), ("pids", .object(whole(["limit"]))),
            (
                "blockIO",
                .object(
                    whole(["weight", "leafWeight"]) + [
                        ("weightDevice", .list(.object(required: device, whole(["weight", "leafWeight"])))),
                        ("throttleReadBpsDevice", rates), ("throttleWriteBpsDevice", rates),
                        ("throttleReadIOPSDevice", rates), ("throttleWriteIOPSDevice", rates),
                    ])
            ), ("hugepageLimits", .list(.object([("pageSize", .text), ("limit", .whole)]))), ("network", .anything),
            ("rdma", .map(.object(whole(["hcaHandles", "hcaObjects"])))), ("unified", .map(.text)),
        ])
    }

    /// With what the profiles of container engines have beside it.
    private static var seccomp: OCIShape {
        let circumstances = OCIShape.object([("caps", .list(.text)), ("arches", .list(.text)), ("minKernel", .text)])
        let argument = OCIShape.object(
            required: [("index", .whole), ("value", .whole), ("op", .text)], [("valueTwo", .whole)])
        let rule = OCIShape.object(
            required: [("names", .list(.text)), ("action", .text)],
            [
                ("errnoRet", .whole), ("errno", .text), ("args", .list(argument)), ("comment", .text),
                ("includes", circumstances), ("excludes", circumstances),
            ])
        return .object(
            required: [("defaultAction", .text)],
            [
                ("defaultErrnoRet", .whole), ("defaultErrno", .text), ("architectures", .list(.text)),
                ("archMap", .anything), ("flags", .list(.text)), ("listenerPath", .text), ("listenerMetadata", .text),
                ("syscalls", .list(rule)),
            ])
    }
}
