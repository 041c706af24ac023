import JailSpec
import LinuxFacts
import SpecFile

/// A service that is there already, and is to be started in a jail: its unit with its drop-ins, as systemd has read them.
package struct ForeignUnit: Sendable {
    package let name: String
    /// The assignments of [Service], in their order.
    let settings: [(name: String, value: String)]

    package init(name: String, settings: [(name: String, value: String)]) {
        (self.name, self.settings) = (name, settings)
    }

    /// What a directive has in the end; nil where it is not set, or was taken back.
    func value(_ name: String) -> String? {
        guard let value = settings.last(where: { $0.name == name })?.value, !value.isEmpty else { return nil }
        return value
    }

    /// All that a list has, since it was last made empty.
    func values(_ name: String) -> [String] {
        let all = settings.filter { $0.name == name }.map(\.value)
        return Array(all[(all.lastIndex(of: "").map { $0 + 1 } ?? 0)...])
    }

    /// Whether a switch is on, as systemd.syntax(7) writes it.
    func isOn(_ name: String) -> Bool {
        ["1", "yes", "y", "true", "t", "on"].contains(value(name)?.lowercased() ?? "")
    }

    /// Whether systemd starts it as another than root.
    var startsAsUser: Bool {
        isOn("DynamicUser") || !["root", "0", nil].contains(value("User"))
    }

    /// The command line, with the signs of systemd.service(5) that say how it is executed taken off; nil where it has none, or several.
    package var command: String? {
        let lines = values("ExecStart")
        guard lines.count == 1, let line = lines.first else { return nil }
        return String(line.drop { "@-:+!|".contains($0) })
    }

    /// The first directory of the kind that systemd makes for it.
    package func directory(_ directive: String) -> String? {
        values(directive).first?.split(separator: " ").first?.split(separator: ":").first.map(String.init)
    }
}

extension Unit {
    /// Takes back what keeps a jail from being made, or the command from what its spec gives it: each was tried (SERVICES in
    /// immure(1)).
    mutating func clear(_ over: ForeignUnit) {
        clearFilters(over)
        if over.isOn("ProtectKernelTunables"), !spec.namespaces.nested.value || spec.filesystem.proc.value {
            add("ProtectKernelTunables", "no", nil, "the launcher writes below /proc/sys in the jail's own namespaces")
        }
        if over.value("ProcSubset") == "pid" {
            add("ProcSubset", "all", nil, "the launcher writes below /proc/sys in the jail's own namespaces")
        }
        if spec.filesystem.proc.value {
            for name in ["ProtectKernelLogs", "ProtectHostname"] {
                guard let value = over.value(name), !Self.isOff(value) else { continue }
                add(name, "no", nil, "from systemd 257 on it covers files of /proc, and then the jail is given none")
            }
        }
        if !startsAsUser,
            !over.values("CapabilityBoundingSet").isEmpty
                || over.settings.contains(where: { $0.name == "CapabilityBoundingSet" })
        {
            add("CapabilityBoundingSet", "~", nil, "root makes the jail; the command has what the spec keeps")
        }
        if !startsAsUser, over.value("SecureBits") != nil {
            add("SecureBits", "", nil, "root makes the jail; the command has what the spec keeps")
        }
        if over.isOn("NoNewPrivileges"), spec.identity.asksForSubordinates {
            add("NoNewPrivileges", "no", nil, "newuidmap(1) is a set-user-ID program")
        }
        // Or "strict", or "private".
        if over.value("ProtectControlGroups").map({ !Self.isOff($0) }) ?? false, spec.limits != nil {
            add("ProtectControlGroups", "no", nil, "the jail has a cgroup of its own")
        }
        clearPlaces(over)
        clearBounds(over)
    }

    /// What leaves the launcher no room; where the spec does not limit the command to as much, that is said.
    private mutating func clearBounds(_ over: ForeignUnit) {
        for (directive, resource, bytes) in LauncherRoom.bounds {
            guard let value = over.value(directive),
                let soft = value.split(separator: ":").first.flatMap({ SystemdQuantity.size(String($0)) }), soft < bytes
            else { continue }
            let isKept = spec.rlimits.contains { $0.resource == resource }
            let why =
                isKept
                ? "[rlimits] limits the command" : "\(value) has limited the command: write rlimits.\(resource.name)"
            add(directive, "infinity", nil, "the launcher takes more; \(why)")
        }
    }

    /// What turns off a directive that takes more than yes and no, as systemd.syntax(7) writes it.
    private static func isOff(_ value: String) -> Bool {
        ["no", "n", "false", "f", "0", "off"].contains(value.lowercased())
    }

    private mutating func clearFilters(_ over: ForeignUnit) {
        if let value = over.value("RestrictNamespaces"), !Self.isOff(value) {
            add("RestrictNamespaces", "no", nil, "a jail is made of namespaces")
        }
        let families = over.values("RestrictAddressFamilies").flatMap { $0.split(separator: " ") }
        let isList = families.first.map { $0.hasPrefix("~") } ?? false
        if !families.isEmpty, families.contains(where: { $0.hasSuffix("AF_INET") }) == isList {
            add("RestrictAddressFamilies", "AF_INET", nil, "the loopback interface is brought up by such a socket")
        }
        guard !over.values("SystemCallFilter").isEmpty else { return }
        let why = "what a jail is made by; the filter of the jail refuses it to the command"
        add("SystemCallFilter", "@mount @process @setuid @keyring \(plain: Self.others)", nil, why)
        add(
            "SystemCallErrorNumber", "EPERM", nil,
            "what is newer than the lists of systemd is refused, and kills nobody")
    }

    /// Those of no group that every systemd knows.
    private static let others =
        "capset landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp sethostname"

    private mutating func clearPlaces(_ over: ForeignUnit) {
        let isHidden = over.value("ProtectHome").map { !Self.isOff($0) } ?? false
        if isHidden, uses(["/home", "/root", "/run/user"]) {
            add("ProtectHome", "no", nil, "the jail has something from there")
        }
        if over.isOn("PrivateTmp"), uses(["/tmp", "/var/tmp"]) {
            add("PrivateTmp", "no", nil, "the jail has something from there")
        }
        if over.isOn("PrivateDevices"), uses(["/dev"]) || spec.filesystem.devices.value == .host {
            add("PrivateDevices", "no", nil, "the jail has devices")
        }
        if !over.values("NoExecPaths").isEmpty, let program = command.first {
            add("ExecPaths", "\(item: program)", nil, "the launcher; what the jail executes has to be there, too")
        }
        guard
            over.isOn("DynamicUser")
                || over.value("ProtectSystem").map({ !Self.isOff($0) }) ?? false
        else {
            return
        }
        for path in spec.filesystem.writableSources {
            add("ReadWritePaths", "-\(item: path)", nil, "the jail writes there")
        }
    }
}
