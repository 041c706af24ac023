package import JailPlan
package import JailSpec
import Kernel
package import SpecFile

extension Host {
    /// Asks the running host for what the plan of this spec needs to know, and no more: each look-up costs part of the
    /// launch. Nothing is changed. What cannot be seen is not guessed: the kernel's refusal is thrown.
    package static func probe(for spec: Spec) throws(Diagnostic) -> Host {
        do throws(KernelError) {
            return try look(for: spec)
        } catch {
            let what = error.path.isEmpty ? error.call.name : "\(error.call.name) \(error.path)"
            throw Diagnostic("look at the host: \(what): \(error.errno.name) \(error.errno.words)", at: nil)
        }
    }

    private static func look(for spec: Spec) throws(KernelError) -> Host {
        var host = Host()
        let caller = callerIdentity()
        (host.uid, host.gid, host.supplementary) = (caller.euid, caller.gid, caller.groups)
        let systemAdministration = Capability.sys_admin.rawValue
        if caller.euid == 0 {
            let privilege = NamespacePrivilege.ofCaller()
            if privilege.ownsMounts { host.isPrivileged = try hasEffectiveCapability(systemAdministration) }
            host.canSetGroups = privilege.canSetGroups
            host.isRealRoot = privilege.isInitial
            host.rootRefusal = privilege.refusal.map { "\($0.call.name): \($0.errno.name)" }
        } else if spec.identity.groups != nil {
            host.canSetGroups = NamespacePrivilege.ofCaller().canSetGroups
        }
        if !spec.namespaces[.user].value.isNew {
            host.permitted = CapabilitySet(rawValue: try permittedCapabilities())
        }
        if !spec.environment.keep.isEmpty {
            host.environment = callerEnvironment()
        } else if let term = environmentVariable("TERM") {
            host.environment = ["TERM=" + term]
        }
        if spec.service.isUsed { host.service = .ofCaller() }
        if spec.process.boot.value { host.initProgram = initProgram(of: spec) }
        if spec.process.jobserver.value { host.jobserver = try .ofCaller() }
        host.lastCapability = try Kernel.lastCapability()
        if spec.seccomp?.value.file != nil { host.kernel = KernelVersion(release: kernelRelease()) }
        host.landlockABI = Kernel.landlockABI() ?? 0
        host.standardInputIsTerminal = isTerminal(0)
        host.standardOutputIsTerminal = isTerminal(1)
        host.standardErrorIsTerminal = isTerminal(2)
        if spec.namespaces[.pid].value.isHost { host.canStartSession = Kernel.canStartSession() }
        if let limits = spec.limits { host.controlGroups = .probe(for: limits.value, uid: host.uid) }
        try host.readAccounts(of: spec)
        if spec.network.leadsOut { host.network = try .probe() }
        if host.isPrivileged, host.network.hasRules, let interface = host.network.forwarded(for: spec.network) {
            host.network.findClosedChains(to: interface)
        }
        try host.lookAtTree(of: spec)
        if spec.hostname != nil { host.hosts = try hostsFile(of: spec) }
        if host.reachesNetwork(spec) { host.findNeededLinks() }
        if spec.identity.asksForSubordinates {
            try host.readSubordinates(spec)
        }
        return host
    }

    private mutating func lookAtTree(of spec: Spec) throws(KernelError) {
        if spec.filesystem.asksForMemory { memory = try totalMemory() }
        if case .host = spec.filesystem.devices.value { deviceStores = Self.deviceStores() }
        if uid != 0 { for mount in spec.filesystem.mounts { lookForOwner(of: mount) } }
        if let overlay = spec.filesystem.rootOverlay {
            if uid != 0 { lookForOwner(of: overlay) }
            if case .host = spec.filesystem.root.value { submounts = try Self.outermostMounts() }
        }
        if case .system = spec.filesystem.root.value { rootEntries = try Self.systemEntries() }
        var mounts = spec.filesystem.mounts
        if spec.filesystem.hasPatterns {
            matches = try PatternSearch.matches(of: spec.filesystem, rootEntries)
            mounts = spec.filesystem.expanded(by: matches).filesystem.mounts
        }
        for mount in mounts { if case .bind(let path) = mount.source { lookForDevices(path) } }
        for mount in mounts { lookForServer(of: mount) }
        if let root = spec.filesystem.rootOverlay { lookForServer(of: root) }
        for mount in mounts { if case .image(let path, let offset) = mount.source { lookAtImage(path, offset) } }
    }

    private func reachesNetwork(_ spec: Spec) -> Bool {
        guard case .system = spec.filesystem.root.value, spec.namespaces[.mount].value.isNew else { return false }
        if spec.sharesNetwork { return true }
        switch spec.network.mode?.value {
        case nil, .none?: return false
        default: return true
        }
    }

    /// A look at what is nowhere near a /dev could wait for ever, and finds nothing.
    private mutating func lookForDevices(_ path: String) {
        guard path.utf8.split(separator: UInt8(ascii: "/")).contains(where: { $0.elementsEqual("dev".utf8) }) else {
            return
        }
        do throws(KernelError) {
            let found = try status(ofPath: path)
            if found.isDevice { deviceNodes.append(path) }
            if found.isDirectory, try Self.holdsDevice(try open(path, .path | .directory), depth: 3) {
                deviceDirectories.append(path)
            }
        } catch {
            return  // the launch will find out, and say where
        }
    }

    /// Shared memory, message queues and huge pages, as far as this host has them.
    private static func deviceStores() -> [String] {
        ["/dev/hugepages", "/dev/mqueue", "/dev/shm"].filter { path in
            do throws(KernelError) {
                _ = try open(path, .path | .directory | .noFollow)
                return true
            } catch {
                return false
            }
        }
    }

    /// The mounts of the host's tree that are in no other but the root.
    private static func outermostMounts() throws(KernelError) -> [String] {
        let file = try open("/proc/self/mountinfo", .read)
        var result: [String] = []
        var lines = MountLines(try readAll(file.number, limit: 1 << 26, path: "/proc/self/mountinfo"))
        while let line = lines.next() {
            let point = lines.point(of: line)
            let path = String(decoding: point, as: UTF8.self)
            if path != "/", Array(path.utf8) == point { result.append(path) }
        }
        return result.filter { path in !result.contains { path != $0 && isWithin(path, $0) } }
    }

    private mutating func lookForOwner(of mount: Mount) {
        guard case .overlay(let lower, _, _) = mount.source, let path = lower.first else { return }
        do throws(KernelError) {
            let found = try status(ofPath: path)
            layers.append((path, found.owner, found.group))
        } catch {
            return  // the launch will find out, and say where
        }
    }

    /// Whether there is a device node in a directory, or in one below it.
    private static func holdsDevice(_ directory: borrowing Descriptor, depth: Int) throws(KernelError) -> Bool {
        for name in try entries(of: directory.number) {
            do throws(KernelError) {
                let entry = try open(name, at: directory.number, .path | .noFollow)
                let found = try status(of: entry.number)
                if found.isDevice { return true }
                if found.isDirectory, depth > 1, try holdsDevice(entry, depth: depth - 1) { return true }
            } catch {
                continue  // gone, or not for the caller's eyes
            }
        }
        return false
    }

    /// What the jail's tree has by that name.
    private static func hostsFile(of spec: Spec) throws(KernelError) -> HostsFile? {
        guard case .new = spec.namespaces[.mount].value else { return nil }
        // What is in an image is seen only once it is mounted.
        if case .image = spec.filesystem.root.value { return nil }
        var root = "/"
        if case .directory(let path) = spec.filesystem.root.value { root = path + "/" }
        var isFile = false
        do throws(KernelError) {
            _ = try readLink(root + "etc/hosts")
        } catch {
            if error.errno == .noEntry { return .absent }
            // There, and no link: an empty one, or one that only the host's root may read.
            if error.errno == .invalid { isFile = try status(ofPath: root + "etc/hosts").isRegular }
        }
        let bytes = try Accounts.read("etc/hosts", below: root)
        return bytes.isEmpty && !isFile ? nil : .text(String(decoding: bytes, as: UTF8.self))
    }

    /// /usr, /etc, and what a program expects beside them, as they are on this host.
    private static func systemEntries() throws(KernelError) -> [RootEntry] {
        var entries: [RootEntry] = []
        for name in ["bin", "etc", "lib", "lib32", "lib64", "libx32", "sbin", "usr"] {
            do throws(KernelError) {
                entries.append(RootEntry(name: name, link: try readLink("/" + name)))
            } catch {
                switch error.errno {
                case .invalid: entries.append(RootEntry(name: name, link: nil))  // there, and no link: readlink(2)
                case .noEntry: break  // absent here, and so absent in the jail
                default: throw error
                }
            }
        }
        return entries
    }

    /// The users and groups of the tree that the jail will see. A tree that is somebody else's is read without following
    /// links out of it and without blocking; a file that cannot be read is an empty one.
    private mutating func readAccounts(of spec: Spec) throws(KernelError) {
        var root = "/"
        switch spec.filesystem.root.value {
        case .directory(let path): if case .new = spec.namespaces[.mount].value { root = path }
        default: break
        }
        if root != "/" { accountsRoot = root }
        users = Accounts.users(try Accounts.read("etc/passwd", below: root), wanted: wantedUser(spec))
        if users.isEmpty, spec.identity.user == nil {
            accountFiles = try accountFiles(of: spec, below: root)
            // A tree of its own has no such directory.
            if uid != 0, accountsRoot == nil, spec.filesystem.root.value != .image {
                unlistedHome = environmentVariable("HOME")
            }
        }
        if namesGroup(spec.identity) { groups = Accounts.groups(try Accounts.read("etc/group", below: root)) }
    }

    /// A number is looked up nowhere: to read a group(5) of 60 lines for one took 142,000 instructions.
    private func namesGroup(_ identity: Identity) -> Bool {
        if case .name? = identity.group?.value { return true }
        for group in identity.groups?.value ?? [] { if case .name = group { return true } }
        return false
    }

    /// For a caller who has no line in the tree that the jail sees: that of the host's own passwd(5) gives the name, or what a
    /// service manager with users of its own (DynamicUser=) has put into the environment.
    private func accountFiles(of spec: Spec, below root: String) throws(KernelError) -> AccountFiles? {
        guard spec.namespaces[.mount].value.isNew else { return nil }
        let passwd = try Accounts.read("etc/passwd", below: root)
        var name = ""
        if uid == 0 {
            name = "nobody"
        } else if root != "/" {
            name = Accounts.users(try Accounts.read("etc/passwd", below: "/"), wanted: .id(uid)).first?.name ?? ""
        }
        if name.isEmpty { name = environmentVariable("USER") ?? environmentVariable("LOGNAME") ?? "" }
        let isName =
            !name.isEmpty && name.utf8.count <= 64
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
        // The name may be another's in that tree.
        guard isName, Accounts.users(passwd, wanted: .name(name)).isEmpty else { return nil }
        return AccountFiles(
            name: name, passwd: String(decoding: passwd, as: UTF8.self),
            group: String(decoding: try Accounts.read("etc/group", below: root), as: UTF8.self))
    }

    /// The one user that the plan will look up: a whole passwd file would cost more than all the rest of the probe.
    private func wantedUser(_ spec: Spec) -> Identity.Account {
        spec.identity.user?.value ?? .id(uid == 0 ? Planner.nobody : uid)
    }

    private mutating func readSubordinates(_ spec: Spec) throws(KernelError) {
        let passwd = try Accounts.read("etc/passwd", below: "/")
        callerName = Accounts.users(passwd, wanted: .id(uid)).first?.name ?? ""
        let (users, groups) = (try Accounts.read("etc/subuid", below: "/"), try Accounts.read("etc/subgid", below: "/"))
        subordinateUsers = Accounts.subordinates(users, name: callerName, id: uid)
        subordinateGroups = Accounts.subordinates(groups, name: callerName, id: uid)
        // The launch has failed already: what it takes to tell where a range could go is no loss.
        if subordinateUsers.isEmpty || subordinateGroups.isEmpty {
            roomForUsers = Evidence.host.room(in: .subuid)
            roomForGroups = Evidence.host.room(in: .subgid)
        }
    }
}
