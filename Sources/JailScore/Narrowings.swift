package import JailSpec
import SpecFile

extension Narrowing {
    /// The table of what narrows the jail, each with whether the spec has it: by how far it goes, not by its presence, so
    /// that a line which closes nothing takes nothing off.
    package static func all(of spec: Spec) -> [Narrowing] {
        let limits = spec.limits?.value
        let files = spec.filesystem
        let seccomp = spec.seccomp?.value.isNarrower == true ? spec.seccomp?.value : nil
        let strict = seccomp?.profile?.found { $0 == .strict }?.position
        func row(_ id: String, _ share: Int, _ what: String, _ isInForce: Bool, _ origin: Position?) -> Narrowing {
            Narrowing(id: id, share: share, what: what, isInForce: isInForce, origin: isInForce ? origin : nil)
        }
        func row<Value>(_ id: String, _ share: Int, _ what: String, _ value: Located<Value>?) -> Narrowing {
            row(id, share, what, value != nil, value?.position)
        }
        /// Of a default that is left out: in a tree of the host, or where the spec mounts there, something is there anyhow.
        func without(_ place: String) -> Bool { spec.hasPrivateRoot && !spec.mounts(on: place) }
        let landlock = spec.landlockShare
        let empty = spec.emptyShare
        return [
            row(
                "seccomp", Share.filter, "profile = \"strict\", or default = \"EPERM\" with a list of what is allowed",
                seccomp != nil, strict ?? seccomp?.defaultAction?.position),
            row(
                "landlock", landlock ?? Share.landlock, "rules for what may be read, executed and written",
                landlock != nil,
                spec.landlock?.value.files?.position),
            row(
                "filesystem.root", empty ?? Share.emptyRoot, "\"empty\", with what the program needs", empty != nil,
                files.root.position),
            row(
                "limits.memory", Share.memory, "a limit of memory: without one the command can take all of it",
                limits?.realMemory),
            row(
                "limits.pids", Share.processes, "a limit of processes: without one the command can take all of them",
                limits?.realPIDs
            ),
            row("limits.cpu", Share.processor, "a limit of processor time", limits?.realCPU),
            row("filesystem.proc", Share.noProc, "false: no /proc", without("proc") ? files.proc.found { !$0 } : nil),
            row(
                "filesystem.dev", Share.noDevices, "\"none\": no devices",
                without("dev") ? files.devices.found { $0 == .none } : nil),
            row(
                "filesystem.hide", Share.hidden, "what the command has no need to see", spec.hidden != nil,
                spec.hidden?.position),
            row(
                "filesystem.tmp", Share.noTmp, "false: no /tmp", without("tmp") ? files.tmp.found { $0 == .none } : nil),
        ]
    }
}

extension Spec {
    /// In percent for what Landlock closes; nil where its rules leave nothing closed.
    fileprivate var landlockShare: Int? {
        let closed = closedAccess
        if closed.isEmpty { return nil }
        return (closed.contains(.read) ? Share.read : 0) + (closed.contains(.execute) ? Share.execute : 0)
            + (closed.contains(.write) ? Share.write : 0)
    }

    /// In percent for an empty root; nil where the spec mounts in it what the root "system" shows.
    fileprivate var emptyShare: Int? {
        guard hasPrivateRoot, filesystem.root.value == .empty else { return nil }
        let share = (mountsWhole("/usr") ? 0 : Share.noPrograms) + (mountsWhole("/etc") ? 0 : Share.noSettings)
        return share > 0 ? share : nil
    }
}
