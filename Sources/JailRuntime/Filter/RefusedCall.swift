package import JailPlan
import SpecFile
import SystemCallFilter

/// A call that the filter of the jail refused, or logged.
package struct RefusedCall: Equatable, Sendable {
    let name: String
    let arguments: [String]
    /// `kill` or `log`.
    let action: String
    /// What of the policy decided, and where it stands.
    let reason: String
    let position: Position?
    /// Who made it: the name that the program gives itself, and the id inside.
    var program = ""
    var process: Int32 = 0
    /// How often it was made.
    var count = 1

    var call: String { "\(name)(\(arguments.joined(separator: ", ")))" }

    /// `ptrace(PTRACE_TRACEME): spec.toml:14:9, seccomp.kill (python3, pid 7)`
    var words: String {
        let place = position.map { "\($0), " } ?? ""
        return "\(call): \(place)\(reason) (\(program), pid \(process))"
    }

    package var json: JSON {
        .object([
            ("call", .string(name)), ("arguments", .array(arguments.map { .string($0) })), ("action", .string(action)),
            ("rule", .object([("reason", .string(reason)), ("position", JSON(position))])),
            ("program", .string(program)), ("pid", .integer(Int(process))), ("count", .integer(count)),
        ])
    }
}
