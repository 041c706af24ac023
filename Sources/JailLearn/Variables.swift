import SpecFile

/// Which variables of the caller's the jail needs as well.
package enum Variables {
    /// What the jail sets by itself, or what says nothing of what is used.
    private static let own = ["HOME", "USER", "LOGNAME", "SHELL", "TERM", "PWD", "OLDPWD", "_", "SHLVL", "PATH"]
    /// What a shell sets anew.
    private static let ofShells = ["PWD", "OLDPWD", "_", "SHLVL"]

    /// The names of those that the jail does not have, or may have another value of.
    package static func lacking(
        from environment: [(name: String, value: String)], _ records: [AccessRecord], keeping base: [String] = []
    ) -> [String] {
        let known = records.filter { $0.act == .variable }.map(\.path) + base + ofShells
        let patterns = base.filter { $0.hasSuffix("*") }.map { $0.dropLast() }
        return environment.map(\.name).filter { name in
            isName(name) && !known.contains(name) && !patterns.contains { name.hasPrefix($0) }
        }
    }

    /// Whether it is one of the jail's own, whatever its value there.
    package static func isOwn(_ name: String) -> Bool { own.contains(name) }

    /// Whether a shell could have set it: the name of another is of no use in a message, nor in a line.
    private static func isName(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == UInt8(ascii: "_")
            }
    }

    private static let words = ["LANG", "LANGUAGE", "TZ"]
    private static let programs = ["/usr/local/bin", "/usr/bin", "/bin"]

    /// Those whose value leads to a path that was used, those by which a program words its output, and PATH where a program of a
    /// directory was executed that only the caller's has, and HOME where the jail's may be another. `homes` is where HOME leads, by each
    /// name that this has, `jailHome` the HOME that the jail has by itself; nil where that is not known.
    package static func records(
        of environment: [(name: String, value: String)], used records: Set<AccessRecord>, jailHome: String?,
        homes: [String], _ context: LearnContext
    ) -> [AccessRecord] {
        let places = Places(context: context)
        /// The first of the paths that were used below a directory.
        func used(below directory: String) -> String? {
            records.lazy.filter { record in
                record.act != .enter && isWithin(record.path, directory) && !places.isStanding(record.path)
            }.map(\.path).min()
        }
        let executed = Set(records.lazy.filter { $0.act == .execute }.map { parent(of: $0.path) })
        return environment.compactMap { name, value in
            if words.contains(name) || name.hasPrefix("LC_") {
                return AccessRecord(.variable, name, "what a program says depends on it")
            }
            let paths = value.split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
            if name == "PATH" {
                guard let found = paths.first(where: { !programs.contains($0) && executed.contains($0) }),
                    !places.isStanding(found) || !isWithin(found, "/usr")
                else { return nil }
                return AccessRecord(.variable, name, "a program of \(found) is executed")
            }
            if name == "HOME" {
                // What leads to the host's system counts as well: the jail's does not.
                let found = records.lazy.filter { $0.isOfFile }.map(\.path).filter { path in
                    homes.contains { isWithin(path, $0) }
                }
                guard value != jailHome, let one = homes.lazy.compactMap(used(below:)).first ?? found.min() else {
                    return nil
                }
                return AccessRecord(.variable, name, "leads to \(one), and the jail's own does not")
            }
            guard !own.contains(name) else { return nil }
            for path in paths where path != "/" && path != context.home && !places.isStanding(path) {
                if !places.isOwn(path), let one = used(below: path) {
                    return AccessRecord(.variable, name, "leads to \(one)")
                }
            }
            return nil
        }
    }
}
