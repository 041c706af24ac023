package import SpecFile

/// `[environment]`: what of the caller's environment is kept, and what is set.
package struct EnvironmentRules: Equatable, Sendable {
    /// Names, or prefixes that end in `*`.
    package var keep: [Located<String>] = []
    /// Names and values in the order of the file.
    package var set: [(name: String, value: Located<String>)] = []

    package init() {}

    package static func == (a: Self, b: Self) -> Bool {
        a.keep == b.keep && a.set.elementsEqual(b.set) { $0.name == $1.name && $0.value == $1.value }
    }
}
