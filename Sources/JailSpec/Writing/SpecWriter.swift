import SpecFile

/// A spec as a text that reads back as the same spec: what was written is written, defaults are left out.
///
/// A line for each key, by its dotted path, in the order of the manual. Paths are those of the spec, which are expanded.
package struct SpecWriter {
    private var lines: [String] = []

    /// The text of a spec.
    package static func text(of spec: Spec) -> String {
        var writer = SpecWriter()
        writer.write(spec)
        return writer.lines.map { $0 + "\n" }.joined()
    }

    /// A key with a value that is TOML already.
    mutating func add(_ key: String, _ value: String) { lines.append("\(key) = \(value)") }

    /// The same of a value in the words of TOML; what nobody wrote has no position, and no line.
    mutating func add<Value>(_ key: String, _ value: Located<Value>?, _ words: (Value) -> String) {
        if let value, value.position != nil { add(key, words(value.value)) }
    }

    private mutating func write(_ spec: Spec) {
        add("command", spec.command) { TOML.array($0.map(TOML.string)) }
        add("cwd", spec.cwd, TOML.string)
        add("hostname", spec.hostname, TOML.string)
        add("timeout", spec.timeout, TOML.duration)
        add("grace", spec.grace, TOML.duration)
        write(spec.filesystem)
        write(spec.namespaces)
        write(spec.identity)
        write(spec.capabilities)
        write(spec.process)
        write(spec.environment)
        for limit in spec.rlimits { write(limit) }
        if let limits = spec.limits?.value { write(limits) }
        if let policy = spec.seccomp?.value { write(policy) }
        if let policy = spec.landlock?.value { write(policy) }
        write(spec.network)
        write(spec.service)
    }
}
