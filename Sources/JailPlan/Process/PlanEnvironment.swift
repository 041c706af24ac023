import JailSpec
import SpecFile

extension Planner {
    /// The command's environment as `NAME=value`: what is set for the jail, what is kept, what the spec sets, in that
    /// order of precedence from low to high.
    func environment(_ identity: ResolvedIdentity) -> [String] {
        let name =
            identity.account?.name ?? (identity.user == 0 ? "root" : identity.user == Self.nobody ? "nobody" : "")
        var result = [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + home(identity.account),
            "SHELL=/bin/sh",
        ]
        if !name.isEmpty { result += ["USER=" + name, "LOGNAME=" + name] }
        if let term = host.environment.first(where: { sets($0, "TERM") }) { result.append(term) }

        func put(_ entry: String, _ name: Substring) {
            if let index = result.firstIndex(where: { sets($0, name) }) {
                result[index] = entry
            } else {
                result.append(entry)
            }
        }
        for entry in host.environment where !spec.environment.keep.isEmpty {
            // By bytes: a mark that combines at the start of the value would make another character of the sign.
            let name = Substring(entry.utf8.prefix { $0 != UInt8(ascii: "=") })
            if spec.environment.keep.contains(where: { matches($0.value, name) }) { put(entry, name) }
        }
        for (name, value) in spec.environment.set { put("\(name)=\(value.value)", name[...]) }
        for (name, value) in service.variables { put("\(name)=\(value)", name[...]) }
        return result
    }

    /// Whether a `NAME=value` is of this name.
    private func sets(_ entry: String, _ name: Substring) -> Bool {
        let rest = entry.utf8.dropFirst(name.utf8.count)
        return rest.first == UInt8(ascii: "=") && entry.utf8.starts(with: name.utf8)
    }

    private func matches(_ pattern: String, _ name: Substring) -> Bool {
        guard pattern.utf8.last == UInt8(ascii: "*") else { return pattern == name }
        return name.utf8.starts(with: pattern.utf8.dropLast())
    }

    /// The user's home where the jail shows it, else the private /tmp, else the root.
    private func home(_ account: Host.User?) -> String {
        let filesystem = spec.filesystem
        if let account, account.home.utf8.first == UInt8(ascii: "/"), account.home != "/nonexistent" {
            let showsAll: Bool
            switch filesystem.root.value {
            case .host, .directory: showsAll = true
            case .system, .empty: showsAll = !isNew(.mount)
            }
            let around = filesystem.mounts.filter { isWithin(account.home, $0.target) }
            let isHidden = around.contains { $0.source == .hidden }
            if !isHidden && (showsAll || !around.isEmpty) { return account.home }
        }
        return filesystem.tmp.value != nil ? "/tmp" : "/"
    }

    /// Whether `path` is `directory` or lies below it.
    private func isWithin(_ path: String, _ directory: String) -> Bool {
        path == directory || path.utf8.starts(with: (directory == "/" ? "/" : directory + "/").utf8)
    }
}
