import CLinux
import LinuxFacts

/// A symbolic link on the way to a file of the host, and whose it is.
package struct MetLink: Sendable {
    /// The path that the walk had come to it by.
    package let path: String
    package let owner: UInt32
}

/// Why a name did not lead to a file of the host.
package enum WalkFault: Error, Sendable {
    case refused(KernelError)
    case link(MetLink, LinkRule.Objection)
}

/// Which symbolic links are followed on the way to a file of the host: who may have made a link decides.
package struct LinkRule: Sendable {
    /// Why a link is not followed.
    package enum Objection: Sendable {
        /// It lies below this directory, in which a jail may write.
        case writable(String)
        /// Root follows only links that root made.
        case foreign
        /// It lies in a sticky directory that everyone may write, and belongs neither to the caller nor to the directory's
        /// owner; as fs.protected_symlinks has it, proc_sys_fs(5).
        case sticky
    }

    private let user: UInt32
    private let isRoot: Bool
    private var writable: [(path: String, identity: FileIdentity)] = []
    /// The directories that a jail may write in, those that are there.
    package var places: [(path: String, identity: FileIdentity)] { writable }

    /// The rule for a caller who is `user`, the effective id where the walk is done; `isRoot` where that is root outside.
    package init(user: UInt32, isRoot: Bool) {
        self.user = user
        self.isRoot = isRoot
    }

    /// Adds directories that a jail may write in. One that does not exist is none.
    package mutating func close(_ directories: [String]) {
        let rule = self
        for path in directories {
            do throws(WalkFault) {
                let place = try HostWalk.open(path, following: rule)
                let status = try asked { () throws(KernelError) in try Kernel.status(of: place.number) }
                writable.append((path, status.identity))
            } catch {
                // Whoever mounts it will meet the same fault, and say so.
                continue
            }
        }
    }

    /// What there is to say against a link, whose directory is the last of `directories`; nil for nothing.
    func objection(to link: FileStatus, in directories: [FileStatus], top: FileStatus) -> Objection? {
        for directory in directories.reversed() {
            if let place = writable.first(where: { $0.identity == directory.identity }) { return .writable(place.path) }
        }
        // In a user namespace that does not map it, root's id looks as that of the root directory does.
        if isRoot, link.owner != 0, link.owner != user, link.owner != top.owner { return .foreign }
        guard let holder = directories.last, holder.permissions & 0o1002 == 0o1002 else { return nil }
        return link.owner == user || link.owner == holder.owner ? nil : .sticky
    }
}

/// The way that a walk has come, without links.
package struct Trail: Sendable {
    /// From the root down to what has been reached.
    package let statuses: [FileStatus]
    /// The names of the last of those.
    let names: [String]

    /// The names from a directory on the way down to what has been reached, none for that itself; nil where it is not on the way.
    package func names(below place: FileIdentity) -> [String]? {
        guard let index = statuses.lastIndex(where: { $0.identity == place }) else { return nil }
        let count = statuses.count - 1 - index
        return count <= names.count ? Array(names.suffix(count)) : nil
    }
}

/// A path of the host walked one component at a time on descriptors, so that each symbolic link is judged by a `LinkRule`
/// before it is followed, and is the one that was judged.
///
/// Links of procfs are followed by the kernel: nobody makes them, and their text need not be a path.
package struct HostWalk: ~Copyable {
    /// From where the walk began down to what it has reached.
    private var places: [Int32] = []
    /// The names of those below the first.
    private var names: [String] = []
    private var begin = ""
    private var links = 0
    private var isDirectory = true

    /// Opens (`O_PATH`) what `path` leads to. Where no link is on the way that is one openat2(2).
    package static func open(_ path: String, following rule: LinkRule) throws(WalkFault) -> Descriptor {
        if let place = try openPlain(path) { return place }
        return try HostWalk(to: path, following: rule).reached()
    }

    /// The same where no link is on the way; else nil.
    package static func openPlain(_ path: String) throws(WalkFault) -> Descriptor? {
        // A directory first: what is mounted on demand is mounted then, open_tree(2) with an empty path would not.
        if let place = try openWithoutLinks(path, .path | .directory) { return place }
        return try openWithoutLinks(path, .path)
    }

    /// nil where a link is on the way, or the call is not there.
    private static func openWithoutLinks(_ path: String, _ mode: OpenMode) throws(WalkFault) -> Descriptor? {
        do throws(KernelError) {
            return try Kernel.openWithoutLinks(path, mode)
        } catch {
            switch error.errno {
            case .loop, .unsupported, .notPermitted, .again: return nil
            case .notDirectory where mode.contains(.directory): return nil
            default: throw .refused(error)
            }
        }
    }

    /// Walks all of `path`, from the root or from the current directory.
    package init(to path: String, following rule: LinkRule) throws(WalkFault) {
        begin = path.utf8.first == UInt8(ascii: "/") ? "/" : ""
        let start = begin
        places = [
            try asked { () throws(KernelError) in
                try Kernel.open(start == "/" ? "/" : ".", .path | .directory).release()
            }
        ]
        var pending = Array(components(path).reversed())
        while let name = pending.popLast() { try go(to: name, &pending, rule) }
        let needsDirectory = path.hasSuffix("/") || path.hasSuffix("/.")
        guard isDirectory || !needsDirectory else { throw .refused(KernelError(.openat, .notDirectory, path: path)) }
    }

    deinit { for number in places { closeDescriptor(number) } }

    /// What has been reached, for the caller to own.
    package consuming func reached() throws(WalkFault) -> Descriptor {
        guard let last = places.popLast() else { throw .refused(KernelError(.openat, .noEntry)) }
        return Descriptor(owning: last)
    }

    /// What has been reached; the walk closes it.
    package var top: Int32 { places.last ?? -1 }

    /// The path of what has been reached, without links; relative where the walk began in the current directory.
    package var path: String {
        return names.isEmpty ? (begin.isEmpty ? "." : begin) : begin + joined(names)
    }

    /// The directories from the root down to what has been reached, itself included, with the names of the last of them: as
    /// many as the walk has entered. What lies above the current directory is found by `..`, as far as the caller may look.
    package func trail() throws(WalkFault) -> Trail {
        Trail(statuses: try asked { () throws(KernelError) in try statuses() }, names: names)
    }

    private mutating func go(to name: String, _ pending: inout [String], _ rule: LinkRule) throws(WalkFault) {
        guard isDirectory else { throw .refused(KernelError(.openat, .notDirectory, path: path)) }
        if name == ".." { return try goUp() }
        let directory = top
        do throws(KernelError) {
            enter(try Kernel.open(name, at: directory, .path | .noFollow | .directory).release(), name)
            return
        } catch {
            guard error.errno == .notDirectory else {
                throw .refused(KernelError(error.call, error.errno, path: child(name)))
            }
        }
        let next = try asked { () throws(KernelError) in try Kernel.open(name, at: directory, .path | .noFollow) }
        let status = try asked { () throws(KernelError) in try Kernel.status(of: next.number) }
        guard status.isSymlink else {
            isDirectory = status.isDirectory
            enter(next.release(), name)
            return
        }
        try follow(next, status, name, &pending, rule)
    }

    private mutating func follow(
        _ link: borrowing Descriptor, _ status: FileStatus, _ name: String, _ pending: inout [String], _ rule: LinkRule
    ) throws(WalkFault) {
        let directory = top
        let number = link.number
        let magic = try asked { () throws(KernelError) in try fileSystemMagic(of: number) }
        if magic == FileSystemMagic.proc {
            let target = try asked { () throws(KernelError) in try Kernel.open(name, at: directory, .path) }
            isDirectory = try asked { () throws(KernelError) in try Kernel.status(of: target.number) }.isDirectory
            begin = child(name) + "/"
            leaveAll()
            places = [target.release()]
            return
        }
        let above = try asked { () throws(KernelError) in try statuses() }
        if let first = above.first, let objection = rule.objection(to: status, in: above, top: first) {
            throw .link(MetLink(path: child(name), owner: status.owner), objection)
        }
        links += 1
        // path_resolution(7): the kernel's own bound.
        guard links <= 40 else { throw .refused(KernelError(.openat, .loop, path: child(name))) }
        let text = try asked { () throws(KernelError) in try readLink("", at: number) }
        if text.utf8.first == UInt8(ascii: "/") {
            leaveAll()
            begin = "/"
            places = [try asked { () throws(KernelError) in try Kernel.open("/", .path | .directory).release() }]
        }
        pending += components(text).reversed()
    }

    private mutating func goUp() throws(WalkFault) {
        guard names.isEmpty else {
            if let left = places.popLast() { closeDescriptor(left) }
            names.removeLast()
            return
        }
        guard begin != "/" else { return }
        let directory = top
        let above = try asked { () throws(KernelError) in
            try Kernel.open("..", at: directory, .path | .directory).release()
        }
        leaveAll()
        places = [above]
        begin += "../"
    }

    private mutating func enter(_ number: Int32, _ name: String) {
        places.append(number)
        names.append(name)
    }

    private mutating func leaveAll() {
        for number in places { closeDescriptor(number) }
        places = []
        names = []
    }

    private func child(_ name: String) -> String {
        let here = path
        return here == "." ? name : here.hasSuffix("/") ? here + name : here + "/" + name
    }

    private func statuses() throws(KernelError) -> [FileStatus] {
        var result: [FileStatus] = []
        if begin != "/", let first = places.first { result = try above(first) }
        for place in places { result.append(try status(of: place)) }
        return result
    }

    /// The directories above one, from the root down, as far as they can be reached.
    private func above(_ directory: Int32) throws(KernelError) -> [FileStatus] {
        var found: [FileStatus] = []
        var here = try status(of: directory)
        guard here.isDirectory else { return [] }
        var number = try duplicate(directory, above: 0)
        defer { closeDescriptor(number) }
        // No path is deeper than it is long.
        for _ in 0..<4096 {
            let next: Int32
            do throws(KernelError) {
                next = try Kernel.open("..", at: number, .path | .directory).release()
            } catch {
                break  // not for the caller's eyes
            }
            closeDescriptor(number)
            number = next
            let parent = try status(of: number)
            if parent.isSame(as: here) { break }
            found.append(parent)
            here = parent
        }
        return found.reversed()
    }
}

/// What a call gives, its refusal as a fault of the walk.
private func asked<Value: ~Copyable>(_ call: () throws(KernelError) -> Value) throws(WalkFault) -> Value {
    do throws(KernelError) {
        return try call()
    } catch {
        throw .refused(error)
    }
}
