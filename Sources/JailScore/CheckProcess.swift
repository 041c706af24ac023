import JailSpec
import SpecFile

extension Check {
    static let process: [Check] = [
        Check(
            "process.no_new_privs", 15, "set-user-id programs and file capabilities give privilege",
            advice: "leave it out: true is the default"
        ) { $0.process.noNewPrivileges.found { !$0 } },
        Check(
            "process.tty", 12, "the caller's terminal: what the command types there, the caller's shell may execute",
            advice: "tty = \"auto\", a terminal of the jail's own"
        ) { $0.process.tty.found { $0 == .inherit } },
        Check("process.fds", advice: "only those that the command reads or writes") { spec in
            spec.process.fds.value.map { number in
                Opening(
                    weight: 4, what: "descriptor \(number), whatever it leads to", origin: spec.process.fds.position)
            }
        },
        Check(
            "process.keyring", 6, "the keys of the caller's session", advice: "keyring = \"new\", the default"
        ) { $0.process.keyring.found { $0 == .inherit } },
        Check(
            "process.die_with_parent", 2, "the jail may outlive who started it",
            advice: "leave it out: true is the default"
        ) { $0.process.dieWithParent.found { !$0 } },
        Check("process.nice", 2, "goes before others at the processor", advice: "nice = 0, or more") {
            $0.process.nice?.found { $0 < 0 }
        },
        Check("process.oom_score_adj", 2, "others are killed first when memory runs out", advice: "0, or more") {
            $0.process.oomScoreAdjust?.found { $0 < 0 }
        },
        Check("environment.keep", advice: "name each variable that the command needs, and no secret") { spec in
            spec.environment.keep.map { name in
                let (weight, what) = danger(ofVariable: name.value)
                return Opening(weight: weight, what: "\(name.value) of the caller\(what)", origin: name.position)
            }
        },
        Check(
            "service.notify", 2, "messages of the command reach the service manager, as the jail's own",
            advice: "\"main\", so that no other process of the jail sends any"
        ) { $0.service.notify.found { $0 != .none } },
        Check(
            "service.sockets", 4, "the sockets that the service manager listens on",
            advice: "leave it out unless the command takes sockets over"
        ) { $0.service.sockets.found { $0 } },
        Check(
            "service.credentials", 4, "the secrets that the service manager hands out",
            advice: "leave it out unless the command reads them"
        ) { $0.service.credentials.found { $0 } },
        Check("rlimits", advice: "a number, or leave it out to keep the caller's") { spec in
            spec.rlimits.filter { $0.hard == nil }.map { limit in
                Opening(weight: 1, what: "\(limit.resource.name) has no limit", origin: limit.position)
            }
        },
    ]

    private static func danger(ofVariable name: String) -> (Int, String) {
        if name == "*" { return (10, ": all that is in the environment, secrets too") }
        let upper = name.uppercased()
        let secrets = ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "PRIVATE", "API_KEY", "ACCESS_KEY"]
        if secrets.contains(where: { upper.contains($0) }) { return (8, ", by its name a secret") }
        if ["SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "XAUTHORITY", "WAYLAND_DISPLAY"].contains(name) {
            return (4, ", which leads to a service of the caller's")
        }
        if name.hasPrefix("LD_") { return (4, ", which makes programs load other code") }
        return (1, "")
    }
}
