import JailSpec
import LinuxFacts
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
            guard let directory = ownedDirectories.first else {
                return hint(
                    "As it stands root starts the jail and its command is nobody. Better an account of its own: User=")
            }
            if let obstacle = obstacleToDynamicUser {
                let position = obstacle.position.map { "\($0): " } ?? ""
                return hint(
                    "No DynamicUser=, so root starts the jail and its command is nobody. \(position)\(obstacle.why)")
            }
            startsAsUser = true
            isDynamic = true
            return add("DynamicUser", "yes", directory.position, "the directory is the user's, and nobody else's")
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

    /// The directories that a user of the unit's own would have: DynamicUser= does not give it ConfigurationDirectory=.
    private var ownedDirectories: [UsedDirectory] {
        usedDirectories.filter { $0.directive != "ConfigurationDirectory" }
    }

    /// Why a user of the unit's own could not do all that the spec says; nil where it can. DynamicUser= also makes the host
    /// read-only but for the unit's directories, and gives the service a /tmp of its own.
    private var obstacleToDynamicUser: (why: String, position: Position?)? {
        let identity = spec.identity
        let ids = [
            identity.group?.position, identity.groups?.position, identity.uidMap?.position, identity.gidMap?.position,
        ]
        if let written = ids.compactMap({ $0 }).first { return ("only root can give the jail these ids", written) }
        for kind in NamespaceKind.allCases {
            let namespace = spec.namespaces[kind]
            let isNeeded = [.user, .mount].contains(kind)
            guard namespace.value.isNew || !isNeeded && namespace.value.isHost else {
                return (
                    "only root can launch without a \(kind.rawValue) namespace of the jail's own", namespace.position
                )
            }
        }
        if needsRoot {
            return (
                "Only root can make an image, a quota, idmap, limits.io or an interface of the host part of a jail", nil
            )
        }
        if let path = use(of: ["/tmp", "/var/tmp", "/dev"]) {
            return ("A dynamic user would have a /tmp and /dev of its own, without \(quoted(path)) of the host's", nil)
        }
        let elsewhere = spec.filesystem.writableSources.first { path in
            !ownedDirectories.contains { isWithin(path, $0.path) }
        }
        return elsewhere.map { ("The jail writes to \(quoted($0)), which would be read-only to a dynamic user", nil) }
    }

    /// `${RUNTIME_DIRECTORY}` and its like: systemd makes them, gives them to the user, and removes what is to go.
    ///
    /// `over` is a unit that may have them already.
    mutating func addDirectories(besides over: ForeignUnit? = nil) {
        for used in usedDirectories {
            guard over?.directory(used.directive) != used.name else { continue }
            // What systemd makes is root's where root starts the jail: the launch makes what the command is to write to its own.
            let isLocked = !ownsDirectories && isWrittenAsOther(below: used.path)
            guard !isLocked || !used.isMadeByLaunch else { continue }
            let instance: UnitText = "\(item: used.name)/%i"
            let why =
                "systemd makes it root's, and the command is not root: with idmap = true on its [[mount]] it may write there"
            add(
                used.directive, used.isInstance ? instance : "\(item: used.name)", used.position, isLocked ? why : "")
        }
    }

    /// Whether what belongs to the user who starts the jail is its command's.
    private var ownsDirectories: Bool {
        if startsAsUser { return true }
        let identity = spec.identity
        guard identity.uidMap == nil, let user = identity.user?.value else { return false }
        return user == .id(0) || user == .name("root")
    }

    /// Whether the jail has something below `path` to write to with no other ids than the host's.
    private func isWrittenAsOther(below path: String) -> Bool {
        binds(below: path).contains { !$0.options.asked.hasAll(of: .readOnly) && $0.idmap?.value != true }
    }

    private func binds(below path: String) -> [Mount] {
        spec.filesystem.mounts.filter { mount in
            if case .bind(let source) = mount.source { isWithin(source, path) } else { false }
        }
    }

    private typealias UsedDirectory = (
        directive: String, name: String, path: String, isInstance: Bool, isMadeByLaunch: Bool, position: Position?
    )

    /// The directories that the spec binds something of, those of an instance before those that all of them share; and what it asks to
    /// be made where systemd makes directories.
    private var usedDirectories: [UsedDirectory] {
        Self.directories.flatMap { kind -> [UsedDirectory] in
            let parent = options.parents[kind.directive] ?? kind.parent
            let shared = parent + "/" + (options.over?.directory(kind.directive) ?? name)
            var result: [UsedDirectory] = []
            for path in isTemplate ? [shared + "/%i", shared] : [shared] where result.isEmpty {
                let uses = binds(below: path)
                guard let first = uses.first else { continue }
                result.append(
                    (
                        kind.directive, String(shared.dropFirst(parent.count + 1)), path, path != shared,
                        uses.allSatisfy { $0.create != nil }, first.position
                    ))
            }
            for mount in spec.filesystem.mounts where mount.create != nil && !options.isUsers {
                guard case .bind(let source) = mount.source, isWithin(source, parent), source != parent,
                    !result.contains(where: { isWithin(source, $0.path) })
                else { continue }
                let first = source.dropFirst(parent.count + 1).split(separator: "/").first.map(String.init) ?? ""
                result.append((kind.directive, first, parent + "/" + first, false, true, mount.position))
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
        for limit in spec.rlimits where leavesRoom(limit) {
            func words(_ value: UInt64?) -> String { value.map { "\($0)" } ?? "infinity" }
            add(
                "Limit\(limit.resource.name.uppercased())",
                "\(plain: words(limit.soft)):\(plain: words(limit.hard))", limit.position)
        }
    }

    /// Whether the launcher can live with the limit. With less the jail sets it itself, below what systemd leaves to every unit.
    private func leavesRoom(_ limit: ResourceLimit) -> Bool {
        let need: UInt64
        switch limit.resource {
        case .as, .data: need = 64 << 20
        case .stack: need = 1 << 20
        case .nofile, .nproc: need = 64
        default: return true
        }
        return limit.soft.map { $0 >= need } ?? true
    }
}
