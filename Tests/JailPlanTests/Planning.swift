import JailPlan
import JailSpec
import SpecFile
import TestSupport

/// The spec of a text, which must be right; it runs `true` where it names no command.
func spec(_ text: String) throws -> Spec {
    var spec = try TestSupport.spec(text)
    if spec.command == nil { spec.command = Located(["true"]) }
    return spec
}

/// The plan of a text, which must have one.
func plan(_ text: String, on host: Host = .root) throws -> Plan {
    try Planner.plan(try spec(text), on: host).get()
}

/// The faults of a text that can have no plan as `line:column: message`, `-: message` where no line is to blame.
func faults(_ text: String, on host: Host = .root) throws -> [String] {
    switch Planner.plan(try spec(text), on: host) {
    case .success: return []
    case .failure(let faults):
        return faults.diagnostics.map { fault in
            (fault.position.map { "\($0.line):\($0.column)" } ?? "-") + ": " + fault.message
        }
    }
}

extension Plan {
    var operations: [Operation] { steps.map(\.operation) }
    /// The names of the operations in order.
    var names: [String] { operations.map(\.operationName) }

    /// Who the command is where it must become somebody: `uid:gid`.
    var identity: String? {
        operations.lazy.compactMap { operation in
            if case .identity(.setIdentity(let user, let group)) = operation { "\(user):\(group)" } else { nil }
        }.first
    }

    var groups: [UInt32]? {
        operations.lazy.compactMap { if case .identity(.setGroups(let groups)) = $0 { groups } else { nil } }.first
    }

    var capabilities: EffectiveCapabilities? {
        operations.lazy.compactMap { if case .identity(.setCapabilities(let sets)) = $0 { sets } else { nil } }.first
    }

    var bounding: CapabilitySet? {
        operations.lazy.compactMap { if case .identity(.dropBounding(let kept)) = $0 { kept } else { nil } }.first
    }

    var environment: [String] {
        if case .process(.execute(_, _, let environment))? = operations.last { return environment }
        return []
    }

    /// The value of one variable of the command; nil where it has none.
    func variable(_ name: String) -> String? {
        environment.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
    }

    /// What is put where, in order: `attach /usr`, `hide /etc/ssh`.
    var placements: [String] {
        operations.compactMap { operation in
            switch operation {
            case .tree(.attach(_, let target, _)): "attach \(target)"
            case .tree(.makeDirectory(let target, _, _)): "directory \(target)"
            case .tree(.makeSymlink(let target, _)): "symlink \(target)"
            case .tree(.hide(let target)): "hide \(target)"
            case .tree(.pin(let target, _, _)): "pin \(target)"
            case .tree(.protectFile(let target, _)): "protect_file \(target)"
            case .tree(.mask(let target)): "mask \(target)"
            case .tree(.protect(let target)): "protect \(target)"
            default: nil
            }
        }
    }

    /// What makes the mount on that target.
    func source(on target: String) -> Operation? {
        guard
            case .tree(.attach(let slot, _, _))? = operations.first(where: { operation in
                if case .tree(.attach(_, target, _)) = operation { true } else { false }
            })
        else { return nil }
        return operations.first { if case .tree(.fill(slot, _, _)) = $0 { true } else { false } }
    }
}

extension IdentityMaps {
    /// `0→1000×1 by helpers`, users before groups.
    var text: String {
        func words(_ ranges: [Identity.Range]) -> String {
            ranges.map { "\($0.inside)→\($0.outside)×\($0.count)" }.joined(separator: " ")
        }
        return "\(words(users)) | \(words(groups)) | \(writer.rawValue)"
    }
}
