import JailPlan
import Kernel

/// The jail's own cgroup while the launcher has it.
///
/// Its directory is locked (flock(2)) for as long as this process lives: an unlocked one whose name is immure's was left
/// behind by a launcher that was killed, and the next launch removes it. The lock is no process id, which would mean
/// nothing to a launcher in another pid namespace; and the kernel itself refuses to remove a group with a process in it.
struct Leaf {
    /// The names of groups that a launch makes begin with this.
    static let prefix = "immure-"
    /// The group inside, for a jail that may divide its own.
    static let innerName = "jail"

    let name: String
    /// The directory that the group stands in.
    let base: Int32
    /// The limited group, locked.
    let directory: Int32
    /// cgroup.events of the limited group.
    let events: Int32
    /// Where the first process is born: the limited group, or the one inside.
    private(set) var birthplace: Int32

    /// The jail's user namespace, where groups inside belong to ids that the launcher is not; else −1.
    var users: Int32 = -1

    /// What the launcher must keep open.
    var descriptors: [Int32] { [base, directory, events, users] }

    /// Makes the group in `base`. One that another launch took for abandoned, before it was locked, is made again.
    static func make(in base: Int32) throws(KernelError) -> Leaf {
        var attempts = 0
        while true {
            attempts += 1
            let name = "\(prefix)\(currentProcess())-\(monotonicNanoseconds())"
            // 0700 until it is locked: who cannot open it cannot lock it either.
            try makeDirectory(name, at: base, permissions: 0o700)
            do throws(KernelError) {
                let directory = try open(name, at: base, .read | .directory)
                try lock(directory.number)
                let events = try open("cgroup.events", at: directory.number, .read)
                try setPermissions(directory.number, 0o755)
                let number = directory.release()
                return Leaf(
                    name: name, base: base, directory: number, events: events.release(), birthplace: number)
            } catch {
                discard(name, in: base)
                guard attempts < 16, [.noEntry, .noDevice, .again].contains(error.errno) else { throw error }
            }
        }
    }

    /// Removes a group that is no use. Where even that fails, the next launch does it.
    private static func discard(_ name: String, in base: Int32) {
        do throws(KernelError) {
            try removeDirectory(name, at: base)
        } catch {
            return
        }
    }

    /// Adds the group inside: it has the controllers of the limited one, whose files it cannot reach.
    mutating func addInner(_ delegation: CgroupDelegation) throws(KernelError) {
        let held = words(try readBytes("cgroup.controllers", at: directory))
        if !held.isEmpty {
            let all = held.map { "+" + $0 }.joined(separator: " ")
            try writeText(all, to: "cgroup.subtree_control", at: directory)
        }
        try makeDirectory(Self.innerName, at: directory, permissions: 0o755)
        birthplace = try open(Self.innerName, at: directory, .read | .directory).release()
        if case .owned(let user, let group) = delegation { try give(user: user, group: group) }
    }

    /// What a delegatee must own, Documentation/admin-guide/cgroup-v2.rst, "Model of Delegation".
    static let delegated = [".", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"]

    /// Gives the group inside to somebody.
    func give(user: UInt32, group: UInt32) throws(KernelError) {
        for file in Self.delegated { try setOwner(file, at: birthplace, user: user, group: group) }
    }

    /// Moves the caller into the group.
    func enter() throws(KernelError) { try writeText("0", to: "cgroup.procs", at: birthplace) }

    /// Kills whatever is left in the group and waits until nobody is; false where somebody still is.
    func clear() throws(KernelError) -> Bool {
        guard try isPopulated else { return true }
        do throws(KernelError) {
            try kill()
        } catch {
            // Linux before 5.14 has no such file: the end of the pid namespace has killed all there is.
            guard error.errno == .noEntry else { throw error }
        }
        // A process that was killed leaves its group a little later, when the last of it is gone.
        let deadline = monotonicNanoseconds() + 10_000_000_000
        while try isPopulated {
            let remaining = deadline - monotonicNanoseconds()
            guard remaining > 0 else { return false }
            _ = try waitForChange(of: events, milliseconds: Int32(clamping: remaining / 1_000_000 + 1))
        }
        return true
    }

    /// Kills everybody in the group; ENOENT before Linux 5.14.
    func kill() throws(KernelError) { try writeText("1", to: "cgroup.kill", at: directory) }

    private var isPopulated: Bool {
        get throws(KernelError) {
            lines(try readRecord(events)).contains { $0 == "populated 1" }
        }
    }

    /// Removes the group and all within it, deepest first. Only directories are removed: the files go with them.
    func remove() throws(KernelError) {
        do throws(KernelError) {
            try Self.remove(name, in: base)
        } catch {
            guard error.errno == .accessDenied, users >= 0 else { throw error }
            try removeAsRootOfJail()
            try Self.remove(name, in: base)
        }
    }

    /// Removes the groups inside as somebody with every capability over the jail's ids, user_namespaces(7): rmdir(2) asks for the
    /// right to write to the group above.
    private func removeAsRootOfJail() throws(KernelError) {
        guard case .parent(let child) = try fork(into: []) else {
            do throws(KernelError) {
                try join(users, .user)
                try Self.remove(Self.innerName, in: directory)
            } catch {
                exitNow(1)  // what is left is told by the next try
            }
            exitNow(0)
        }
        var use = ResourceUse()
        _ = try wait(for: child, blocking: true, use: &use)
    }

    /// A jail's groups may lie so deep that a descriptor for each level were too many: `..` leads up again, for no group can be
    /// moved.
    static func remove(_ name: String, in parent: Int32) throws(KernelError) {
        guard try !removeEmpty(name, in: parent) else { return }
        var directory = try open(name, at: parent, .read | .directory | .noFollow)
        var way = [(name: name, inside: try subdirectories(of: directory.number))]
        while !way.isEmpty {
            if let child = way[way.count - 1].inside.popLast() {
                guard try !removeEmpty(child, in: directory.number) else { continue }
                directory = try open(child, at: directory.number, .read | .directory | .noFollow)
                way.append((child, try subdirectories(of: directory.number)))
            } else {
                directory = try open("..", at: directory.number, .read | .directory)
                try removeLast(way.removeLast().name, in: way.isEmpty ? parent : directory.number)
            }
        }
    }

    /// Removes a group; false where something is in it: a group, or a process, which is an error of the second try.
    private static func removeEmpty(_ name: String, in parent: Int32) throws(KernelError) -> Bool {
        do throws(KernelError) {
            try removeLast(name, in: parent)
            return true
        } catch {
            guard error.errno == .busy else { throw error }
            return false
        }
    }

    private static func removeLast(_ name: String, in parent: Int32) throws(KernelError) {
        do throws(KernelError) {
            try removeDirectory(name, at: parent)
        } catch {
            guard error.errno == .noEntry else { throw error }
        }
    }
}

/// The names of the groups in a group.
func subdirectories(of directory: Int32) throws(KernelError) -> [String] {
    var result: [String] = []
    // Every file of cgroupfs has a dot in its name; a group of that kind shows by what it opens as.
    for name in try entries(of: directory) {
        do throws(KernelError) {
            _ = try open(name, at: directory, .path | .directory | .noFollow)
            result.append(name)
        } catch {
            guard error.errno == .notDirectory || error.errno == .noEntry else { throw error }
        }
    }
    return result
}
