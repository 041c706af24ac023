import JailSpec
import SpecFile

extension SystemdImport {
    /// Whether the service runs as the host's root, as far as the unit says.
    var isRoot: Bool { draft.value("identity.user")?.value == .integer(0) }

    mutating func writeIdentity() {
        let dynamic = last("DynamicUser"), users = last("PrivateUsers")
        let isDynamic = truth(dynamic), isPrivate = truth(users, others: ["self", "identity", "full", "managed"])
        account("User", "user", isDynamic)
        account("Group", "group", isDynamic)
        for (word, directive) in words("SupplementaryGroups") {
            draft.append("identity.groups", [account(word)], directive)
        }
        if let dynamic {
            draft.isOutside(isDynamic ? "systemd makes the user; immure runs as that one" : "", dynamic.directive)
        }
        if let users {
            draft.isInForce(
                isPrivate ? .own(.user) : .nothing, isPrivate ? "" : "as without the line", users.directive)
        }
        // Rights over what is the host's, its network say, are those of the host's user namespace only.
        if !isPrivate, draft.has("identity.user"), !isDynamic {
            draft.set(
                "namespaces.user", .string("host"),
                users?.directive ?? standard("without PrivateUsers= users are the host's"))
        }
        if let line = last("UMask") {
            if let bits = UInt32(line.value, radix: 8), bits <= 0o7777 {
                draft.set("identity.umask", .string(octal(bits & 0o777)), line.directive)
            } else {
                draft.fail("\(quoted(line.value)) is not a mask in octal", line.directive)
            }
        }
    }

    private mutating func account(_ key: String, _ name: String, _ isDynamic: Bool) {
        guard let line = last(key) else {
            if isDynamic || (name == "group" && draft.has("identity.user") && !isRoot) { return }
            return draft.set("identity.\(name)", .integer(0), standard("without \(key)= it is root"))
        }
        if Specifiers.isUsed(in: line.value) || isDynamic {
            return draft.isOutside("stays in the unit; immure runs as that one", line.directive)
        }
        draft.set("identity.\(name)", account(line.value), line.directive)
        if name == "user", !["root", "0"].contains(line.value) {
            draft.warn("its other groups in group(5) are left out: name them in identity.groups", line.directive)
        }
        if line.value == "root" { draft.set("identity.\(name)", .integer(0), line.directive) }
    }

    private func account(_ word: String) -> Node.Value { Int64(word).map { .integer($0) } ?? .string(word) }

    // MARK: Capabilities

    /// What a directive takes away from a service that runs as root.
    private static let taken: [(key: String, capabilities: [Capability])] = [
        ("PrivateDevices", [.mknod, .sys_rawio]), ("ProtectKernelModules", [.sys_module]),
        ("ProtectKernelLogs", [.syslog]), ("ProtectClock", [.sys_time, .wake_alarm]),
    ]

    mutating func writeCapabilities() {
        var bounding = CapabilitySet(Capability.allCases)
        let resets = assigns("CapabilityBoundingSet", "")
        let lines = list("CapabilityBoundingSet"), ambient = list("AmbientCapabilities")
        // Empty is the set of none here, and ~ takes nothing of that away.
        if resets { bounding = [] }
        for line in lines { bounding = merge(bounding, line, isFirst: !resets && line.directive == lines[0].directive) }
        for (key, set) in Self.taken where protects(key) { bounding = bounding.without(CapabilitySet(set)) }
        var raised: CapabilitySet = []
        for line in ambient { raised = merge(raised, line, isFirst: line.directive == ambient[0].directive) }
        let mayHaveAll = isRoot
        let kept = mayHaveAll ? bounding : CapabilitySet(raised.capabilities.filter { bounding.contains($0) })
        let origin = (mayHaveAll ? lines : ambient).last?.directive ?? standard("root has all that is not taken away")
        for line in lines + ambient {
            draft.isInForce(
                .bounded(bounding), "in capabilities.keep where the user can have it", line.directive)
        }
        guard !kept.isNone else { return }
        draft.set("capabilities.keep", .strings(kept.capabilities.map(\.name)), origin)
    }

    /// Whether a directive, read by now or not, is on.
    private mutating func protects(_ key: String) -> Bool {
        if key == "PrivateDevices" { return hasPrivateDevices }
        let line = lines.last { $0.key == key && !$0.value.isEmpty }
        let taken = Self.taken.filter { $0.key == key }.flatMap(\.capabilities)
        let isOn = isOn(
            key, .bounded(CapabilitySet(Capability.allCases).without(CapabilitySet(taken))),
            "its capabilities are taken away, and the files are read-only or not there")
        if key == "ProtectKernelLogs", isOn, let line, draft.has("filesystem.dev") {
            hide("/dev/kmsg", line.directive)
        }
        return isOn
    }

    private mutating func merge(_ set: CapabilitySet, _ line: UnitFile.Line, isFirst: Bool) -> CapabilitySet {
        let isInverted = line.value.hasPrefix("~")
        var named: CapabilitySet = []
        for word in line.value.dropFirst(isInverted ? 1 : 0).split(whereSeparator: { $0 == " " || $0 == "\t" }) {
            guard let capability = Capability.named(foreign: String(word)) else {
                draft.fail("unknown capability \(word)", line.directive)
                continue
            }
            named = named | CapabilitySet(capability)
        }
        if isInverted { return (isFirst ? CapabilitySet(Capability.allCases) : set).without(named) }
        return isFirst ? named : set | named
    }
}
