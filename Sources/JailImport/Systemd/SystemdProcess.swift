import JailSpec
import SpecFile

extension SystemdImport {
    mutating func writeProcess() {
        writeNetwork()
        writeDirectory()
        let privileges = last("NoNewPrivileges")
        if let privileges {
            draft.isInForce(
                .nothing, truth(privileges) ? "" : "closer: no program gains privileges in a jail of immure's",
                privileges.directive)
        } else {
            draft.warn("no program gains privileges by being executed", standard("no NoNewPrivileges="))
        }
        if let line = last("Nice"), let number = Int64(line.value) {
            draft.set("process.nice", .integer(number), line.directive)
        }
        if let line = last("OOMScoreAdjust"), let number = Int64(line.value) {
            draft.set("process.oom_score_adj", .integer(number), line.directive)
        }
        for (key, path) in [("CPUAffinity", "process.cpus"), ("AllowedCPUs", "limits.cpus")] {
            for line in list(key) {
                let cpus = line.value.split { " ,\t".contains($0) }.joined(separator: ",")
                if cpus == "numa" {
                    draft.lose("the processors of a NUMA mask", line.directive)
                } else {
                    draft.set(path, .string(cpus), line.directive)
                }
            }
        }
        if let line = last("KeyringMode") {
            switch line.value {
            case "inherit": draft.set("process.keyring", .string("inherit"), line.directive)
            case "shared": draft.warn("the user's keyring is not linked into that of the jail", line.directive)
            default: draft.isInForce(.ownKeyring, line.directive)
            }
        }
        if let line = last("IgnoreSIGPIPE"), !truth(line) {
            draft.isInForce(.nothing, line.directive)
        } else {
            draft.warn("here signals are as they are for a new program", standard("SIGPIPE is ignored"))
        }
        writeIsolation()
        if let line = last("AppArmorProfile") { label(line) }
    }

    private mutating func writeDirectory() {
        if let line = last("WorkingDirectory") {
            let text = line.value.hasPrefix("-") ? String(line.value.dropFirst()) : line.value
            if line.value.hasPrefix("-") { draft.warn("immure refuses where it is missing", line.directive) }
            if text == "~" {
                draft.set("cwd", .string("~"), line.directive)
            } else if let place = path(text, line.directive) {
                draft.set("cwd", .string(place.path), line.directive)
            }
        }
    }

    private mutating func writeIsolation() {
        for (key, claim) in [
            ("PrivateIPC", Claim.own(.ipc)), ("PrivatePIDs", .own(.pid)), ("RemoveIPC", .own(.ipc)),
            ("ProtectControlGroups", .readOnly("/sys/fs/cgroup")),
            ("ProtectKernelTunables", .all([.readOnly("/sys"), .ownDirectory("/proc")])),
        ] {
            _ = isOn(key, claim, others: ["private", "strict"])
        }
        let hostname = lines.last { $0.key == "ProtectHostname" && !$0.value.isEmpty }
        if isOn("ProtectHostname", .own(.uts), others: ["private"]), let hostname {
            // As systemd does, even where the name is the jail's own.
            for call in ["sethostname", "setdomainname"] { draft.rule(call, "EPERM", [], hostname.directive) }
        } else {
            draft.set(
                "namespaces.uts", .string("host"), standard("without ProtectHostname= the host name is the host's"))
        }
        if let line = last("ProtectProc") {
            draft.isInForce(.own(.pid), "only the jail's own processes are to be seen", line.directive)
        }
        draft.warn(
            "write \"host\" for namespaces.pid or namespaces.ipc where the service is to see what is not its own",
            standard("processes and System V IPC are the jail's own here"))
    }

    private mutating func label(_ line: UnitFile.Line) {
        if Available.takes("process.apparmor", .string("x")) {
            draft.set(
                "process.apparmor", .string(line.value.hasPrefix("-") ? String(line.value.dropFirst()) : line.value),
                line.directive)
        } else {
            draft.lose("a profile of AppArmor", restricts: true, line.directive)
        }
    }

    private mutating func writeNetwork() {
        let line = last("PrivateNetwork")
        let isPrivate = truth(line)
        if let line {
            draft.isInForce(
                isPrivate ? .own(.net) : .nothing, isPrivate ? "" : "as without the line", line.directive)
        }
        for (key, kind) in [("NetworkNamespacePath", "net"), ("IPCNamespacePath", "ipc")] {
            if let path = last(key) { draft.set("namespaces.\(kind)", .string(path.value), path.directive) }
        }
        if !isPrivate, !draft.has("namespaces.net") {
            let origin = line?.directive ?? standard("without PrivateNetwork= the network is the host's")
            draft.set("network.mode", .string("host"), origin)
            if !draft.has("landlock.rw") {
                draft.set("landlock.scope", .array([]), standard("abstract sockets can be reached"))
            }
        }
        let hasNoNetwork = isPrivate && !draft.has("namespaces.net")
        writeAddresses(hasNoNetwork)
        writePorts(hasNoNetwork)
    }

    mutating func writeEnvironment(_ context: ImportContext) {
        for (word, directive) in words("Environment") {
            let (name, value) = word.cut("=")
            guard let value else {
                draft.fail("\(quoted(word)) has no `=`", directive)
                continue
            }
            let text = specifiers.resolve(value)
            if value.hasPrefix("~") {
                draft.setLiteral(name, value, directive)
            } else {
                draft.setVariable(name, text, directive)
            }
        }
        for (word, directive) in words("PassEnvironment") { draft.append("environment.keep", word, directive) }
        let unset = words("UnsetEnvironment")
        for (word, directive) in unset {
            let name = word.cut("=").0
            draft.append("environment.unset", name, directive)
            draft.removeVariable(name)
        }
        for line in list("EnvironmentFile") {
            draft.append("environment.keep", "*", line.directive)
            draft.warn("systemd reads it; what the unit sets is kept, whatever its name", line.directive)
        }
        for name in kept where !(draft.has("environment.keep")) || name != "*" {
            draft.append("environment.keep", name, standard("variables of the unit's directories"))
        }
        // Without `keep` there is nothing of the caller's to take out, and a spec that does so is refused.
        if !draft.has("environment.keep") {
            draft.remove("environment.unset")
            for (_, directive) in unset { draft.isInForce(.ownEnvironment, directive) }
        }
    }

    mutating func writeService() {
        let type = last("Type"), access = last("NotifyAccess"), watchdog = last("WatchdogSec")
        let notifies = type.map { ["notify", "notify-reload"].contains($0.value) } ?? false
        let word = access?.value ?? "none"
        if let line = access ?? (notifies ? type : watchdog) {
            switch word {
            case "all", "exec": draft.set("service.notify", .string("all"), line.directive)
            default:
                if notifies || watchdog != nil || word == "main" {
                    draft.set("service.notify", .string("main"), line.directive)
                }
            }
            draft.isInForce(.nothing, line.directive)
        }
        for line in [type, access, watchdog].compactMap({ $0 }) { draft.isOutside("stays in the unit", line.directive) }
        for line in list("Sockets") { draft.set("service.sockets", .boolean(true), line.directive) }
        for key in [
            "LoadCredential", "LoadCredentialEncrypted", "SetCredential", "SetCredentialEncrypted", "ImportCredential",
        ] {
            for line in list(key) {
                draft.set("service.credentials", .boolean(true), line.directive)
                draft.isOutside("the credentials stay in the unit", line.directive)
            }
        }
    }
}
