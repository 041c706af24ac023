package import JailSpec
import Kernel
package import SpecFile

extension SeccompPolicy {
    /// The groups of systemd.exec(5), SystemCallFilter=.
    private static let groups = [
        "@aio", "@basic-io", "@chown", "@clock", "@cpu-emulation", "@debug", "@default", "@file-system", "@io-event",
        "@ipc", "@keyring", "@known", "@memlock", "@module", "@mount", "@network-io", "@obsolete", "@pkey",
        "@privileged", "@process", "@raw-io", "@reboot", "@resources", "@sandbox", "@setuid", "@signal", "@swap",
        "@sync",
        "@system-service", "@timer",
    ]

    /// Every name of the policy that is neither a system call nor a group: libseccomp's table decides, which the decoder,
    /// a pure function of the text, does not have.
    package var unknownNames: [Diagnostic] {
        let written =
            [("allow", allow), ("deny", deny), ("log", log), ("kill", kill)].flatMap { key, list in
                list.map { (key, $0) }
            } + rules.map { ("rule", $0.call) }
        return written.compactMap { key, name in
            let isGroup = name.value.utf8.first == UInt8(ascii: "@")
            if isGroup ? Self.groups.contains(name.value) : isSystemCall(name.value) { return nil }
            let near = nearest(name.value, isGroup ? Self.groups : systemCallNames())
            return Diagnostic(
                "seccomp.\(key): unknown \(isGroup ? "group" : "system call") \(quoted(name.value))", at: name.position,
                hint: near.map { "did you mean \(quoted($0))?" })
        }
    }
}
