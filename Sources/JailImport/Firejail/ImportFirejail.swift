import JailSpec
import SpecFile

/// A profile of firejail(1) as a spec.
///
/// The jail has a root of its own with the host's /usr and /etc; what else firejail leaves of the host's tree, such as /var and
/// /run, is there only where the profile names it.
package struct FirejailImport {
    var draft = Draft()
    var places = FirejailPlaces()
    /// What is blacklisted.
    var closed: [String] = []
    let lines: [FirejailLine]
    let context: ImportContext

    /// The first source is the profile; others are read where one includes them.
    package static func draft(of sources: [ImportSource], _ words: [String], _ context: ImportContext) -> Draft {
        var imported = FirejailImport(sources, context)
        imported.write()
        if !words.isEmpty {
            imported.draft.set("command", .strings(words), standard("the command after --"))
        }
        imported.draft.finish()
        return imported.draft
    }

    private init(_ sources: [ImportSource], _ context: ImportContext) {
        self.context = context
        places.home = context.home
        let read = FirejailProfile(sources, context, into: &draft).lines
        lines = read + Self.implied(by: read)
    }

    /// What other directives blacklist: firejail puts that behind the profile, so that its noblacklist holds for it too.
    private static func implied(by lines: [FirejailLine]) -> [FirejailLine] {
        var result: [FirejailLine] = []
        func blacklist(_ paths: [String], _ line: FirejailLine) {
            for path in paths {
                result.append(FirejailLine(name: "blacklist", value: path, directive: line.directive))
            }
        }
        if let line = lines.last(where: { $0.name == "disable-mnt" }) {
            blacklist(["/mnt", "/media", "/run/mount", "/run/media"], line)
        }
        if let line = lines.last(where: { $0.name == "x11" }), line.value == "none" {
            blacklist(["/tmp/.X11-unix", "${HOME}/.Xauthority"], line)
        }
        return result
    }

    static func standard(_ words: String) -> Directive { Draft.standard("firejail", words) }

    func all(_ name: String) -> [FirejailLine] { lines.filter { $0.name == name } }
    func last(_ name: String) -> FirejailLine? { lines.last { $0.name == name } }
    func has(_ name: String) -> Bool { last(name) != nil }

    private mutating func write() {
        if draft.isOver { return }
        for line in lines where FirejailNames.known[line.name] == nil {
            draft.fail(
                "firejail has no directive \(line.name)", line.directive,
                hint: nearest(line.name, FirejailNames.known.keys.sorted()).map { "did you mean \($0)?" })
        }
        for line in lines {
            switch FirejailNames.known[line.name] {
            case .inForce(let reason)?:
                draft.isInForce(FirejailNames.claims[line.name] ?? .nothing, reason, line.directive)
            case .outside?: draft.isOutside("", line.directive)
            case .warns(let reason)?: draft.warn(reason, line.directive)
            case .lost(let reason)?: draft.lose(reason, line.directive)
            case .lostRestriction(let reason)?: draft.lose(reason, restricts: true, line.directive)
            case .read?, nil: break
            }
        }
        draft.set("filesystem.root", .string("system"), Self.standard("the host's programs and settings, read-only"))
        draft.warn(
            "of the host only /usr, /etc and what the profile names is seen; firejail shows /var, /run, /opt, /srv too",
            Self.standard("the host's tree"))
        writeTree()
        writeLibraries()
        writeNetwork()
        writeBuses()
        writeNamespaces()
        writeCapabilities()
        writeFilter()
        writeProcess()
        places.write(into: &draft)
        for line in lines where !draft.accounts(for: line.directive) {
            guard let last = last(line.name), last.directive != line.directive else { continue }
            if last.value == line.value {
                draft.isPart(line.directive)
            } else {
                draft.warn("has no effect: \(last.directive.reference) comes later", line.directive)
            }
        }
    }

    /// private-lib, which firejail passes over unless its administrator has let it in.
    private mutating func writeLibraries() {
        guard has("private-lib") else { return }
        let settings = context.read("/etc/firejail/firejail.config").map { String(decoding: $0, as: UTF8.self) } ?? ""
        let isOn = settings.split(separator: "\n").contains {
            $0.split(whereSeparator: { " \t".contains($0) }) == ["private-lib", "yes"]
        }
        for line in all("private-lib") {
            if isOn {
                draft.lose("only the libraries that the program needs", restricts: true, line.directive)
            } else {
                draft.warn(
                    "the host's libraries are there, as firejail shows them unless firejail.config has private-lib yes",
                    line.directive)
            }
        }
    }

    // MARK: Network and sockets

    private mutating func writeNetwork() {
        let net = all("net")
        for line in net {
            if line.value == "none" {
                draft.isInForce(.noNetwork, line.directive)
            } else {
                draft.lose("an interface of its own, \(line.value): the jail has no network", line.directive)
            }
        }
        if let line = last("netns") {
            draft.set("namespaces.net", .string("/run/netns/" + literal(line.value)), line.directive)
        } else if net.isEmpty {
            draft.set("network.mode", .string("host"), Self.standard("the host's network without net"))
            draft.set("landlock.scope", .array([]), Self.standard("abstract sockets can be reached"))
        }
        var servers: [FirejailLine] = []
        for line in all("dns") { servers.append(line) }
        if let first = servers.first {
            for line in servers.dropFirst() { draft.isPart(line.directive) }
            places.add(
                "/etc/resolv.conf", .file(servers.map { "nameserver \($0.value)\n" }.joined()), first.directive)
        }
        if let line = last("hosts-file") {
            places.add("/etc/hosts", .bind(source: hostPath(line.value)), ["ro"], line.directive)
        }
    }

    private mutating func writeNamespaces() {
        if let line = last("ipc-namespace") {
            draft.isInForce(.own(.ipc), line.directive)
        } else {
            draft.set("namespaces.ipc", .string("host"), Self.standard("the host's without ipc-namespace"))
        }
        let lines = all("restrict-namespaces")
        guard let line = lines.last else {
            return draft.set(
                "namespaces.nested", .boolean(true), Self.standard("it may make namespaces without restrict-namespaces")
            )
        }
        let kinds = [
            "cgroup": "CLONE_NEWCGROUP", "ipc": "CLONE_NEWIPC", "net": "CLONE_NEWNET", "mnt": "CLONE_NEWNS",
            "pid": "CLONE_NEWPID", "time": "CLONE_NEWTIME", "user": "CLONE_NEWUSER", "uts": "CLONE_NEWUTS",
        ]
        // One without a list is for all kinds, whatever the others say.
        let isWhole = lines.contains { $0.value.isEmpty }
        var flags: Set<String> = []
        for line in lines {
            draft.isInForce(isWhole ? .notNested : .nothing, line.directive)
            for word in line.list {
                guard let flag = kinds[word] else {
                    draft.fail("\(quoted(word)) is not a kind of namespace", line.directive)
                    continue
                }
                flags.insert(flag)
            }
        }
        if isWhole { return }
        draft.set("namespaces.nested", .boolean(true), line.directive)
        draft.denyNamespaces(flags.sorted(), line.directive)
    }
}
