package import JailPlan
package import JailSpec
import Kernel
import SpecFile

extension Host {
    /// Asks the running host for what the plan of this spec needs to know, and no more: each look-up costs part of the
    /// launch. Nothing is changed.
    package static func probe(for spec: Spec) -> Host {
        var host = Host()
        let caller = callerIdentity()
        (host.uid, host.gid, host.supplementary) = (caller.euid, caller.gid, caller.groups)
        let systemAdministration = Capability.sys_admin.rawValue
        if caller.euid == 0 {
            let privilege = NamespacePrivilege.ofCaller()
            host.isPrivileged = privilege.ownsMounts && hasEffectiveCapability(systemAdministration)
            host.canSetGroups = privilege.canSetGroups
            host.isRealRoot = privilege.isInitial
        }
        if !spec.namespaces[.user].value.isNew {
            host.permitted = CapabilitySet(rawValue: permittedCapabilities())
        }
        if !spec.environment.keep.isEmpty {
            host.environment = callerEnvironment()
        } else if let term = environmentVariable("TERM") {
            host.environment = [("TERM", term)]
        }
        host.lastCapability = Kernel.lastCapability
        if spec.landlock != nil || spec.sharesNetwork { host.landlockABI = Kernel.landlockABI() ?? 0 }
        host.standardInputIsTerminal = isTerminal(0)
        if spec.namespaces[.pid].value.isHost { host.canStartSession = Kernel.canStartSession() }
        if let limits = spec.limits { host.controlGroups = .probe(for: limits.value, uid: host.uid) }
        host.readAccounts(of: spec)
        if case .system = spec.filesystem.root.value { host.rootEntries = systemEntries() }
        if spec.identity.asksForSubordinates {
            host.readSubordinates(spec)
        }
        return host
    }

    /// /usr, /etc, and what a program expects beside them, as they are on this host.
    private static func systemEntries() -> [RootEntry] {
        let names = ["bin", "etc", "lib", "lib32", "lib64", "libx32", "sbin", "usr"]
        return names.compactMap { name in
            do throws(KernelError) {
                let entry = try open("/" + name, [.path, .noFollow])
                guard try status(of: entry.number).isSymlink else { return RootEntry(name: name, link: nil) }
                return RootEntry(name: name, link: try readLink("", at: entry.number))
            } catch {
                return nil  // absent here, and so absent in the jail
            }
        }
    }

    /// The users and groups of the tree that the jail will see. A tree that is somebody else's is read without following
    /// links out of it and without blocking; a file that cannot be read is an empty one.
    private mutating func readAccounts(of spec: Spec) {
        var root = "/"
        switch spec.filesystem.root.value {
        case .directory(let path): if case .new = spec.namespaces[.mount].value { root = path }
        default: break
        }
        users = Accounts.users(Accounts.read("etc/passwd", below: root), wanted: wantedUser(spec))
        let needsGroups = spec.identity.group != nil || spec.identity.groups?.value.isEmpty == false
        if needsGroups { groups = Accounts.groups(Accounts.read("etc/group", below: root)) }
    }

    /// The one user that the plan will look up: a whole passwd file would cost more than all the rest of the probe.
    private func wantedUser(_ spec: Spec) -> Identity.Account {
        spec.identity.user?.value ?? .id(uid == 0 ? Planner.nobody : uid)
    }

    private mutating func readSubordinates(_ spec: Spec) {
        let name = Accounts.users(Accounts.read("etc/passwd", below: "/"), wanted: .id(uid)).first?.name ?? ""
        callerName = name
        subordinateUsers = Accounts.subordinates(Accounts.read("etc/subuid", below: "/"), name: name, id: uid)
        subordinateGroups = Accounts.subordinates(Accounts.read("etc/subgid", below: "/"), name: name, id: uid)
    }
}
