import JailSpec
import SpecFile

/// Who starts the jail, and with what.
extension Unit {
    /// An account by name needs no root: the launcher is that user from the start, and a hole in it gives nothing more.
    mutating func becomeUser() {
        let identity = spec.identity
        let isMapped = identity.uidMap != nil || identity.gidMap != nil
        // newuidmap(1) and newgidmap(1) are set-user-id programs.
        if spec.process.noNewPrivileges.value && !identity.asksForSubordinates {
            add("NoNewPrivileges", "yes", spec.process.noNewPrivileges.position, "of the launcher as well")
        }
        guard let user = identity.user else {
            if let directory = directoryForDynamicUser {
                startsAsUser = true
                isDynamic = true
                return add("DynamicUser", "yes", directory.position, "the directory is the user's, and nobody else's")
            }
            return hint(
                "As it stands root starts the jail and its command is nobody. Better an account of its own: User=")
        }
        // Only root can set written groups, and an id that is not the launcher's own.
        guard case .name(let name) = user.value, name != "root", !isMapped, identity.groups == nil,
            spec.namespaces[.user].value.isNew
        else { return }
        startsAsUser = true
        add("User", "\(plain: name)", user.position)
        if let group = identity.group, case .name(let name) = group.value {
            add("Group", "\(plain: name)", group.position)
        }
    }

    /// Where a directory is asked for that no account is written for: a user of the unit's own can have it, where that user may
    /// do all that the spec says. nil where not; DynamicUser= also makes the host read-only but for the unit's directories.
    private var directoryForDynamicUser: UsedDirectory? {
        let identity = spec.identity
        let kinds = NamespaceKind.allCases
        guard identity.group == nil, identity.groups == nil, identity.uidMap == nil, identity.gidMap == nil,
            spec.namespaces[.user].value.isNew, spec.namespaces[.mount].value.isNew,
            kinds.allSatisfy({ spec.namespaces[$0].value.isNew || spec.namespaces[$0].value.isHost }),
            !needsRoot, !uses(["/tmp", "/var/tmp", "/dev"])
        else { return nil }
        // It does not give the user ConfigurationDirectory=.
        let owned = usedDirectories.filter { $0.directive != "ConfigurationDirectory" }
        guard let first = owned.first,
            spec.filesystem.writableSources.allSatisfy({ path in owned.contains { isWithin(path, $0.path) } })
        else { return nil }
        return first
    }

    /// `${RUNTIME_DIRECTORY}` and its like: systemd makes them, gives them to the user, and removes what is to go.
    ///
    /// `over` is a unit that may have them already.
    mutating func addDirectories(besides over: ForeignUnit? = nil) {
        for used in usedDirectories {
            guard over?.directory(used.directive) != used.name else { continue }
            let instance: UnitText = "\(item: used.name)/%i"
            add(used.directive, used.isInstance ? instance : "\(item: used.name)", used.position)
        }
    }

    private typealias UsedDirectory = (
        directive: String, name: String, path: String, isInstance: Bool, position: Position?
    )

    /// The directories that the spec binds something of, those of an instance before those that all of them share; and what it asks to
    /// be made where systemd makes directories.
    private var usedDirectories: [UsedDirectory] {
        Self.directories.flatMap { kind -> [UsedDirectory] in
            let parent = options.parents[kind.directive] ?? kind.parent
            let shared = parent + "/" + (options.over?.directory(kind.directive) ?? name)
            var result: [UsedDirectory] = []
            for path in isTemplate ? [shared + "/%i", shared] : [shared] where result.isEmpty {
                let uses = spec.filesystem.mounts.first { mount in
                    if case .bind(let source) = mount.source { isWithin(source, path) } else { false }
                }
                if let uses {
                    result.append(
                        (
                            kind.directive, String(shared.dropFirst(parent.count + 1)), path, path != shared,
                            uses.position
                        ))
                }
            }
            for mount in spec.filesystem.mounts where mount.create != nil && !options.isUsers {
                guard case .bind(let source) = mount.source, isWithin(source, parent), source != parent,
                    !result.contains(where: { isWithin(source, $0.path) })
                else { continue }
                let first = source.dropFirst(parent.count + 1).split(separator: "/").first.map(String.init) ?? ""
                result.append((kind.directive, first, parent + "/" + first, false, mount.position))
            }
            return result
        }
    }

    /// Whether variables have the name of an instance, `%i` or `%I`.
    static func isTemplate(_ variables: [(name: String, value: String)]) -> Bool {
        variables.contains { pair in
            var isSpecifier = false
            for byte in pair.value.utf8 {
                if isSpecifier && (byte | 0x20) == UInt8(ascii: "i") { return true }
                isSpecifier = !isSpecifier && byte == UInt8(ascii: "%")
            }
            return false
        }
    }

    /// The directory that systemd makes for a unit of that name and those variables, below `parent`; as the spec refers to it.
    package static func directory(
        below parent: String, of name: String, _ variables: [(name: String, value: String)]
    ) -> String {
        "\(parent)/\(name)" + (isTemplate(variables) ? "/%i" : "")
    }

    /// The directories of systemd.exec(5): the variable that a spec may refer to, and where they are for a system unit.
    package static let directories: [(directive: String, variable: String, parent: String)] = [
        ("RuntimeDirectory", "RUNTIME_DIRECTORY", "/run"), ("StateDirectory", "STATE_DIRECTORY", "/var/lib"),
        ("CacheDirectory", "CACHE_DIRECTORY", "/var/cache"), ("LogsDirectory", "LOGS_DIRECTORY", "/var/log"),
        ("ConfigurationDirectory", "CONFIGURATION_DIRECTORY", "/etc"),
    ]

    /// What the manager may give and an ordinary user may not take: the same values, set before the launcher begins.
    mutating func addAttributes() {
        let process = spec.process
        if let nice = process.nice { add("Nice", "\(nice.value)", nice.position) }
        if let score = process.oomScoreAdjust { add("OOMScoreAdjust", "\(score.value)", score.position) }
        for limit in spec.rlimits {
            func words(_ value: UInt64?) -> String { value.map { "\($0)" } ?? "infinity" }
            add(
                "Limit\(limit.resource.name.uppercased())",
                "\(plain: words(limit.soft)):\(plain: words(limit.hard))", limit.position)
        }
    }
}
