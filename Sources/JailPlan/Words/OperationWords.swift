import JailSpec
import LinuxFacts
import SystemCallFilter

/// What an operation says of itself, to a person and as JSON.
package struct OperationWords: Sendable {
    /// As JSON has it: `set_nice`.
    package let name: String
    /// In a few words, with the path or name that it is about: `mount /srv`. A failure begins with it.
    package let title: String
    /// What the title leaves out and a person wants to know; empty for nothing.
    package let detail: String
    /// What it was given, by name.
    package let arguments: [(String, JSON)]

    init(_ name: String, _ title: String, _ arguments: [(String, JSON)] = [], detail: String = "") {
        (self.name, self.title, self.detail, self.arguments) = (name, title, detail, arguments)
    }
}

/// What stands on a target of which nothing is to be used.
func shut(_ target: String) -> [(String, JSON)] {
    [("target", .string(target)), ("attributes", MountAttributes.shut.json)]
}

/// Permissions as people write them.
func octal(_ mode: UInt32) -> String { "0" + String(mode, radix: 8) }

/// A limit, where nil stands for unlimited.
func limitWord(_ limit: UInt64?) -> String { limit.map { "\($0)" } ?? "unlimited" }

extension JSON {
    /// A limit, where nil stands for unlimited.
    init(limit: UInt64?) {
        guard let limit else {
            self = .string("unlimited")
            return
        }
        self = Int(exactly: limit).map { .integer($0) } ?? .string("\(limit)")
    }
}
