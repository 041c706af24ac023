import SpecFile

extension SpecWriter {
    mutating func write(_ identity: Identity) {
        func account(_ account: Identity.Account) -> String {
            switch account {
            case .id(let id): "\(id)"
            case .name(let name): TOML.string(name)
            }
        }
        func map(_ map: Identity.IdentityMap) -> String {
            guard case .ranges(let ranges) = map else { return TOML.string("auto") }
            return TOML.array(ranges.map { "{ inside = \($0.inside), outside = \($0.outside), count = \($0.count) }" })
        }
        add("identity.user", identity.user, account)
        add("identity.group", identity.group, account)
        add("identity.groups", identity.groups) { TOML.array($0.map(account)) }
        add("identity.umask", identity.umask, TOML.mode)
        add("identity.uid_map", identity.uidMap, map)
        add("identity.gid_map", identity.gidMap, map)
    }

    mutating func write(_ sets: CapabilitySets) {
        for (name, set) in [
            ("keep", sets.keep), ("bounding", sets.bounding), ("permitted", sets.permitted),
            ("effective", sets.effective), ("inheritable", sets.inheritable), ("ambient", sets.ambient),
        ] {
            add("capabilities.\(name)", set) { TOML.array($0.capabilities.map { TOML.string($0.name) }) }
        }
    }
}
