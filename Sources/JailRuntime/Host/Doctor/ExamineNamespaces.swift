import JailPlan
import JailSpec
import Kernel

/// Namespaces and ids.
extension Examination {
    mutating func namespaces() {
        add(
            "namespaces", "user", refusalOfUsers, orElse: .broken,
            works: evidence.uid == 0 ? "root may make them" : "an ordinary user may make them",
            remedy: { $0.namespaceHint([.user]) })
        for kind in NamespaceKind.allCases where kind != .user && kind != .time {
            add(
                "namespaces", kind.rawValue, Trial.attempt(in: NamespaceFlags([.user, kind])), orElse: .broken,
                works: "can be made inside a user namespace", remedy: { $0.namespaceHint([.user, kind]) })
        }
        add(
            "namespaces", "time",
            Trial.attempt(in: .user) { () throws(KernelError) in try unshare(.time) }, orElse: .absent,
            works: "clocks can be offset", remedy: { $0.namespaceHint([.time]) ?? "Linux 5.6 with CONFIG_TIME_NS" })
        sysctls()
    }

    /// The switches that turn user namespaces off, whether or not they do so now.
    private mutating func sysctls() {
        switch evidence.number("/proc/sys/kernel/unprivileged_userns_clone") {
        case 0?:
            add(
                "namespaces", "unprivileged_userns_clone", evidence.uid == 0 ? .absent : .broken, "0: root only",
                remedy: Remedy.allowUserNamespaces)
        case let value?: add("namespaces", "unprivileged_userns_clone", .ok, "\(value)")
        case nil: break  // only Debian's kernels have it
        }
        if let value = evidence.number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") {
            let restricts = value == 1 && evidence.uid != 0
            add(
                "namespaces", "AppArmor", restricts ? .broken : .ok,
                restricts
                    ? "user namespaces of ordinary users have no capabilities" : "does not restrict user namespaces",
                remedy: restricts ? Remedy.loosenAppArmor : nil)
        }
        for kind in NamespaceKind.allCases {
            let name = "max_\(kind.sysctlName)_namespaces"
            guard evidence.number("/proc/sys/user/\(name)") == 0 else { continue }
            add(
                "namespaces", name, kind == .time ? .absent : .broken, "0: none can be made",
                remedy: evidence.isInUserNamespace
                    ? "set where this container or jail is started; where that is immure's, \(Remedy.nested)"
                    : Remedy.raiseLimit("user.\(name)"))
        }
        let forbids = Trial.attempt(in: .user) { () throws(KernelError) in
            try writeText("0", to: "/proc/sys/user/max_user_namespaces", at: Kernel.currentDirectory)
        }
        add(
            "namespaces", "nested = false", forbids, orElse: .broken,
            works: "namespaces within a jail can be forbidden",
            remedy: { explanation in
                explanation.failure.errno == .readOnly || explanation.failure.errno == .accessDenied
                    ? Remedy.writableSysctls : nil
            })
    }

    mutating func identity() {
        let uid = evidence.uid
        let maps = Trial.attempt(in: .user) { () throws(KernelError) in
            try writeText("deny", to: "/proc/self/setgroups", at: Kernel.currentDirectory)
            try writeText("\(uid) \(uid) 1", to: "/proc/self/uid_map", at: Kernel.currentDirectory)
        }
        add(
            "identity", "own id", maps, orElse: .broken, works: "the caller's own id can be mapped",
            remedy: { $0.appArmorHint ?? ($0.failure.errno == .readOnly ? Remedy.writableProc : nil) })
        let missing = ["newuidmap", "newgidmap"].filter { tool($0) == nil }
        add(
            "identity", "newuidmap", missing.isEmpty ? .ok : .absent,
            missing.isEmpty
                ? "newuidmap and newgidmap are installed" : "not installed: " + missing.joined(separator: ", "),
            remedy: missing.isEmpty ? nil : Remedy.installUIDMap)
        let name = Accounts.users(hostFile("etc/passwd"), wanted: .id(uid)).first?.name ?? ""
        for file in [SubordinateFile.subuid, .subgid] {
            let ranges = Accounts.subordinates(hostFile("etc/\(file.rawValue)"), name: name, id: uid)
            let count = ranges.reduce(0) { $0 + UInt64($1.count) }
            let who = name.isEmpty ? "\(uid)" : name
            add(
                "identity", file.path, ranges.isEmpty ? .absent : .ok,
                ranges.isEmpty ? "no range for \(who): no \"auto\" maps" : "\(count) ids for \(who)",
                remedy: ranges.isEmpty ? evidence.rangeRemedy(in: file) : nil)
        }
    }

    /// A file that cannot be read names nobody here; the launch itself refuses then.
    private func hostFile(_ path: String) -> [UInt8] {
        do throws(KernelError) {
            return try Accounts.read(path, below: "/")
        } catch {
            return []
        }
    }

    /// Where a program of the host is, as `HostProgram` looks for it.
    func tool(_ name: String) -> String? {
        do throws(Failure) {
            let program = try HostProgram.find(name, call: .execve)
            closeDescriptor(program.descriptor)
            return program.path
        } catch {
            return nil
        }
    }
}
