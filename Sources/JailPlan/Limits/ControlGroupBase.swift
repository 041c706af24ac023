import JailSpec

/// The choice of the place for a jail's group, and every reason against one.
extension ControlGroups {
    /// Where the jail's group goes, or why it can go nowhere.
    package var base: Result<Base, Refusal> {
        guard let mount else {
            return .failure(
                old.isEmpty
                    ? Refusal("no cgroup2 file system is mounted", Remedy.mountGroups)
                    : Refusal("this host has only cgroups of version 1", Remedy.unifyGroups))
        }
        if scope == .own {
            if let manager { return .success(.scope(manager)) }
            return .failure(
                Refusal("scope = \"own\": no service manager of the caller's is there to ask", Remedy.stayInUnit))
        }
        guard let own else {
            return .failure(
                Refusal("the caller's own cgroup cannot be seen below \(mount)", Remedy.mountOwnGroups(on: mount)))
        }
        if own.isDelegated && own.isWritable { return directory(own, below: mount) }
        // A leaf inside what was delegated: immure's own for the processes that were there before, or the one that
        // DelegateSubgroup= made.
        if let parent, parent.isWritable, own.name == Self.supervisorName || (parent.isDelegated && !own.isUnit) {
            return directory(parent, below: mount)
        }
        if let unit, unit.isDelegated, own.isWritable { return directory(own, below: mount) }
        if isManaged {
            if let refusal = refusalToLeave { return .failure(refusal) }
            if let manager { return .success(.scope(manager)) }
            return .failure(
                Refusal("\(own.path) is not delegated to the caller, and no manager is there to ask", Remedy.runInScope)
            )
        }
        if own.isWritable { return directory(own, below: mount) }
        return .failure(
            Refusal(
                "the caller may not make cgroups below \(own.path)",
                Remedy.own(own.path, below: mount, uid: uid)))
    }

    /// Outside of the unit nothing that it limits would hold: the jail stays in it, or its spec says that it leaves.
    private var refusalToLeave: Refusal? {
        guard let unit, unit.isService || unit.isDelegated || !unit.limits.isEmpty || unit.doubt != nil else {
            return nil
        }
        if unit.isDelegated {
            return Refusal(
                "\(unit.name) is delegated, and its cgroup cannot be written to",
                Remedy.give(unit, ["ProtectControlGroups=no"]))
        }
        let held = unit.limits.isEmpty ? "" : " and limits \(unit.limits.joined(separator: ", "))"
        let what = unit.doubt.map { "is not known to be delegated (\($0))" } ?? "is not delegated to the caller"
        return Refusal(
            "\(unit.name) \(what)\(held): the jail's cgroup cannot be made in it",
            (unit.isService ? Remedy.delegate(to: unit) : Remedy.delegateScope)
                + (manager == nil ? "" : "; to leave it and its limits: \(Remedy.ownScope)"))
    }

    private func directory(_ group: Group, below mount: String) -> Result<Base, Refusal> {
        if let type = group.type, type != "domain" {
            return .failure(
                Refusal(
                    "\(group.path) is \(type == "threaded" ? "a threaded cgroup" : "a cgroup of type \"\(type)\""), "
                        + "which can have no group of processes below it",
                    "start immure outside of it: systemd-run --scope -p Delegate=yes immure …"))
        }
        return .success(.directory(group.path == "/" ? mount : mount + group.path))
    }

    /// The group that `base` stands for, where it is there already.
    package var baseGroup: Group? {
        guard let mount, case .success(.directory(let path)) = base else { return nil }
        return [own, parent].compactMap { $0 }.first { path == mount + $0.path || ($0.path == "/" && path == mount) }
    }

    /// Why the jail's group would not have that controller; nil where it would.
    package func refusal(of controller: String) -> Refusal? {
        if old.contains(controller) || (controller == "io" && old.contains("blkio")) {
            return Refusal(
                "the \(controller) controller is not available: cgroup version 1 has it (a hybrid host)",
                Remedy.unifyGroups)
        }
        guard available.contains(controller) else {
            return Refusal(
                "the \(controller) controller is not available: this kernel was built or booted without it",
                "grep \(controller) /proc/cgroups /proc/cmdline; or remove the line")
        }
        guard let group = baseGroup, !group.controllers.contains(controller) else { return nil }
        let holder = chain.first { !$0.enabled.contains(controller) }
        return Refusal(
            "the \(controller) controller does not reach \(group.path)"
                + (holder.map { ": \($0.path) holds it back" } ?? ""),
            isManaged
                ? "\(Remedy.delegateToUnit); for a user's: \(Remedy.delegateToUsers)"
                : "as root: echo +\(controller) >\(mount ?? "")\(holder?.path ?? "")/cgroup.subtree_control")
    }

    /// What stands against a limit, and what to do about it.
    package struct Refusal: Error, Equatable, Sendable {
        package let message: String
        package let remedy: String
        init(_ message: String, _ remedy: String) { (self.message, self.remedy) = (message, remedy) }
    }
}
