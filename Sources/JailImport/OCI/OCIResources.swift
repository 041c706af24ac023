import JailSpec
import SpecFile
import SystemCallFilter

extension OCIImport {
    mutating func resources(_ node: Node) {
        for (key, value, directive) in entries(node, "linux.resources") {
            draft.isPart(directive)
            switch key {
            case "devices":
                draft.isInForce(.ownDevices, "nodes that are not in /dev cannot be made, nor opened", directive)
            case "memory": memory(value)
            case "cpu": processors(value)
            case "pids":
                if let limit = value["limit"]?.integer, limit > 0 {
                    draft.set("limits.pids", .integer(limit), directive)
                }
            case "blockIO": blocks(value)
            case "hugepageLimits": draft.lose("a limit of huge pages", restricts: !value.elements.isEmpty, directive)
            case "network": draft.lose("a class of packets", directive)
            case "rdma": rdma = directive
            case "unified": draft.lose("files of cgroups by their names", restricts: true, directive)
            default: break
            }
        }
    }

    /// What RDMA uses is asked for through nodes of /dev/infiniband (uverbs of the kernel charges the group, nothing else does).
    mutating func writeRDMA() {
        guard let rdma else { return }
        if showsRDMA {
            draft.lose("a limit of RDMA", restricts: true, rdma)
        } else {
            draft.isInForce(.nothing, "no device of RDMA can be opened", rdma)
        }
    }

    private mutating func memory(_ node: Node) {
        let limit = node["limit"]?.integer ?? 0
        for (key, value, directive) in entries(node, "linux.resources.memory") {
            switch key {
            case "limit":
                if limit > 0 {
                    draft.set("limits.memory", .integer(limit), directive)
                } else {
                    draft.isInForce(.nothing, directive)
                }
            case "swap":
                guard let both = value.integer, both >= 0 else {
                    draft.isInForce(.nothing, directive)
                    continue
                }
                // With swap counted in.
                draft.set("limits.swap", .integer(max(0, both - limit)), directive)
            case "kernel", "kernelTCP": draft.isInForce(.nothing, "no kernel limits it any more", directive)
            case "reservation", "swappiness", "disableOOMKiller", "useHierarchy", "checkBeforeUpdate":
                draft.lose("no line for it", directive)
            default: break
            }
        }
    }

    private mutating func processors(_ node: Node) {
        let period = node["period"]?.integer ?? 100_000
        for (key, value, directive) in entries(node, "linux.resources.cpu") {
            switch key {
            case "shares": draft.sharesOfProcessors(value.integer ?? 1024, directive)
            case "quota":
                guard let quota = value.integer, quota > 0, period > 0 else {
                    draft.isInForce(.nothing, directive)
                    continue
                }
                guard let percent = draft.percent(quota, of: period) else {
                    draft.fail("longer than time goes", directive)
                    continue
                }
                draft.set("limits.cpu", .string("\(percent)%"), directive)
            case "period": draft.isPart(directive)
            case "cpus": if let text = value.text { draft.set("limits.cpus", .string(text), directive) }
            case "mems", "realtimeRuntime", "realtimePeriod":
                draft.lose("no line for it", restricts: !(value.text?.isEmpty ?? (value.integer == 0)), directive)
            case "burst", "idle": draft.lose("no line for it", directive)
            default: break
            }
        }
    }

    private mutating func blocks(_ node: Node) {
        let throttles = [
            "throttleReadBpsDevice": "rbps", "throttleWriteBpsDevice": "wbps", "throttleReadIOPSDevice": "riops",
            "throttleWriteIOPSDevice": "wiops",
        ]
        for (key, value, directive) in entries(node, "linux.resources.blockIO") {
            switch key {
            case "weight": draft.weightOfBlocks(value.integer ?? 0, directive)
            case "leafWeight": draft.isInForce(.nothing, "no kernel has it since Linux 5.0", directive)
            case "weightDevice", "throttleReadBpsDevice", "throttleWriteBpsDevice", "throttleReadIOPSDevice",
                "throttleWriteIOPSDevice":
                draft.isPart(directive)
                for element in value.elements {
                    guard let major = element["major"]?.integer, let minor = element["minor"]?.integer else { continue }
                    let amount = element[key == "weightDevice" ? "weight" : "rate"]?.integer ?? 0
                    draft.add(
                        "limits.io",
                        [
                            ("device", .string("/dev/block/\(major):\(minor)")),
                            (throttles[key] ?? "weight", .integer(amount)),
                        ], directive)
                }
            default: break
            }
        }
    }

    // MARK: Filter

    mutating func seccomp(_ node: Node) {
        draft.set("seccomp.profile", .string("none"), Draft.standard("oci", "calls are as linux.seccomp says"))
        let number = node["defaultErrnoRet"]?.integer
        var standard = "EPERM"
        for (key, value, directive) in entries(node, "linux.seccomp") {
            switch key {
            case "defaultAction":
                standard = action(value.text ?? "", number, directive) ?? "EPERM"
                draft.set("seccomp.default", .string(standard), directive)
            case "defaultErrnoRet": draft.isPart(directive)
            case "architectures", "archMap":
                draft.isInForce(.nativeCalls, "calls of other architectures end the process", directive)
            case "flags":
                let others = value.elements.compactMap(\.text).filter { $0 != "SECCOMP_FILTER_FLAG_TSYNC" }
                if others.isEmpty {
                    draft.isInForce(.nothing, directive)
                } else {
                    draft.lose(others.joined(separator: ", "), directive)
                }
            case "listenerPath", "listenerMetadata":
                draft.lose("a decision of another process", restricts: true, directive)
            case "syscalls":
                draft.isPart(directive)
                for element in value.elements { rule(element, standard) }
            default: break
            }
        }
    }

    private mutating func action(_ word: String, _ number: Int64?, _ directive: Directive) -> String? {
        switch word {
        case "SCMP_ACT_ALLOW": return "allow"
        case "SCMP_ACT_LOG": return "log"
        case "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD": return "kill"
        case "SCMP_ACT_TRAP": return "trap"
        case "SCMP_ACT_ERRNO": return number.flatMap { ErrorNumber.name(of: Int32(truncatingIfNeeded: $0)) } ?? "EPERM"
        default:
            draft.lose("\(word): a decision of another process", restricts: true, directive)
            return nil
        }
    }

    private mutating func rule(_ node: Node, _ standard: String) {
        let names = (node["names"]?.elements ?? []).compactMap(\.text)
        let directive = Directive("linux.seccomp.syscalls \(shown(Array(names.prefix(4))))", at: node.position)
        draft.take(directive)
        guard let action = action(node["action"]?.text ?? "", node["errnoRet"]?.integer, directive) else { return }
        guard counts(node, directive) else {
            return draft.isInForce(.nothing, "not under these circumstances: \(shown(names))", directive)
        }
        var conditions: [ArgumentCondition] = []
        for argument in node["args"]?.elements ?? [] {
            guard let condition = condition(argument) else {
                draft.lose("a comparison that a spec cannot say", restricts: action != "allow", directive)
                return
            }
            conditions.append(condition)
        }
        // runc takes comparisons of one argument for alternatives, and those of several for one rule.
        let isOneOf = Set(conditions.map(\.index)).count < conditions.count
        let alternatives = conditions.isEmpty ? [] : isOneOf ? conditions.map { [$0] } : [conditions]
        for name in names {
            // Calls that this kernel's table has not are those of other systems: runtimes pass over them.
            guard CallNames.isKnown(name) else { continue }
            if !draft.decide(name, action, alternatives, otherwise: standard, directive) {
                draft.lose("\(name): a condition that a spec cannot say", restricts: true, directive)
            }
        }
        draft.isPart(directive)
    }

    /// Whether the circumstances hold under which a rule of a container engine's profile counts.
    private mutating func counts(_ node: Node, _ directive: Directive) -> Bool {
        func capabilities(_ node: Node?) -> CapabilitySet {
            (node?["caps"]?.elements ?? []).compactMap { $0.text.flatMap { Capability.named(foreign: $0) } }
                .reduce([]) { $0 | CapabilitySet($1) }
        }
        let own = Architecture.native.names.go
        func names(_ node: Node?) -> [String] { (node?["arches"]?.elements ?? []).compactMap(\.text) }
        let (wanted, unwanted) = (node["includes"], node["excludes"])
        if wanted?["minKernel"] != nil || unwanted?["minKernel"] != nil {
            draft.warn("taken for a kernel that has it", directive)
        }
        if unwanted?["minKernel"] != nil || names(unwanted).contains(own) { return false }
        if let named = wanted?["arches"], !named.elements.isEmpty, !names(wanted).contains(own) { return false }
        return capabilities(wanted).without(held).isNone
            && capabilities(unwanted).capabilities.allSatisfy { !held.contains($0) }
    }

    private func condition(_ node: Node) -> ArgumentCondition? {
        let index = Int(node["index"]?.integer ?? 0)
        func word(_ node: Node?) -> String {
            switch node?.value {
            case .integer(let number): String(number)
            case .unsigned(let number): "0x" + String(number, radix: 16)
            default: "0"
            }
        }
        let value = word(node["value"]), second = word(node["valueTwo"])
        let operators = [
            "SCMP_CMP_EQ": "==", "SCMP_CMP_NE": "!=", "SCMP_CMP_LT": "<", "SCMP_CMP_LE": "<=", "SCMP_CMP_GT": ">",
            "SCMP_CMP_GE": ">=",
        ]
        let op = node["op"]?.text ?? ""
        if let plain = operators[op] { return ArgumentCondition(index: index, op: plain, value: value) }
        guard op == "SCMP_CMP_MASKED_EQ" else { return nil }
        if second == "0" { return ArgumentCondition(index: index, op: "!&", value: value) }
        let isOneBit = Int64(value).map { $0.nonzeroBitCount == 1 } ?? false
        return second == value && isOneBit ? ArgumentCondition(index: index, op: "&", value: value) : nil
    }
}
