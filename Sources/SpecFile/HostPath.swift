import LinuxFacts

/// Paths of the host as they are written in a spec: `~`, `${VAR}`, relative to the file they stand in.
extension Surroundings {
    /// The path absolute, expanded and cleaned; `..` stays, as only the kernel knows what it leads to.
    package func hostPath(_ written: String, at position: Position) throws(Diagnostic) -> String {
        let path = try absolute(written, at: position)
        try checkLength(of: path, at: position)
        return path
    }

    private func absolute(_ written: String, at position: Position) throws(Diagnostic) -> String {
        let expanded = try expand(written, at: position)
        if expanded.isEmpty { throw Diagnostic("\(quoted(written)) is an empty path", at: position) }
        if expanded.utf8.contains(0) { throw Diagnostic("\(quoted(written)) holds a NUL byte", at: position) }
        if expanded.utf8.first == slash { return cleaned(expanded) }
        let base = directory(of: position)
        guard base.utf8.first == slash else {
            throw Diagnostic(
                "\(quoted(written)): the current directory, which it is taken from, has no path any more", at: position,
                hint: "it was removed, or is out of reach: enter one that is there, or write the path from /")
        }
        return cleaned(base + "/" + expanded)
    }

    /// The same of a pattern, glob(7), which may be longer than a name: what is expanded stands for itself, each character of it.
    package func hostPattern(_ written: String, at position: Position) throws(Diagnostic) -> String {
        let literal = Surroundings(
            variable: { [variable] in variable($0).map(escapingPattern) }, home: home.map(escapingPattern),
            currentDirectory: escapingPattern(currentDirectory),
            directoryOfFile: { [self] in escapingPattern(directory(of: $0)) })
        return try literal.absolute(written, at: position)
    }

    /// The absolute directory that paths written at `position` are relative to: that of the file as it was named, and the
    /// current directory for `--set`; empty where that is not known.
    package func directory(of position: Position) -> String {
        if let directoryOfFile { return directoryOfFile(position) }
        let file = position.file
        guard let last = file.utf8.lastIndex(of: slash) else { return currentDirectory }
        let directory = String(file[...last])
        guard directory.utf8.first != slash else { return cleaned(directory) }
        guard currentDirectory.utf8.first == slash else { return "" }
        // getcwd(3) knows no links: what `..` at the beginning leads to is above it by its name.
        var base = currentDirectory
        var below = ""
        for part in directory.utf8.split(separator: slash) {
            if part.count == 1, part.first == dot { continue }
            if below.isEmpty, part.count == 2, part.allSatisfy({ $0 == dot }), base.utf8.first == slash {
                base = parent(of: base)
            } else {
                below += "/"
                below += String(Substring(part))
            }
        }
        return cleaned(base + below)
    }

    /// `~` and `~/…` at the start, `${VAR}` anywhere; `$${` stands for a literal `${`.
    package func expand(_ written: String, at position: Position) throws(Diagnostic) -> String {
        let result = try expandVariables(written, at: position)
        // Only a `~` that was written is one: not one that a variable brought in.
        guard written.utf8.first == tilde else { return result }
        return try expandHome(result[...], at: position)
    }

    /// The same of a value that need not be a path: a `~` that does not stand for a directory is any other character.
    package func expandValue(_ written: String, at position: Position) throws(Diagnostic) -> String {
        let rest = written.utf8.dropFirst()
        if rest.isEmpty || rest.first == slash { return try expand(written, at: position) }
        return try expandVariables(written, at: position)
    }

    private func expandVariables(_ written: String, at position: Position) throws(Diagnostic) -> String {
        if !written.utf8.contains(dollar) { return written }
        var result = ""
        var rest = written[...]
        while let start = rest.utf8.firstIndex(of: dollar) {
            result += String(rest[..<start])
            rest = rest[start...]
            if rest.utf8.starts(with: "$${".utf8) {
                result += "${"
                rest = Substring(rest.utf8.dropFirst(3))
            } else if rest.utf8.starts(with: "${".utf8) {
                guard let end = rest.utf8.firstIndex(of: UInt8(ascii: "}")) else {
                    throw Diagnostic("\(quoted(written)): `${` without `}`", at: position)
                }
                let name = String(rest[rest.utf8.index(start, offsetBy: 2)..<end])
                result += try value(of: name, in: written, at: position)
                rest = rest[rest.utf8.index(after: end)...]
            } else {
                result += "$"
                rest = Substring(rest.utf8.dropFirst())
            }
        }
        return result + String(rest)
    }

    private func value(of name: String, in written: String, at position: Position) throws(Diagnostic) -> String {
        guard isVariableName(name) else {
            throw Diagnostic(
                "\(quoted(written)): \(quoted(name)) is not the name of a variable", at: position,
                hint: "only ${NAME} is expanded; write `$${` for a literal `${`")
        }
        guard let value = variable(name) else {
            if name == "PWD" {
                throw Diagnostic(
                    "\(quoted(written)): PWD, the current directory, is not known", at: position,
                    hint:
                        "write the path out; immure unit takes --env PWD=DIRECTORY, where the service is to be started")
            }
            throw Diagnostic(
                "\(quoted(written)): the variable \(name) is not set", at: position,
                hint: unitDirectory(name).map { "a unit sets it by \($0)=NAME; check takes --env \(name)=DIRECTORY" }
                    ?? "set it for immure: \(name)=… immure …; check and unit take --env \(name)=…")
        }
        // systemd.exec(5): paths with colons between them.
        if let directive = unitDirectory(name), value.contains(":/") {
            throw Diagnostic(
                "\(quoted(written)): \(name) is a list of several directories, \(value)", at: position,
                hint: "write the one that is meant, or give \(directive)= only that")
        }
        return value
    }

    private func expandHome(_ path: Substring, at position: Position) throws(Diagnostic) -> String {
        guard path.utf8.first == tilde else { return String(path) }
        let rest = Substring(path.utf8.dropFirst())
        guard rest.isEmpty || rest.utf8.first == slash else {
            throw Diagnostic(
                "\(quoted(String(path))): another user's home is not looked up", at: position,
                hint: "write the path out, or \"./~…\" for a file of that name")
        }
        guard let home, home.utf8.first == slash else {
            throw Diagnostic("\(quoted(String(path))): the caller's HOME is not set to an absolute path", at: position)
        }
        return home + String(rest)
    }
}

/// Removes `//`, `/./` and a trailing `/`, which change nothing; `..` may, through a symbolic link.
package func cleaned(_ path: String) -> String {
    if isClean(path) { return path }
    var result = ""
    for part in path.utf8.split(separator: slash) where !(part.count == 1 && part.first == dot) {
        result += "/"
        result += String(Substring(part))
    }
    return result.isEmpty ? "/" : result
}

/// Whether a path begins with `/`, and no `/` is followed by another, by `.` or by the end. A hidden name looks unclean
/// here, which only costs it the slower way.
private func isClean(_ path: String) -> Bool {
    var previous: UInt8 = 0
    for byte in path.utf8 {
        if previous == slash, byte == slash || byte == UInt8(ascii: ".") { return false }
        if previous == 0, byte != slash { return false }
        previous = byte
    }
    return previous != slash && previous != 0
}

/// What the kernel refuses with ENAMETOOLONG whatever the file system: PATH_MAX counts the NUL, NAME_MAX does not.
package func checkLength(of path: String, at position: Position) throws(Diagnostic) {
    if CarriedByte.count(path) > 4095 {
        throw Diagnostic("\(quoted(path)) is longer than the 4095 bytes of a path", at: position)
    }
    var length = 0
    for byte in path.utf8 {
        length = byte == slash ? 0 : length + 1
        if length > 255, isNameTooLong(in: path) {
            throw Diagnostic("\(quoted(path)) has a part longer than the 255 bytes of a name", at: position)
        }
    }
}

private func isNameTooLong(in path: String) -> Bool {
    path.utf8.split(separator: slash).contains { CarriedByte.count(String(Substring($0))) > 255 }
}

/// Whether a shell would take it as a variable's name.
private func isVariableName(_ name: String) -> Bool {
    let letters = name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
    guard letters, let first = name.utf8.first else { return false }
    return first > UInt8(ascii: "9")
}

/// A text as a pattern that only it matches.
private func escapingPattern(_ text: String) -> String {
    var bytes: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "["), UInt8(ascii: "\\"):
            bytes.append(UInt8(ascii: "\\"))
        default: break
        }
        bytes.append(byte)
    }
    return String(decoding: bytes, as: UTF8.self)
}

private let slash = UInt8(ascii: "/")
private let dot = UInt8(ascii: ".")
private let dollar = UInt8(ascii: "$")
private let tilde = UInt8(ascii: "~")

/// The directive of systemd.exec(5) that sets a variable.
private func unitDirectory(_ variable: String) -> String? {
    switch variable {
    case "RUNTIME_DIRECTORY": "RuntimeDirectory"
    case "STATE_DIRECTORY": "StateDirectory"
    case "CACHE_DIRECTORY": "CacheDirectory"
    case "LOGS_DIRECTORY": "LogsDirectory"
    case "CONFIGURATION_DIRECTORY": "ConfigurationDirectory"
    default: nil
    }
}
