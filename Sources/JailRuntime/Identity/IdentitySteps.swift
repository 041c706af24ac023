import JailPlan
import JailSpec
import Kernel
import LinuxFacts

/// How the steps towards ids and rights are done, and how each is read back.
extension Applier {
    mutating func apply(_ operation: IdentityOperation, of plan: Plan) throws(Failure) {
        switch operation {
        case .mapIdentities(let maps): try mapIdentities(maps, of: plan)
        case .forbidUserNamespaces: try proc().write("0", to: "sys/user/max_user_namespaces")
        case .setIdentity(let user, let group): try setIdentity(user: user, group: group)
        case .setGroups(let groups): try failing { () throws(KernelError) in try setGroups(groups) }
        case .dropBounding(let kept): try failing { () throws(KernelError) in try dropBounding(keeping: kept.rawValue) }
        case .setSecureBits(let bits): try failing { () throws(KernelError) in try setSecureBits(bits) }
        case .forbidNewPrivileges: try failing(forbidNewPrivileges)
        case .setCapabilities(let sets): try apply(sets)
        }
    }

    mutating func check(_ operation: IdentityOperation, in plan: Plan) throws(Failure) {
        switch operation {
        // Compared as they are written, by whoever writes them.
        case .mapIdentities(let maps): try showMaps(maps)
        case .forbidUserNamespaces: try show("sys/user/max_user_namespaces", "0")
        case .setSecureBits(let bits):
            let found = try failing(secureBits)
            try hold(found == bits, "securebits", hexadecimal(bits.rawValue), hexadecimal(found.rawValue))
        // With the process that is about to be the command: `checkStatus`.
        case .setIdentity, .setGroups, .dropBounding, .forbidNewPrivileges, .setCapabilities: break
        }
    }
}
