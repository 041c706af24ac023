import JailPlan
import JailSpec
import Kernel
import LinuxFacts

/// Limits of what directories of the host hold: each set of directories is a project (quota) of its own.
///
/// The project is numbered after the directory's inode, from 2³⁰ on: below are those of /etc/projid, above 2³¹ those of systemd. An
/// attribute of the directory that only root can set says that immure gave it its number.
extension Applier {
    /// Limits what a bind shows; `clone` is that mount.
    mutating func limitStorage(
        _ limit: StorageLimit, of source: TreeSource, _ clone: Int32, of plan: Plan
    ) throws(Failure) {
        let isDirectory = try failing { () throws(KernelError) in try status(of: clone).isDirectory }
        guard isDirectory else {
            throw Failure(
                telling: "quota: \(source.path) is not a directory", hint: "name the directory that it is in")
        }
        if source.recursive {
            let place = try reach(source.path, of: plan)
            if let below = try firstPoint(below: place.number) {
                throw Failure(
                    telling: "quota: \(below) is mounted below \(source.path), and would have no limit",
                    hint: "options = [\"bind\"] to go without it, and a [[mount]] of its own to show it")
            }
        }
        let directory = try failing { () throws(KernelError) in try open(".", at: clone, .read | .directory) }
        try limitStorage(limit, in: [(directory.number, source.path)], of: plan)
    }

    /// Limits what open directories of one file system hold together, and all that is in them. Others that are limited to the same
    /// may share the first one; nobody changes its limit while it is held.
    mutating func limitStorage(
        _ limit: StorageLimit, in directories: [(number: Int32, path: String)], of plan: Plan
    ) throws(Failure) {
        let (first, path) = directories[0]
        try requireQuotas(first, path)
        let due = monotonicNanoseconds() + 10_000_000_000
        var isHeld = false
        while !isHeld, monotonicNanoseconds() < due {
            let isAlone = try failing { () throws(KernelError) in try takeLock(first) }
            if isAlone {
                let project = try chooseProject(limit, first, path)
                for directory in directories { try join(project, directory.number, directory.path) }
            }
            isHeld = try failing { () throws(KernelError) in try takeLock(first, isShared: true) }
            // Another launch is about to limit it.
            if !isHeld { try rest() }
        }
        guard isHeld, try isInForce(limit, directories) else {
            throw Failure(
                telling: "quota: \(path) is in use by another jail, with another limit",
                hint: "wait until it has ended, or write the same limit in both")
        }
        try hold(first, isShown: false, of: plan)
    }

    /// Waits a moment, or for a signal that ends the launch.
    private func rest() throws(Failure) {
        let signal = try failing { () throws(KernelError) -> Int32? in
            var watches = [Watch(signals?.descriptor ?? -1)]
            try poll(&watches, milliseconds: 20)
            return try signals?.ending()?.number
        }
        if let signal { throw Failure.interrupted(by: signal) }
    }

    /// What has come of it, by what the kernel says: quotas that are enforced, of that size, for those directories.
    private func isInForce(
        _ limit: StorageLimit, _ directories: [(number: Int32, path: String)]
    ) throws(Failure) -> Bool {
        try failing { () throws(KernelError) in
            let project = try project(of: directories[0].number).number
            for directory in directories {
                let found = try Kernel.project(of: directory.number)
                guard found.number == project, found.isInherited else { return false }
            }
            let use = try projectUse(project, of: directories[0].number)
            return project != 0 && use.kibibytes == limit.kibibytes && use.inodes == limit.inodes ?? 0
        }
    }

    /// What statfs(2) says of the mount: of a project it is the limit, unless the file system is smaller.
    mutating func checkRoom(_ slot: Int, _ limit: StorageLimit) throws(Failure) {
        let view = slots[slot]
        let room = try failing { () throws(KernelError) in try capacity(of: view) }
        if limit.bytes != nil {
            let most = limit.kibibytes.multipliedReportingOverflow(by: 1024).partialValue
            try hold(room.bytes <= most, "quota", "\(most)", "\(room.bytes)")
        }
        if let inodes = limit.inodes { try hold(room.inodes <= inodes, "inodes", "\(inodes)", "\(room.inodes)") }
    }

    static let projectMark = "trusted.immure.project"
    private static let (firstProject, projects) = (UInt32(1) << 30, UInt64(1) << 30)

    /// A project for a directory with that limit: its own, where immure gave it one, or one that nobody has a use for.
    private func chooseProject(_ limit: StorageLimit, _ directory: Int32, _ path: String) throws(Failure) -> UInt32 {
        let (own, mark, inode) = try failing { () throws(KernelError) in
            (
                try project(of: directory), try extendedAttribute(Self.projectMark, of: directory),
                try status(of: directory).identity.inode
            )
        }
        if own.number != 0 {
            guard mark == Array("\(own.number)".utf8) else { throw foreign(path, own.number) }
            try set(limit, own.number, directory)
            return own.number
        }
        for attempt in 0..<UInt64(64) {
            let number = Self.firstProject + UInt32((inode &+ attempt &* 0x9E37_79B1) % Self.projects)
            let isTaken = try failing { () throws(KernelError) -> Bool in
                guard try projectUse(number, of: directory).isFree else { return true }
                // Before anything belongs to the project: an interrupted launch is continued by the next.
                try setExtendedAttribute(Self.projectMark, Array("\(number)".utf8), of: directory)
                try Kernel.join(project: number, directory, inherits: true)
                // Another launch may have come to the same number at the same time.
                if try projectUse(number, of: directory).usedInodes == 1 { return false }
                try Kernel.join(project: 0, directory, inherits: false)
                return true
            }
            if isTaken { continue }
            try set(limit, number, directory)
            return number
        }
        throw Failure(telling: "quota: no project is free on the file system of \(path)", hint: nil)
    }

    private func set(_ limit: StorageLimit, _ number: UInt32, _ directory: Int32) throws(Failure) {
        try failing { () throws(KernelError) in
            try limitProject(number, kibibytes: limit.kibibytes, inodes: limit.inodes ?? 0, of: directory)
        }
    }

    private func foreign(_ path: String, _ number: UInt32) -> Failure {
        Failure(
            telling: "quota: \(path) belongs to project \(number), which is not immure's",
            hint: "leave the limit out, as that project's own holds; or take it out of it: chattr -p 0 \(path)")
    }
}

/// Makes all that is in a directory one of a project. Links, sockets, pipes and device nodes can belong to none: they hold nothing.
extension Applier {
    private func join(_ project: UInt32, _ directory: Int32, _ path: String) throws(Failure) {
        try joinOne(project, directory, path, inherits: true)
        var walk = try failing { () throws(KernelError) in try TreeWalk(directory) }
        while let entry = try failing({ () throws(KernelError) in try walk.nextEntry() }) {
            try join(project, entry, path, at: walk.path)
        }
    }

    private func join(
        _ project: UInt32, _ entry: TreeWalk.Entry, _ top: String, at place: EntryPath
    ) throws(Failure) {
        // Opening a device can have effects: nothing else than a file is opened.
        guard let status = entry.status, status.kind == .directory || status.kind == .regular else { return }
        let proc = try proc().descriptor
        let file = try failing { () throws(KernelError) -> Int32? in
            let found: Descriptor
            do throws(KernelError) {
                found = try openEntry(entry.name, at: entry.directory, .path)
            } catch {
                guard error.errno == .noEntry else { throw error }
                return nil  // gone
            }
            guard try entryStatus(of: found.number).kind == status.kind else { return nil }
            return try open("self/fd/\(found.number)", at: proc, .read | .nonBlocking | .noTerminal).release()
        }
        guard let file else { return }
        defer { closeDescriptor(file) }
        try joinOne(
            project, file, top + "/" + place.appending(entry.name).text, inherits: status.kind == .directory)
    }

    private func joinOne(_ project: UInt32, _ file: Int32, _ path: String, inherits: Bool) throws(Failure) {
        let own = try failing { () throws(KernelError) in try Kernel.project(of: file) }
        if own.number == project && own.isInherited == inherits { return }
        guard own.number == project || own.number == 0 else { throw foreign(path, own.number) }
        try failing { () throws(KernelError) in try Kernel.join(project: project, file, inherits: inherits) }
    }
}
