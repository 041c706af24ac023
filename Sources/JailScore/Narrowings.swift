package import JailSpec
import SpecFile

extension Narrowing {
    /// The table of what narrows the jail, each with whether the spec has it.
    package static func all(of spec: Spec) -> [Narrowing] {
        let limits = spec.limits?.value
        let landlock = spec.landlock?.value
        let files = spec.filesystem
        let strict = spec.seccomp?.value.profile?.found { $0 == .strict }?.position
        let list = spec.seccomp?.value.refusesTheRest == true ? spec.seccomp?.value.defaultAction : nil
        func row(_ id: String, _ share: Int, _ what: String, _ isInForce: Bool, _ origin: Position?) -> Narrowing {
            Narrowing(id: id, share: share, what: what, isInForce: isInForce, origin: isInForce ? origin : nil)
        }
        func row<Value>(_ id: String, _ share: Int, _ what: String, _ value: Located<Value>?) -> Narrowing {
            row(id, share, what, value != nil, value?.position)
        }
        let hidden = files.mounts.first { $0.source == .hidden }
        return [
            row(
                "seccomp", 15, "profile = \"strict\", or default = \"EPERM\" with a list of what is allowed",
                strict != nil || list != nil, strict ?? list?.position),
            row("landlock", 10, "rules for what may be read, executed and written", landlock?.files),
            row("filesystem.root", 5, "\"empty\", with what the program needs", files.root.found { $0 == .empty }),
            row("limits.memory", 4, "a limit of memory: without one the command can take all of it", limits?.memory),
            row("limits.pids", 4, "a limit of processes: without one the command can take all of them", limits?.pids),
            row("limits.cpu", 2, "a limit of processor time", limits?.cpu),
            row("filesystem.proc", 2, "false: no /proc", files.proc.found { !$0 }),
            row("filesystem.dev", 2, "\"none\": no devices", files.devices.found { $0 == .none }),
            row("filesystem.hide", 2, "what the command has no need to see", hidden != nil, hidden?.position),
            row("filesystem.tmp", 1, "false: no /tmp", files.tmp.found { $0 == nil }),
        ]
    }
}
