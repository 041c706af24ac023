import JailPlan

extension Applier {
    /// Compared as they are written, by whoever writes them; as rows of `--explain` they are read by the jail itself.
    mutating func showMaps(_ maps: IdentityMaps) throws(Failure) {
        try show("self/uid_map", IdentityMapper.text(maps.users))
        try show("self/gid_map", IdentityMapper.text(maps.groups))
    }
}
