/// Whether somebody else could have written the spec.
extension Document {
    /// Every reason not to trust the files that were read. For uid 0 each is fatal, as the spec says what root will do; an
    /// ordinary user is only warned, and only of a file that everyone may write.
    package func trustFaults(callerUID: UInt32) -> [Diagnostic] {
        files.flatMap { $0.trustFaults(callerUID: callerUID) }
    }
}

extension SourceFile {
    private static let groupMayWrite: UInt32 = 0o020
    private static let othersMayWrite: UInt32 = 0o002

    /// The same of one file.
    package func trustFaults(callerUID: UInt32) -> [Diagnostic] {
        let place = Position(file: path, line: 1, column: 1)
        var faults: [Diagnostic] = []
        func fault(_ reason: String, hint: String) {
            faults.append(Diagnostic("\(noun) \(reason)", at: place, hint: hint))
        }
        if mode & Self.othersMayWrite != 0 {
            fault("may be written by everyone (mode \(octal))", hint: "chmod go-w \(shellWord(path))")
        }
        guard callerUID == 0 else { return faults }
        if mode & Self.groupMayWrite != 0, faults.isEmpty {
            fault("may be written by its group (mode \(octal))", hint: "chmod go-w \(shellWord(path))")
        }
        if isSymlink { fault("is a symbolic link, which root does not follow", hint: "name the file itself") }
        if owner != 0 && owner != callerUID {
            fault("belongs to uid \(owner), neither root nor the caller", hint: "chown root \(shellWord(path))")
        }
        return faults
    }

    private var octal: String { "0" + String(mode, radix: 8) }
}
