import JailSpec
import SpecFile

extension NsjailImport {
    mutating func writeIdentity() {
        for (name, key) in [("uidmap", "user"), ("gidmap", "group")] { identity(name, key) }
        if let group = context.group, !all("uidmap").isEmpty, all("gidmap").isEmpty {
            // Without this line it would be that of the account with the user's number.
            draft.set("identity.group", .integer(Int64(group)), standard("without gidmap it is the caller's"))
        }
        if truth("keep_caps").value, let field = last("keep_caps") {
            draft.set("capabilities.keep", .strings(Capability.allCases.map(\.name)), field.directive)
            draft.isInForce(.nothing, "all are kept", field.directive)
        }
        for field in all("cap") {
            guard let capability = field.string.flatMap({ Capability.named(foreign: $0) }) else {
                draft.fail("unknown capability \(field.string ?? "")", field.directive)
                continue
            }
            draft.append("capabilities.keep", capability.name, field.directive)
        }
    }

    private mutating func identity(_ name: String, _ key: String) {
        let maps = all(name)
        var ranges: [Node] = []
        for (index, field) in maps.enumerated() {
            for inner in field.message { draft.isPart(inner.directive) }
            let inside = field.text("inside_id") ?? "", outside = field.text("outside_id") ?? ""
            let count = field.number("count") ?? 1
            draft.isPart(field.directive)
            if index == 0, !inside.isEmpty {
                draft.set("identity.\(key)", Int64(inside).map { .integer($0) } ?? .string(inside), field.directive)
            }
            if maps.count == 1, outside.isEmpty, count == 1 { continue }
            guard let first = Int64(inside), let other = Int64(outside) else {
                draft.warn(
                    "names, and the caller's own id, are not looked up: only the id of the command is mapped",
                    field.directive)
                continue
            }
            ranges.append(range(first, other, count, field.directive))
        }
        if let field = maps.first, !ranges.isEmpty {
            draft.set("identity.\(key == "user" ? "uid" : "gid")_map", .array(ranges), field.directive)
        }
    }

    private func range(_ inside: Int64, _ outside: Int64, _ count: Int64, _ directive: Directive) -> Node {
        let place = directive.position
        let pairs: [(String, Int64)] = [("inside", inside), ("outside", outside), ("count", count)]
        return Node(
            .table(Table(pairs.map { Table.Entry(key: $0, keyPosition: place, node: Node(.integer($1), at: place)) })),
            at: place)
    }

    mutating func writeNamespaces() {
        for (name, kind) in [
            ("clone_newuser", "user"), ("clone_newpid", "pid"), ("clone_newipc", "ipc"), ("clone_newuts", "uts"),
            ("clone_newcgroup", "cgroup"),
        ] {
            let (isNew, directive) = truth(name, true)
            guard let directive else { continue }
            if isNew {
                draft.isInForce(.own(foreign: kind), directive)
            } else {
                draft.set("namespaces.\(kind)", .string("host"), directive)
            }
        }
        if let field = last("clone_newns"), field.isTrue { draft.isInForce(.own(.mount), field.directive) }
        if truth("clone_newtime").value, let field = last("clone_newtime") {
            draft.set("namespaces.time", .string("new"), field.directive)
        }
        writeNetwork()
    }

    private mutating func writeNetwork() {
        let (isNew, directive) = truth("clone_newnet", true)
        if let directive {
            if isNew {
                draft.isInForce(.own(.net), directive)
            } else {
                draft.set("network.mode", .string("host"), directive)
                draft.set("landlock.scope", .array([]), standard("abstract sockets can be reached"))
            }
        }
        if let field = last("iface_no_lo") {
            if field.isTrue {
                draft.lose("a loopback that is down", restricts: true, field.directive)
            } else {
                draft.isInForce(.nothing, field.directive)
            }
        }
        for field in all("iface_own") { draft.lose("an interface that is moved into the jail", field.directive) }
        for field in all("traffic_rule") { draft.lose("rules of traffic", restricts: true, field.directive) }
        if let field = last("user_net") { writeUserNet(field) }
        writeClone()
    }

    private mutating func writeClone() {
        guard let field = last("macvlan_iface"), let parent = field.string, !parent.isEmpty else { return }
        draft.set("network.mode", .string("macvlan"), field.directive)
        guard Available.takes("network.parent", .string("eth0")) else {
            return draft.lose("an interface of macvlan", field.directive)
        }
        draft.set("network.parent", .string(parent), field.directive)
        let address = last("macvlan_vs_ip"), mask = last("macvlan_vs_nm"), gateway = last("macvlan_vs_gw")
        let bits = (mask?.string ?? "255.255.255.0").split(separator: ".").compactMap { UInt8($0)?.nonzeroBitCount }
            .reduce(0, +)
        draft.append("network.address", "\(address?.string ?? "192.168.0.2")/\(bits)", (address ?? field).directive)
        draft.set("network.gateway", .string(gateway?.string ?? "192.168.0.1"), (gateway ?? field).directive)
        for field in [mask, last("macvlan_vs_ma"), last("macvlan_vs_mo")].compactMap({ $0 }) {
            draft.isPart(field.directive)
        }
    }

    mutating func writeRest() {
        writeMode()
        if let field = last("hostname") {
            draft.set("hostname", .string(field.string ?? ""), field.directive)
        } else if !draft.has("namespaces.uts") {
            draft.set("hostname", .string("NSJAIL"), standard("its name unless there is another"))
        }
        if let field = last("cwd") { draft.set("cwd", .string(literal(field.string ?? "/")), field.directive) }
        writeEnvironment()
        let session = truth("skip_setsid")
        draft.set(
            "process.tty", .string(session.value ? "inherit" : "none"),
            session.directive ?? standard("a session of its own"))
        for field in all("pass_fd") {
            let number = Int64(field.word ?? "") ?? 0
            if number > 2 {
                draft.append("process.fds", [.integer(number)], field.directive)
            } else {
                draft.isInForce(.nothing, field.directive)
            }
        }
        if let field = last("disable_no_new_privs") {
            draft.isInForce(.nothing, field.directive)
            if field.isTrue { draft.set("process.no_new_privs", .boolean(false), field.directive) }
        }
        if let (value, directive) = number("oom_score_adj") {
            draft.set("process.oom_score_adj", .integer(value), directive)
        }
        let nice = number("nice_level")
        if nice?.value != 0 {
            draft.set(
                "process.nice", .integer(nice?.value ?? 19), nice?.directive ?? standard("nice unless told otherwise"))
        }
        if let (value, directive) = number("max_cpus"), value > 0 {
            draft.set("process.cpus", .string(value == 1 ? "0" : "0-\(value - 1)"), directive)
            draft.warn("nsjail takes any \(value) of those that there are", directive)
        }
        writeWithout()
    }

    private mutating func writeMode() {
        let mode = last("mode")
        let word = mode?.word ?? "ONCE"
        switch word {
        case "ONCE", "1":
            if let mode { draft.isInForce(.nothing, mode.directive) }
            draft.set("process.init", .boolean(false), standard("the command is pid 1"))
        case "EXECVE", "3": if let mode { draft.set("process.init", .boolean(false), mode.directive) }
        case "LISTEN", "0":
            if let mode {
                draft.warn(
                    "one jail on standard input and output; a socket unit with Accept=yes starts one for each connection",
                    mode.directive)
            }
        case "RERUN", "2": if let mode { draft.lose("starting it again when it has ended", mode.directive) }
        default: if let mode { draft.fail("nsjail has no mode \(word)", mode.directive) }
        }
        for name in ["port", "bindhost", "max_conns", "max_conns_per_ip"] {
            for field in all(name) {
                if word == "LISTEN" || word == "0" {
                    listening(name, field)
                } else {
                    draft.isOutside("only for the mode LISTEN", field.directive)
                }
            }
        }
    }

    /// What the socket unit says in its place.
    private mutating func listening(_ name: String, _ field: TextProto.Field) {
        let isLimit = name.hasPrefix("max")
        let key = ["max_conns": "MaxConnections=", "max_conns_per_ip": "MaxConnectionsPerSource="][name]
        if isLimit, field.word != "0" {
            draft.lose("\(key ?? "") of the socket unit", restricts: true, field.directive)
        } else if isLimit {
            draft.isInForce(.nothing, field.directive)
        } else {
            draft.warn("ListenStream= of the socket unit", field.directive)
        }
    }

    private mutating func writeEnvironment() {
        draft.set("environment.defaults", .boolean(false), standard("the environment starts empty"))
        if let field = last("keep_env") {
            if field.isTrue { draft.append("environment.keep", "*", field.directive) }
            draft.isInForce(.nothing, field.directive)
        }
        for field in all("envar") {
            let (name, value) = (field.string ?? "").cut("=")
            if let value {
                draft.setLiteral(name, value, field.directive)
            } else {
                draft.append("environment.keep", name, field.directive)
            }
        }
    }

    /// Fields that have no line, or need none.
    private mutating func writeWithout() {
        for name in ["name", "description", "daemon", "log_fd", "log_file", "log_level"] {
            for field in all(name) { draft.isOutside("", field.directive) }
        }
        let lost: [(String, String, Bool)] = [
            ("silent", "standard descriptors that are closed", false),
            ("stderr_to_null", "standard error into nothing", false),
            ("forward_signals", "signals that are handed on: immure always does", false),
            ("disable_tsc", "a clock of the processor that is closed", true),
            ("persona_addr_compat_layout", "a personality", false), ("persona_mmap_page_zero", "a personality", false),
            ("persona_read_implies_exec", "a personality", false), ("persona_addr_limit_3gb", "a personality", false),
            ("persona_addr_no_randomize", "a personality", false), ("seccomp_log", "a log of the filter", false),
            ("seccomp_unotify", "a report of the files that were opened", false),
            ("use_core_scheduling", "processors that are shared with nobody", true),
        ]
        for (name, reason, restricts) in lost {
            for field in all(name) {
                if field.isTrue {
                    draft.lose(reason, restricts: restricts, field.directive)
                } else {
                    draft.isInForce(.nothing, field.directive)
                }
            }
        }
        for field in all("seccomp_unotify_report") { draft.isOutside("", field.directive) }
    }
}
