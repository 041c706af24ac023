package import SpecFile

/// `[environment]`: what of the caller's environment is kept, and what is set.
package struct EnvironmentRules: Equatable, Sendable {
    /// Whether it starts with what is set for the jail; else with nothing.
    package var defaults = Located(true)
    /// Names, or prefixes that end in `*`.
    package var keep: [Located<String>] = []
    /// The same, of what is not kept all the same.
    package var unset: [Located<String>] = []
    /// Directories of the jail that go before those of PATH.
    package var path: [Located<String>] = []
    /// Names and values in the order of the file.
    package var set: [(name: String, value: Located<String>)] = []

    package init() {}

    package static func == (a: Self, b: Self) -> Bool {
        a.defaults == b.defaults && a.keep == b.keep && a.unset == b.unset && a.path == b.path
            && a.set.elementsEqual(b.set) { $0.name == $1.name && $0.value == $1.value }
    }
}
