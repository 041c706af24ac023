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
            return hint(
                "As it stands root starts the jail and its command is nobody. Better an account of its own: User=")
        }
        // Only root can set written groups, and an id that is not the launcher's own.
        guard case .name(let name) = user.value, name != "root", !isMapped, identity.groups == nil,
            spec.namespaces[.user].value.isNew
        else { return }
        add("User", "\(plain: name)", user.position)
        if let group = identity.group, case .name(let name) = group.value {
            add("Group", "\(plain: name)", group.position)
        }
    }

    /// `${RUNTIME_DIRECTORY}` and its like: systemd makes them, gives them to the user, and removes what is to go.
    mutating func addDirectories() {
        for kind in Self.directories {
            let path = kind.parent + "/" + name
            let uses = spec.filesystem.mounts.first { mount in
                if case .bind(let source) = mount.source { Self.isWithin(source, path) } else { false }
            }
            if let uses { add(kind.directive, "\(item: name)", uses.position) }
        }
    }

    private static func isWithin(_ path: String, _ directory: String) -> Bool {
        path == directory || path.utf8.starts(with: (directory + "/").utf8)
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
