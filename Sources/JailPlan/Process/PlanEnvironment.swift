import JailSpec
import SpecFile

extension Planner {
    /// The command's environment as `NAME=value`: what is set for the jail, what is kept, what the spec sets, in that
    /// order of precedence from low to high.
    func environment(_ identity: ResolvedIdentity) -> [String] {
        let name =
            identity.account?.name ?? host.accountFiles?.name
            ?? (identity.user == 0 ? "root" : identity.user == Self.nobody ? "nobody" : "")
        var result = EnvironmentList()
        let rules = spec.environment
        if rules.defaults.value {
            result.put("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            result.put("HOME=" + home.path)
            result.put("SHELL=/bin/sh")
            if !name.isEmpty {
                result.put("USER=" + name)
                result.put("LOGNAME=" + name)
            }
            if let term = host.environment.first(where: { sets($0, "TERM") }) { result.put(term) }
            result.put("LANG=C.UTF-8")
        }
        if let variable = jobserverVariable { result.put(variable) }
        for entry in host.environment where !rules.keep.isEmpty {
            // By bytes: a mark that combines at the start of the value would make another character of the sign.
            let name = Substring(entry.utf8.prefix { $0 != UInt8(ascii: "=") })
            if matches(rules.keep, name), !matches(rules.unset, name) { result.put(entry) }
        }
        for (name, value) in rules.set { result.put("\(name)=\(value.value)") }
        for (name, value) in service.variables { result.put("\(name)=\(value)") }
        if !rules.path.isEmpty { result.precede("PATH", with: rules.path) }
        return result.entries
    }

    /// Whether a `NAME=value` is of this name.
    private func sets(_ entry: String, _ name: Substring) -> Bool {
        let rest = entry.utf8.dropFirst(name.utf8.count)
        return rest.first == UInt8(ascii: "=") && entry.utf8.starts(with: name.utf8)
    }

    private func matches(_ patterns: [Located<String>], _ name: Substring) -> Bool {
        for pattern in patterns {
            let bytes = pattern.value.utf8
            let isPrefix = bytes.last == UInt8(ascii: "*")
            if isPrefix ? name.utf8.starts(with: bytes.dropLast()) : name.utf8.elementsEqual(bytes) { return true }
        }
        return false
    }
}
