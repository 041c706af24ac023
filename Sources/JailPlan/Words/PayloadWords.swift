import JailSpec
import LinuxFacts
import SystemCallFilter

// The words of payloads that are larger than a number or a name.

extension Filling {
    /// `optional` and `recursive` are words of the source, the rest those of mount(8).
    func words(of slot: Int, _ promise: SlotPromise) -> OperationWords {
        let target = promise.target
        let place: [(String, JSON)] = [
            ("slot", .integer(slot)), ("target", .string(target)), ("attributes", promise.attributes.json),
            ("sealed", .boolean(promise.isSealed)),
        ]
        let attributes = promise.attributes.words
        switch self {
        case .tree(let source):
            let title =
                target == "/"
                ? "root \(source.path)"
                : source.path == target ? "mount \(target)" : "mount \(source.path) on \(target)"
            return OperationWords(
                "open_tree", title,
                place + [
                    ("source", .string(source.path)), ("recursive", .boolean(source.recursive)),
                    ("optional", .boolean(source.optional)),
                ] + (source.fileIDs.map { [("idmap", $0.json)] } ?? [])
                    + (source.device.map { [("device", .string($0.text))] } ?? []) + (source.limit?.arguments ?? []),
                detail: (attributes + (source.recursive ? ["recursive"] : []) + (source.optional ? ["optional"] : [])
                    + (source.device.map { ["device \($0.text)"] } ?? [])
                    + (source.limit.map { [$0.words] } ?? [])).joined(separator: ","))
        case .device(let name, let major, let minor):
            return OperationWords(
                "open_device", "device /dev/\(name)",
                place + [("name", .string(name)), ("major", .integer(Int(major))), ("minor", .integer(Int(minor)))],
                detail: attributes.joined(separator: ","))
        case .fileSystem(let fileSystem):
            return OperationWords(
                "make_file_system", "mount \(fileSystem.type) on \(target)", place + fileSystem.arguments,
                detail: (fileSystem.words + attributes).joined(separator: ","))
        case .overlay(let source): return source.words(place, attributes, on: target)
        case .image(let source): return source.words(place, attributes, on: target)
        case .file(let content, let mode):
            return OperationWords(
                "make_file", "file \(target)", place + [("content", .string(content)), ("mode", .string(octal(mode)))],
                detail: attributes.joined(separator: ","))
        case .passedFile(let descriptor, let mode):
            return OperationWords(
                "make_file", "file \(target)",
                place + [("descriptor", .integer(Int(descriptor))), ("mode", .string(octal(mode)))],
                detail: (["from descriptor \(descriptor)"] + attributes).joined(separator: ","))
        case .noticeSocket(let fileSystem):
            return OperationWords(
                "make_notice_socket", "notify socket in \(target)", place + fileSystem.arguments,
                detail: (fileSystem.words + attributes).joined(separator: ","))
        case .credentials(let fileSystem):
            return OperationWords(
                "make_credentials", "credentials in \(target)", place + fileSystem.arguments,
                detail: (fileSystem.words + attributes).joined(separator: ","))
        }
    }
}

extension FileSystem {
    fileprivate var arguments: [(String, JSON)] {
        [
            ("type", .string(type)), ("parameters", .object(parameters.map { ($0.key, JSON($0.value)) })),
        ]
    }

    /// `mode=0755`, or the key of a parameter without a value.
    fileprivate var words: [String] {
        parameters.map { parameter in parameter.value.map { "\(parameter.key)=\($0)" } ?? parameter.key }
    }
}

extension MountAttributes {
    var json: JSON { .array(words.map { .string($0) }) }
}

extension ControlGroups.Base {
    func words(enabling controllers: [String]) -> OperationWords {
        OperationWords(
            "enable_controllers",
            controllers.isEmpty
                ? "find every controller enabled" : "enable controllers " + controllers.joined(separator: " "),
            [("base", .string(text)), ("controllers", .array(controllers.map { .string($0) }))],
            detail: "below \(text)")
    }

    /// The directory, or whom it will come from.
    private var text: String {
        switch self {
        case .directory(let path): path
        case .scope(let manager): "a scope of the \(manager.rawValue) manager"
        }
    }
}

extension CgroupDelegation {
    var words: OperationWords {
        switch self {
        case .none: OperationWords("create_cgroup", "create the cgroup", [("inner", .boolean(false))])
        case .inner:
            OperationWords("create_cgroup", "create the cgroup", [("inner", .boolean(true))], detail: "with one inside")
        case .owned(let user, let group):
            OperationWords(
                "create_cgroup", "create the cgroup",
                [("inner", .boolean(true)), ("user", .integer(Int(user))), ("group", .integer(Int(group)))],
                detail: "with one inside, for uid \(user) gid \(group)")
        }
    }
}

extension LimitSetting {
    var words: OperationWords {
        OperationWords(
            "set_limit", "limits.\(key)", [("file", .string(file)), ("value", .string(value))],
            detail: "\(file) = \(value)")
    }
}

extension JoinedNamespace {
    static func words(_ joined: [JoinedNamespace]) -> OperationWords {
        OperationWords(
            "join_namespaces",
            "join the namespace\(joined.count == 1 ? "" : "s") " + joined.map(\.path).joined(separator: ", "),
            [
                (
                    "namespaces",
                    .array(joined.map { .object([("kind", .string($0.kind.rawValue)), ("path", .string($0.path))]) })
                )
            ])
    }
}

extension IdentityMaps {
    var words: OperationWords {
        OperationWords(
            "map_identities", "map user and group ids",
            [
                ("users", .array(users.map(\.json))), ("groups", .array(groups.map(\.json))),
                ("writer", .string(writer.rawValue)), ("deny_setgroups", .boolean(denySetgroups)),
            ],
            detail: "uid \(Self.text(users)); gid \(Self.text(groups)); by \(writer.rawValue)")
    }

    private static func text(_ ranges: [Identity.Range]) -> String {
        ranges.map { "\($0.inside)→\($0.outside)" + ($0.count == 1 ? "" : "×\($0.count)") }.joined(separator: " ")
    }
}

extension Identity.Range {
    var json: JSON {
        .object([
            ("inside", .integer(Int(inside))), ("outside", .integer(Int(outside))), ("count", .integer(Int(count))),
        ])
    }
}

extension InheritedAttributes {
    var words: OperationWords {
        OperationWords(
            "reset_personality", "reset personality",
            [
                ("personality", .integer(Int(personality))), ("huge_pages", .boolean(!hugePagesOff)),
                ("timer_slack", .integer(Int(timerSlack))),
            ], detail: text)
    }

    /// `personality 0, huge pages allowed, timer slack 50000 ns`
    package var text: String {
        "personality \(personality), huge pages \(hugePagesOff ? "forbidden" : "allowed"), timer slack \(timerSlack) ns"
    }
}

extension SessionTerminal {
    var words: OperationWords {
        let title =
            switch self {
            case .none: "new session"
            case .jail, .host: "new session with a terminal"
            }
        return OperationWords("start_session", title, [("terminal", .string(rawValue))])
    }
}

extension EffectiveCapabilities {
    var words: OperationWords {
        OperationWords(
            "set_capabilities", "set capabilities",
            [
                ("permitted", permitted.json), ("effective", effective.json), ("inheritable", inheritable.json),
                ("ambient", ambient.json),
            ],
            detail: "permitted \(permitted.text); effective \(effective.text); "
                + "inheritable \(inheritable.text); ambient \(ambient.text)")
    }
}

extension CapabilitySet {
    var json: JSON { .array(names.map { .string($0) }) }
    var text: String { names.isEmpty ? "none" : names.joined(separator: ",") }

    /// The names of what is in the set, in the order of the numbers.
    private var names: [String] { capabilities.map(\.name) }
}

extension FilterProgram {
    var words: OperationWords {
        OperationWords(
            "install_filter", "filter system calls", [("policy", policy.json)],
            detail: "\(policy.summary); \(instructions.count) instructions")
    }
}

extension ClockOffset {
    /// Seconds with the nanoseconds as nine decimals, below zero as people write it and not as the kernel counts.
    var text: String {
        let isBelow = seconds < 0 && nanoseconds > 0
        let (whole, rest) = isBelow ? (seconds + 1, 1_000_000_000 - nanoseconds) : (seconds, nanoseconds)
        let digits = "\(rest)"
        return
            "\(isBelow && whole == 0 ? "-" : "")\(whole).\(String(repeating: "0", count: max(0, 9 - digits.utf8.count)))\(digits)"
    }
}

extension Publication {
    /// The host's end: `127.0.0.1:8080/tcp`.
    var outerWords: String {
        let address = outerAddress.isIPv6 ? "[\(outerAddress)]" : "\(outerAddress)"
        return "\(address):\(hostPort)/\(transport.rawValue)"
    }

    static func words(_ all: [Publication]) -> OperationWords {
        OperationWords(
            "publish", "publish \(all.count) port\(all.count == 1 ? "" : "s")",
            [
                (
                    "ports",
                    .array(
                        all.map { .object([("host", .string($0.outerWords)), ("jail", .integer(Int($0.jailPort)))]) })
                )
            ],
            detail: all.map { "\($0.outerWords) to \($0.jailPort)" }.joined(separator: ", "))
    }
}

extension NetworkProvision {
    var words: OperationWords {
        let (title, origin): (String, (String, JSON)) =
            switch way {
            case .stack(let stack):
                ("start \(stack.rawValue) for the jail's network", ("stack", .string(stack.rawValue)))
            case .link(let link): (link.words, ("link", link.json))
            }
        return OperationWords(
            "provide_network", title,
            [
                origin, ("rules", .string(rules.text)),
                ("resolver", forwardedResolver.map { .string("\($0)") } ?? .null),
                ("names", names?.json ?? .null), ("addresses", .array(instead.map { .string("\($0)") })),
            ],
            detail: rules.words + (names == nil ? "" : ", names by a resolver of its own")
                + (instead.isEmpty ? "" : ", as " + instead.map { "\($0)" }.joined(separator: " and ")))
    }

    var waitingWords: OperationWords {
        let families = (leadsOut.four ? ["IPv4"] : []) + (leadsOut.six ? ["IPv6"] : [])
        return OperationWords(
            "await_network", "wait for the network", [("routes", .array(families.map { .string($0) }))],
            detail: families.joined(separator: ","))
    }
}

extension NetworkRules {
    fileprivate var words: String {
        guard let allowed else { return "all but the host and its link" }
        let count = "\(allowed.count) destination\(allowed.count == 1 ? "" : "s") allowed"
        return isWide ? "\(count), of the host and its link what is named" : count
    }
}

extension NameService {
    /// Where it answers, and whom it asks.
    fileprivate var json: JSON {
        .object([
            ("answers_at", .string("\(Self.address):\(Self.port)")),
            ("asks", .array(servers.map { .string("\($0)") })),
            ("for", .array(destinations.map { .string("\($0)") })),
        ])
    }
}
