package import JailSpec
package import LinuxFacts

/// One step towards the ids and the rights of the command.
package indirect enum IdentityOperation: Equatable, Sendable {
    /// Writes uid_map and gid_map, user_namespaces(7).
    case mapIdentities(IdentityMaps)
    /// No new user namespaces in the jail's own user namespace: `max_user_namespaces` becomes 0 there.
    case forbidUserNamespaces
    /// From here on the setting up is done with the ids of the command, capabilities kept.
    case setIdentity(user: UInt32, group: UInt32)
    case setGroups([UInt32])
    case dropBounding(keeping: CapabilitySet)
    case forbidNewPrivileges
    case setSecureBits(SecureBits)
    case setCapabilities(EffectiveCapabilities)
}

extension IdentityOperation {
    package var words: OperationWords {
        switch self {
        case .mapIdentities(let maps): maps.words
        case .forbidUserNamespaces: OperationWords("forbid_user_namespaces", "forbid namespaces within")
        case .setIdentity(let user, let group):
            OperationWords(
                "set_identity", "become uid \(user) gid \(group)",
                [("user", .integer(Int(user))), ("group", .integer(Int(group)))])
        case .setGroups(let groups):
            OperationWords(
                "set_groups",
                groups.isEmpty
                    ? "drop supplementary groups" : "set groups " + groups.map { "\($0)" }.joined(separator: " "),
                [("groups", .array(groups.map { .integer(Int($0)) }))])
        case .dropBounding(let kept):
            OperationWords(
                "drop_bounding", "drop the bounding set", [("keeping", kept.json)], detail: "keeping " + kept.text)
        case .setSecureBits(let bits):
            OperationWords(
                "set_secure_bits", "set securebits", [("bits", .array(bits.names.map { .string($0) }))],
                detail: bits.names.isEmpty ? "none" : bits.names.joined(separator: ","))
        case .forbidNewPrivileges: OperationWords("forbid_new_privileges", "set no_new_privs")
        case .setCapabilities(let sets): sets.words
        }
    }

    /// How it is read back, or why it is not.
    package var verification: Verification {
        switch self {
        case .mapIdentities, .forbidUserNamespaces, .setSecureBits:
            .atOnce
        case .setIdentity, .setGroups, .dropBounding, .forbidNewPrivileges, .setCapabilities:
            .withTheProcess
        }
    }
}
