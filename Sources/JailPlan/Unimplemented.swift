package import JailSpec
package import SpecFile

extension Planner {
    /// What a spec may state and this version cannot put in force is refused by name, never passed over.
    mutating func refuse(_ what: String, _ position: Position?) {
        faults.append(Self.unimplemented(what, position))
    }

    private static let words = " is not implemented in this version"

    /// What this version cannot put in force of a spec, on whatever host: root is refused for nothing but that.
    package static func refusedByVersion(_ spec: Spec) -> [Diagnostic] {
        var host = Host()
        host.isPrivileged = true
        guard case .failure(let faults) = plan(spec, on: host) else { return [] }
        return faults.diagnostics.filter { $0.message.hasSuffix(words) }
    }

    static func unimplemented(_ what: String, _ position: Position?) -> Diagnostic {
        Diagnostic(
            what + words, at: position, hint: "remove it to launch without it")
    }
}
