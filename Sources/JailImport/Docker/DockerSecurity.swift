import JailSpec
import LinuxFacts
import SpecFile

extension DockerImport {
    mutating func writeSecurity() {
        writeCapabilities()
        var hasFilter = false
        for option in all("security-opt") {
            let (name, value) = option.value.cut(option.value.contains("=") ? "=" : ":")
            if name == "seccomp", value != "builtin" { hasFilter = true }
            security(name, value ?? "", option)
        }
        if !hasFilter { draft.warn("immure's own filter in place of docker's", standard("the filter of system calls")) }
        for (name, kind) in [("ipc", "ipc"), ("pid", "pid"), ("uts", "uts"), ("cgroupns", "cgroup")] {
            guard let option = last(name) else { continue }
            switch option.value {
            case "host": draft.set("namespaces.\(kind)", .string("host"), option.directive)
            case "", "private", "none", "shareable": draft.isInForce(.own(foreign: kind), option.directive)
            default: draft.lose("what another container has", option.directive)
            }
        }
        if let option = last("userns") { draft.isInForce(.own(.user), "the jail's own", option.directive) }
        if let option = last("cgroup-parent") {
            draft.warn("what limits that group does not limit the jail", option.directive)
        }
        for name in ["runtime", "isolation"] {
            guard let option = last(name) else { continue }
            let plain = ["runc", "crun", "youki", "io.containerd.runc.v2", "nvidia", "default", "process", ""]
            if plain.contains(option.value.split(separator: "/").last.map(String.init) ?? "") {
                draft.isOutside("", option.directive)
            } else {
                draft.lose("a kernel, or a guard, of the container's own", restricts: true, option.directive)
            }
        }
        for option in all("sysctl") {
            let (name, value) = option.value.cut("=")
            draft.loseSetting(name, value ?? "", option.directive)
        }
    }

    private mutating func security(_ name: String, _ value: String, _ option: DockerOptions.Option) {
        switch (name, value) {
        case ("no-new-privileges", "false"), ("systempaths", _), ("unmask", _), ("writable-cgroups", _):
            draft.lose("no line for it", option.directive)
        case ("no-new-privileges", _): draft.isInForce(.nothing, option.directive)
        case ("seccomp", "builtin"): draft.isPart(option.directive)
        case ("seccomp", "unconfined"): draft.set("seccomp.profile", .string("none"), option.directive)
        case ("seccomp", let path): draft.set("seccomp.profile", .string(hostPath(path)), option.directive)
        case ("apparmor", "unconfined"), ("label", "disable"): draft.isInForce(.nothing, option.directive)
        case ("apparmor", _): draft.lose("a profile of AppArmor", restricts: true, option.directive)
        case ("label", _): draft.lose("labels of SELinux", restricts: true, option.directive)
        case ("mask", let paths) where !draft.keeps("sys_admin"):
            for path in paths.split(separator: ":") { draft.place("hide", literal(String(path)), option.directive) }
        default: draft.lose("no line for it", restricts: true, option.directive)
        }
    }

    /// What is added; of all, what is dropped is taken. In docker a user other than root has none in force: they are its bounds.
    private mutating func writeCapabilities() {
        let all: CapabilitySet = Capability.allCases.reduce([]) { $0 | CapabilitySet($1) }
        let drops = self.all("cap-drop").map { (option: $0, set: capabilities($0, all: all)) }
        // The word ALL takes nothing from what the same word adds.
        let dropped: CapabilitySet = drops.reduce([]) { $1.set == all ? $0 : $0 | $1.set }
        let isRoot = isOfPodman || (draft.value("identity.user")?.integer ?? 0) == 0
        var added: CapabilitySet = []
        for option in self.all("cap-add") {
            let isAll = option.value.uppercased() == "ALL"
            let set = isAll ? all.without(dropped) : capabilities(option, all: all)
            guard isRoot else {
                draft.isInForce(.nothing, "for root alone, and the user is another", option.directive)
                continue
            }
            added = added | set
            keep(set, option)
        }
        for (option, set) in drops {
            draft.isInForce(.bounded(all.without(set) | added), "none but those of --cap-add", option.directive)
        }
    }

    private mutating func capabilities(_ option: DockerOptions.Option, all: CapabilitySet) -> CapabilitySet {
        if option.value.uppercased() == "ALL" { return all }
        if let capability = Capability.named(foreign: option.value) { return CapabilitySet(capability) }
        draft.fail("unknown capability \(option.value)", option.directive)
        return []
    }

    /// Whoever holds net_admin or net_raw reaches past the rules of a network of user mode: the launch refuses them there.
    private mutating func keep(_ set: CapabilitySet, _ option: DockerOptions.Option) {
        var added = set.capabilities
        if draft.value("network.mode")?.value == .string("user") {
            for capability in added where [.net_admin, .net_raw].contains(capability) {
                draft.lose(
                    "\(capability.name) reaches past the rules of the jail's network: --network none takes it",
                    option.directive)
            }
            added.removeAll { [.net_admin, .net_raw].contains($0) }
        }
        if added.isEmpty { return draft.isPart(option.directive) }
        draft.append("capabilities.keep", added.map { .string($0.name) }, option.directive)
    }
}
