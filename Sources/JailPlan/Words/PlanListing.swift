import JailSpec
import LinuxFacts
package import SpecFile
import SystemCallFilter

/// A plan as `immure plan` prints it.
extension Plan {
    /// An array with an object for each step: operation, arguments, position.
    package var json: JSON {
        .array(
            steps.enumerated().map { index, step in
                .object([
                    ("step", .integer(index + 1)), ("operation", .string(step.operation.operationName)),
                    ("summary", .string(title(of: index))), ("arguments", .object(step.operation.arguments)),
                    ("position", JSON(step.origin)),
                ])
            })
    }

    /// Numbered lines, each with the place that it comes from, then what is to be known besides.
    package var listing: [String] {
        var lines: [String] = []
        let rows = steps.indices.map { index in
            let detail = steps[index].operation.detail
            return (
                name: steps[index].operation.operationName,
                what: title(of: index) + (detail.isEmpty ? "" : " (\(detail))"),
                origin: steps[index].origin?.description ?? "default"
            )
        }
        let numberWidth = "\(rows.count)".utf8.count
        let nameWidth = rows.map(\.name.utf8.count).max() ?? 0
        for (index, row) in rows.enumerated() {
            let number = "\(index + 1)"
            let left = String(repeating: " ", count: numberWidth - number.utf8.count) + number
            let name = row.name + String(repeating: " ", count: nameWidth - row.name.utf8.count)
            lines.append("\(left)  \(name)  \(row.what)  [\(row.origin)]")
        }
        if let policy = filter?.policy { lines += policy.leftOut.map { "note: seccomp.profile: \($0)" } }
        for note in notes { lines.append("note: \(note.origin.map { "\($0): " } ?? "")\(note.message)") }
        return lines
    }
}

extension JSON {
    /// A place in a file as an object; null for a default.
    package init(_ position: Position?) {
        guard let position else {
            self = .null
            return
        }
        self = .object([
            ("file", .string(position.file)), ("line", .integer(position.line)), ("column", .integer(position.column)),
        ])
    }

    /// A diagnostic with its position and hint.
    package init(_ diagnostic: Diagnostic) {
        self = .object([
            ("message", .string(diagnostic.message)), ("position", JSON(diagnostic.position)),
            ("hint", JSON(diagnostic.hint)),
        ])
    }
}

extension Operation {
    /// What the title of an operation leaves out and a person wants to know.
    fileprivate var detail: String {
        switch self {
        case .mapIdentities(let maps):
            "uid \(Self.words(maps.users)); gid \(Self.words(maps.groups)); by \(maps.writer.rawValue)"
        case .offsetClocks(let monotonic, let boottime): "monotonic \(monotonic.text)s, boottime \(boottime.text)s"
        case .openTree(_, let source):
            (source.attributes.words + (source.recursive ? ["recursive"] : []) + (source.optional ? ["optional"] : []))
                .joined(separator: ",")
        case .makeFileSystem(_, let fileSystem):
            (fileSystem.parameters.map { parameter in
                parameter.value.map { "\(parameter.key)=\($0)" } ?? parameter.key
            } + fileSystem.attributes.words).joined(separator: ",")
        case .enableControllers(let base, _): "below \(base.text)"
        case .createCgroup(.inner): "with one inside"
        case .createCgroup(.owned(let user, let group)): "with one inside, for uid \(user) gid \(group)"
        case .setLimit(let setting): "\(setting.file) = \(setting.value)"
        case .raiseHardLimit(_, let hard): hard.map { "\($0)" } ?? "unlimited"
        case .setResourceLimit(_, let soft, let hard):
            "\(soft.map { "\($0)" } ?? "unlimited"):\(hard.map { "\($0)" } ?? "unlimited")"
        case .createRuleset(let handled): "closing " + handled.names.joined(separator: ",")
        case .allowPath(_, let access): access.names.joined(separator: ",")
        case .setUmask(let mask): "0" + String(mask, radix: 8)
        case .dropBounding(let kept): "keeping " + Self.words(kept)
        case .setCapabilities(let sets):
            "permitted \(Self.words(sets.permitted)); effective \(Self.words(sets.effective)); "
                + "inheritable \(Self.words(sets.inheritable)); ambient \(Self.words(sets.ambient))"
        case .closeDescriptors(let kept): "keeping " + ([0, 1, 2] + kept).map { "\($0)" }.joined(separator: ",")
        case .installFilter(let program):
            "\(program.policy.summary); \(program.instructions.count) instructions"
        case .execute(let arguments, let environment):
            "\(arguments.count) argument\(arguments.count == 1 ? "" : "s"), \(environment.count) variables"
        default: ""
        }
    }

    private static func words(_ ranges: [Identity.Range]) -> String {
        ranges.map { "\($0.inside)→\($0.outside)" + ($0.count == 1 ? "" : "×\($0.count)") }.joined(separator: " ")
    }

    private static func words(_ set: CapabilitySet) -> String {
        let names = set.names
        return names.isEmpty ? "none" : names.joined(separator: ",")
    }
}
