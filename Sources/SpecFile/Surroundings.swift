/// What of the caller a spec may refer to: its environment, home and current directory.
package struct Surroundings: Sendable {
    /// The value of a variable of the caller's environment.
    package let variable: @Sendable (String) -> String?
    /// The caller's home; nil where it is not known.
    package let home: String?
    /// The absolute current directory.
    package let currentDirectory: String

    package init(variable: @escaping @Sendable (String) -> String?, home: String?, currentDirectory: String) {
        self.variable = variable
        self.home = home
        self.currentDirectory = currentDirectory
    }

    /// Surroundings whose home is that of the environment's `HOME`.
    package init(environment: [String: String], currentDirectory: String) {
        self.init(variable: { environment[$0] }, home: environment["HOME"], currentDirectory: currentDirectory)
    }
}
