package import JailPlan
import JailSpec
import Kernel
import SpecFile

extension Outcome {
    /// What the jail kept from the command, the most likely cause of a failure first: what was seen of its calls, what the rules of its
    /// network refused, and limits that ended it. Of what a program is prepared for only with `all`.
    package func reasons(of plan: Plan, all: Bool) -> [Denial] {
        let sorted = Denial.sorted(denials.filter { $0.kind.isDenial } + refusals(plan) + limits(plan))
        if all { return sorted }
        let found = sorted.filter { $0.kind != .nowhere && $0.kind != .absent }
        // What the host has not either explains nothing but a failure, only where nothing else does and nobody went on without it.
        return found.isEmpty && status != 0 ? sorted.filter { $0.kind == .nowhere && !$0.isDoneWithout } : found
    }

    /// Whether something was missing that the host has not either.
    package var missedSomething: Bool { denials.contains { $0.kind == .nowhere } }

    /// What the rules of its network refused, with who tried it, where a call was seen.
    private func refusals(_ plan: Plan) -> [Denial] {
        guard let rules = plan.provision?.rules else { return [] }
        let tried = denials.filter { $0.kind == .tried }
        return (refusedConnections ?? []).prefix(10).reversed().map { refused in
            var denial = Denial(.network, refused.destination)
            let isHeldBack = refused.address.map(rules.holdsBack) ?? false
            if isHeldBack {
                denial.remark = "which no range of the list opens, as it is of the host, its link or a cloud's metadata"
            } else if rules.allowed == nil {
                denial.remark = "which is closed by default, and this line closes all that it does not name"
            } else if let leads = refused.leadsTo {
                denial.remark = "as it leads to \(leads), which no name opens"
            } else if let origin = plan.listOfDestinations {
                denial.remark = "and the line goes beside what \(origin) says"
            }
            let wanted =
                refused.leadsTo ?? named(refused.destination, rules.allowed != nil && !isHeldBack)
                ?? refused.destination
            // Many names at once have none, nor has a name that is not one of a host.
            if !wanted.utf8.contains(where: { " \\".utf8.contains($0) }) {
                denial.line = "network.allow = [\(TOML.string(wanted))]"
            }
            let destination = Self.address(refused.destination.split(separator: "/").first ?? "")
            if let call = tried.first(where: { Self.address($0.subject[...]) == destination }) {
                (denial.call, denial.program) = (call.call, call.program)
                // A server of names: the names are what is wanted.
                if call.line != nil || call.advice != nil { denial = call.refused(as: denial) }
            }
            return denial
        }
    }

    /// The name that the command was told has the address of `ADDRESS:PORT/PROTOCOL`, as network.allow has it; nil for none, or where
    /// a name would not open it.
    private func named(_ destination: String, _ hasList: Bool) -> String? {
        let parts = destination.split(separator: "/")
        guard hasList, parts.count == 2, let colon = parts[0].lastIndex(of: ":"),
            let address = IPAddress(parts[0][..<colon].filter { $0 != "[" && $0 != "]" }[...]),
            NameService.mayOpen(address)
        else { return nil }
        let answers = denials.filter { $0.kind == .answered }
        let words = "\(address)"
        guard let name = answers.last(where: { $0.remark.split(separator: " ").contains { $0 == words } })?.subject
        else { return nil }
        let port = parts[0][parts[0].index(after: colon)...]
        if parts[1] == "tcp" { return port == "443" ? name : "\(name):\(port)" }
        return "\(name):\(port)/\(parts[1])"
    }

    /// `ADDRESS:PORT`, `[ADDRESS]:PORT`, however the address is written.
    private static func address(_ text: Substring) -> String {
        guard let colon = text.lastIndex(of: ":") else { return String(text) }
        let host = text[..<colon].drop { $0 == "[" }
        let plain = host.last == "]" ? host.dropLast() : host
        return (IPAddress(plain).map { "\($0)" } ?? String(plain)) + text[colon...]
    }

    /// Limits that end a process by a signal, which a shell tells by its status.
    private func limits(_ plan: Plan) -> [Denial] {
        var found: [Denial] = []
        for step in plan.steps {
            guard case .limits(.setResourceLimit(let resource, let soft?, let hard)) = step.operation,
                !denials.contains(where: { $0.kind == .limit && $0.subject == "rlimits.\(resource.name)" })
            else { continue }
            let isReached =
                switch resource {
                case .fsize: status == 128 + Signal.fileTooLarge
                case .cpu:
                    status == 128 + Signal.processorTime
                        // Where both are one the kernel kills at once.
                        || status == 128 + Signal.kill && soft == hard && hasSpent(soft)
                default: false
                }
            if isReached { found.append(Denial(resource, soft, wanting: 0, at: step.origin)) }
        }
        return found
    }

    /// Whether all processes of the jail have had so many seconds of the processor, which the kernel counts otherwise for a limit: by its ticks.
    private func hasSpent(_ seconds: UInt64) -> Bool {
        (Double(use.userMicroseconds) + Double(use.systemMicroseconds)) / 500_000 >= Double(seconds)
    }
}

extension Denial {
    /// What a call was seen to want, of what the rules refused.
    fileprivate func refused(as other: Denial) -> Denial {
        var denial = other
        (denial.line, denial.advice) = (line, advice)
        denial.remark = [remark, other.remark].filter { !$0.isEmpty }.joined(separator: ", ")
        return denial
    }
}
