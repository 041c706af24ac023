import JailPlan
import Kernel

/// The cgroup of the jail, step by step, in the launcher.
extension Applier {
    /// Gives the children of the base what the jail's group needs, and makes room for that.
    mutating func enableControllers(_ base: ControlGroups.Base, _ wanted: [String]) throws(Failure) {
        let path: String
        switch base {
        case .directory(let directory): path = directory
        case .scope: path = try OwnGroup.directory()
        }
        let directory = try failing { () throws(KernelError) in try open(path, .read | .directory).release() }
        groupBase = directory
        guard !wanted.isEmpty else { return }
        let held = try words(of: "cgroup.controllers", at: directory)
        for controller in wanted where !held.contains(controller) {
            throw Failure(.controllerMissing, text: "\(controller) \(path)")
        }
        let enabled = try words(of: "cgroup.subtree_control", at: directory)
        let missing = wanted.filter { !enabled.contains($0) }
        guard !missing.isEmpty else { return }
        let request = missing.map { "+" + $0 }.joined(separator: " ")
        let isRoot = !Caller.exists(path + "/cgroup.type")
        try failing { () throws(KernelError) in
            for attempt in 0... {
                // A group other than the root has no processes beside children with controllers: some are refused then
                // (EBUSY), others make it a threaded one, in which no jail can be.
                if !isRoot { try makeRoom(in: directory) }
                do throws(KernelError) {
                    return try writeText(request, to: "cgroup.subtree_control", at: directory)
                } catch {
                    // A process that was forked meanwhile is found the next time.
                    guard error.errno == .busy, attempt < 32 else {
                        throw KernelError(error.call, error.errno, path: path + "/cgroup.subtree_control")
                    }
                }
            }
        }
    }

    /// Moves every process of the group into a leaf beside the jail's.
    private func makeRoom(in base: Int32) throws(KernelError) {
        let processes = try readText("cgroup.procs", at: base).split(separator: "\n")
        guard !processes.isEmpty else { return }
        do throws(KernelError) {
            try makeDirectory(ControlGroups.supervisorName, at: base, permissions: 0o755)
        } catch {
            guard error.errno == .exists else { throw error }
        }
        let target = ControlGroups.supervisorName + "/cgroup.procs"
        for process in processes {
            do throws(KernelError) {
                try writeText(String(process), to: target, at: base)
            } catch {
                guard error.errno == .noProcess else { throw error }
            }
        }
    }

    mutating func createCgroup(_ delegation: CgroupDelegation) throws(Failure) {
        let base = groupBase
        try failing { () throws(KernelError) in
            try Sweep.run(in: base)
            var made = try Leaf.make(in: base)
            leaf = made
            guard delegation != .none else { return }
            try made.addInner(delegation)
            leaf = made
        }
    }

    /// Writes a limit, and reads back what is in force now.
    func setLimit(_ setting: LimitSetting) throws(Failure) {
        guard let leaf else { throw Failure(.launcherGone) }
        let read = try failing { () throws(KernelError) in
            let file = try open(setting.file, at: leaf.directory, .readWrite | .noTerminal)
            do throws(KernelError) {
                try writeAll(file.number, Array(setting.value.utf8))
            } catch {
                throw KernelError(error.call, error.errno, path: setting.file)
            }
            guard case .effective(let other) = setting.echo else { return try readRecord(file.number) }
            return try readBytes(other, at: leaf.directory)
        }
        guard setting.isEchoed(by: read) else {
            throw Failure(.limitDiffers, text: "\(setting.file) \(lines(read).first ?? "nothing")")
        }
    }

    func enterCgroup() throws(Failure) {
        guard let leaf else { throw Failure(.launcherGone) }
        try failing { () throws(KernelError) in try leaf.enter() }
    }

    private func words(of file: String, at directory: Int32) throws(Failure) -> [String] {
        try failing { () throws(KernelError) in Kernel.words(try readBytes(file, at: directory)) }
    }
}
