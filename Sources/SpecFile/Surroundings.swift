/// What of the caller a spec may refer to: its environment, home and current directory.
package struct Surroundings: Sendable {
    /// The value of a variable of the caller's environment; of `PWD` the current directory, whatever the environment says.
    package let variable: @Sendable (String) -> String?
    /// The caller's home; nil where it is not known.
    package let home: String?
    /// The absolute current directory; empty where it has no path, as one that was removed.
    package let currentDirectory: String
    /// In place of the directory of a file: of a pattern, in which it is to be literal.
    let directoryOfFile: (@Sendable (Position) -> String)?

    package init(variable: @escaping @Sendable (String) -> String?, home: String?, currentDirectory: String) {
        self.init(variable: variable, home: home, currentDirectory: currentDirectory, directoryOfFile: nil)
    }

    init(
        variable: @escaping @Sendable (String) -> String?, home: String?, currentDirectory: String,
        directoryOfFile: (@Sendable (Position) -> String)?
    ) {
        self.directoryOfFile = directoryOfFile
        self.variable = variable
        self.home = home
        self.currentDirectory = currentDirectory
    }

    /// Surroundings whose home is that of the environment's `HOME`.
    package init(environment: [String: String], currentDirectory: String) {
        self.init(
            variable: { $0 == "PWD" ? currentDirectory : environment[$0] }, home: environment["HOME"],
            currentDirectory: currentDirectory)
    }

    /// How the current directory is to be spelt: as `written`, the environment's `PWD`, where that is another name of it, and
    /// else as it is. Whoever starts a program elsewhere (make -C, env -C, find -execdir) leaves PWD as it was.
    package static func spelling(
        of directory: String, written: String?, isSame: (_ written: String) -> Bool
    ) -> String? {
        guard directory.utf8.first == slash else { return nil }
        // pwd(1): no part of it is `.` or `..`, which a link would make another directory.
        guard let written, written != directory, written.utf8.first == slash, cleaned(written) == written,
            !written.utf8.split(separator: slash).contains(where: { $0.elementsEqual("..".utf8) }), isSame(written)
        else { return directory }
        return written
    }
}

private let slash = UInt8(ascii: "/")
