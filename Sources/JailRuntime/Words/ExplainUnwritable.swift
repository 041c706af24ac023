import JailPlan
import JailSpec
import Kernel
import SpecFile

extension Plan {
    /// What to say of a writable mount that the command's user may not write to.
    func unwritableNote(_ step: Int, owner: UInt32) -> Diagnostic {
        var what = "the command's user may not write there"
        let isKnown = owner != Planner.nobody
        let name = isKnown ? Self.name(of: owner) : ""
        if isKnown { what += ": it belongs to " + (name.isEmpty ? "uid \(owner)" : name) }
        // Of others than root, who is nobody's user by a note, and where a number inside is the same outside.
        let isOffered =
            isKnown && owner != 0 && maps.map { map in map.users.allSatisfy { $0.inside == $0.outside } } ?? true
        let user = name.isEmpty ? "\(owner)" : "\"\(name)\""
        // The command of root's jail is nobody, and root's files are what root has mostly.
        let rootHint = "give it to the command's user by chown, or by a [[mount]] with idmap = true"
        let keptHint = "give it to the command's user by chown"
        let userHint = "set identity.user = \(user)"
        return Diagnostic(
            "\(title(of: step)): \(what)", at: steps[step].origin,
            hint: effectiveUser != 0
                ? nil : owner == 0 ? (keepsChanges(step) ? keptHint : rootHint) : isOffered ? userHint : nil)
    }

    /// Whether a step attaches an overlay whose changes are kept, which has no other ids than what it changes.
    private func keepsChanges(_ step: Int) -> Bool {
        guard case .tree(.attach(let slot, _, _)) = steps[step].operation else { return false }
        return steps.contains { other in
            guard case .tree(.fill(slot, .overlay(let source), _)) = other.operation else { return false }
            return !source.isThrownAway
        }
    }

    private var effectiveUser: UInt32 { callerIdentity().euid }

    private static func name(of user: UInt32) -> String {
        do throws(KernelError) {
            return Accounts.users(try Accounts.read("etc/passwd", below: "/"), wanted: .id(user)).first?.name ?? ""
        } catch {
            return ""
        }
    }
}
