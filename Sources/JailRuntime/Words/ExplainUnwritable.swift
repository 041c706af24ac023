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
        return Diagnostic(
            "\(title(of: step)): \(what)", at: steps[step].origin,
            hint: isOffered && effectiveUser == 0 ? "set identity.user = \(user)" : nil)
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
