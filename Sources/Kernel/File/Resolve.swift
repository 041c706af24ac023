import CLinux

/// Opens (`O_PATH`) what `path` names below the directory `root`, as if `root` were `/`: absolute symbolic links and
/// `..` stay inside, magic links of procfs are refused. The corresponding C function is `openat2` with
/// `RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS`.
///
/// Where openat2 answers ENOSYS (kernels before 5.6; systemd's `RestrictSUIDSGID=` on purpose) or keeps answering EAGAIN
/// (renames under way), a walk by descriptors gives the same safety.
package func openInside(_ root: Int32, _ path: String) throws(KernelError) -> Descriptor {
    let resolve = UInt64(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
    for _ in 0..<8 {
        do throws(KernelError) {
            let number = try attempt(.openat2, path) {
                unsafe path.withKernelText { unsafe linux_openat2(root, $0, UInt64(O_PATH | O_CLOEXEC), 0, resolve) }
            }
            return Descriptor(owning: number)
        } catch {
            if error.errno == .unsupported || error.errno == .notPermitted { break }
            guard error.errno == .again || error.errno == .interrupted else { throw error }
        }
    }
    var walk = Walk(root: root)
    guard try walk.descend(path).isEmpty else { throw KernelError(.openat, .noEntry, path: path) }
    return try walk.reached()
}

/// Opens what `path` names from the current directory where no symbolic link is on the way, else ELOOP. The corresponding C
/// function is `openat2` with `RESOLVE_NO_SYMLINKS`.
package func openWithoutLinks(_ path: String, _ mode: OpenMode) throws(KernelError) -> Descriptor {
    Descriptor(
        owning: try persist(.openat2, path) {
            unsafe path.withKernelText {
                unsafe linux_openat2(
                    AT_FDCWD, $0, UInt64(mode.rawValue | O_CLOEXEC), 0, UInt64(RESOLVE_NO_SYMLINKS))
            }
        })
}

/// Opens (`O_PATH`) what `path` names where that, and whatever is asked of it afterwards, waits for no server: no link is on the
/// way, and all of it is on the root's own mount, or in the kernel's memory, and ends on a disk of this machine. nil for all else.
/// The corresponding C function is `openat2` with `RESOLVE_CACHED` (Linux 5.12).
package func openAtHand(_ path: String) -> Descriptor? {
    guard path.utf8.first == UInt8(ascii: "/") else { return nil }
    // At the root of another mount NFS and its like ask their servers all the same (fs/namei.c, complete_walk). EAGAIN says that
    // something is not in memory, that another mount is met, or that one is on the way in any mount namespace (d_managed), as those
    // that a service has on /home and /tmp.
    var number = openAbsolute(path, RESOLVE_CACHED | RESOLVE_NO_XDEV)
    if number < 0, Errno.current == .again {
        if isLocal(magicOfMount(of: "/")) { number = openAbsolute(path, RESOLVE_NO_XDEV) }
        if number < 0, MountTable.hasNoServers() { number = openAbsolute(path, RESOLVE_CACHED) }
    }
    guard number >= 0 else { return nil }
    let place = Descriptor(owning: number)
    guard isLocal(magicOfMount(at: number)) else { return nil }
    return place
}

private func isLocal(_ magic: Int?) -> Bool { magic.map { FileSystemMagic.local.contains($0) } ?? false }

private func openAbsolute(_ path: String, _ resolve: Int32) -> Int32 {
    unsafe path.withKernelText {
        unsafe linux_openat2(
            AT_FDCWD, $0, UInt64(O_PATH | O_CLOEXEC), 0, UInt64(RESOLVE_NO_SYMLINKS | resolve))
    }
}

/// Whether what `path` names below `root` is what procfs shows of one process, by a link such as /proc/self or by the number of
/// one: for the next process another file is there, proc(5).
package func isOfOneProcess(_ root: Int32, _ path: String) throws(KernelError) -> Bool {
    // The links of procfs and a number are the only ways there: where neither is on the way, one call tells.
    if !components(path).contains(where: isNumber), hasNoLink(root, path) { return false }
    var walk = Walk(root: root, notesProcesses: true)
    _ = try walk.descend(path)
    return walk.hasMetProcess
}

/// Whether `path` leads somewhere below `root` without any symbolic link; false where that cannot be told.
private func hasNoLink(_ root: Int32, _ path: String) -> Bool {
    let resolve = UInt64(RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS)
    let number = unsafe path.withKernelText {
        unsafe linux_openat2(root, $0, UInt64(O_PATH | O_CLOEXEC), 0, resolve)
    }
    guard number >= 0 else { return false }
    closeDescriptor(number)
    return true
}

/// A path walked one component at a time on descriptors, never leaving `root`: the stack of the directories entered is
/// what `..` pops, and a symbolic link is read and its text walked, so no link is ever followed by the kernel.
package struct Walk: ~Copyable {
    private let root: Int32
    private var entered: [Int32] = []
    private var links = 0
    private let notesProcesses: Bool
    /// Whether the walk has gone through what procfs has of one process, where that is noted.
    fileprivate var hasMetProcess = false

    /// Starts at `root`, which stays the caller's.
    package init(root: Int32) { self.init(root: root, notesProcesses: false) }

    fileprivate init(root: Int32, notesProcesses: Bool) {
        self.root = root
        self.notesProcesses = notesProcesses
    }

    deinit { for number in entered { closeDescriptor(number) } }

    /// Whether the walk stands where it began.
    package var isAtRoot: Bool { entered.isEmpty }

    /// What has been reached so far; the walk closes it.
    package var top: Int32 { entered.last ?? root }

    /// Where the walk began and every directory entered since, the last one deepest; the walk closes them.
    package var places: [Int32] { [root] + entered }

    /// Goes `count` components back towards the root.
    package mutating func ascend(_ count: Int) {
        for _ in 0..<count { if let left = entered.popLast() { closeDescriptor(left) } }
    }

    /// Walks `path` as far as it exists, and returns the components that do not exist.
    package mutating func descend(_ path: String) throws(KernelError) -> [String] {
        var pending = Array(components(path).reversed())
        var isDirectory = true
        while let name = pending.popLast() {
            if name == ".." {
                guard isDirectory else { throw KernelError(.openat, .notDirectory, path: path) }
                if let left = entered.popLast() { closeDescriptor(left) }
                continue
            }
            do throws(KernelError) {
                if notesProcesses, isNumber(name), try isTopOfProc(top) { hasMetProcess = true }
                entered.append(try open(name, at: top, .path | .noFollow | .directory).release())
                continue
            } catch {
                if error.errno == .noEntry { return [name] + pending.reversed() }
                guard error.errno == .notDirectory else { throw KernelError(error.call, error.errno, path: path) }
            }
            // A link, or a file.
            let next = try open(name, at: top, .path | .noFollow)
            guard try status(of: next.number).isSymlink else {
                entered.append(next.release())
                isDirectory = false
                continue
            }
            if notesProcesses, try isOnProc(next.number) { hasMetProcess = true }
            links += 1
            // path_resolution(7): the kernel's own bound.
            guard links <= 40 else { throw KernelError(.openat, .loop, path: path) }
            let target = try readLink("", at: next.number)
            if target.utf8.first == UInt8(ascii: "/") { leaveAll() }
            pending += components(target).reversed()
        }
        // `file/` and `file/.` name a directory that is none, path_resolution(7).
        guard isDirectory || !(path.hasSuffix("/") || path.hasSuffix("/.")) else {
            throw KernelError(.openat, .notDirectory, path: path)
        }
        return []
    }

    /// Steps into an entry of `top`, which must not be a link.
    package mutating func enter(_ name: String) throws(KernelError) {
        entered.append(try open(name, at: top, .path | .noFollow).release())
    }

    /// What has been reached, for the caller to own.
    package consuming func reached() throws(KernelError) -> Descriptor {
        guard let last = entered.popLast() else { return Descriptor(owning: try duplicate(root, above: 0)) }
        return Descriptor(owning: last)
    }

    private func isOnProc(_ place: Int32) throws(KernelError) -> Bool {
        try fileSystemMagic(of: place) == FileSystemMagic.proc
    }

    /// PROC_ROOT_INO of the kernel is 1.
    private func isTopOfProc(_ place: Int32) throws(KernelError) -> Bool {
        guard try isOnProc(place) else { return false }
        return try status(of: place).identity.inode == 1
    }

    private mutating func leaveAll() {
        for number in entered { closeDescriptor(number) }
        entered.removeAll()
    }
}

private func isNumber(_ name: String) -> Bool {
    name.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
}

/// The directory of a path, `.` where it names none, and what follows the last slash.
package func directoryAndName(_ path: String) -> (directory: String, name: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
    return (String(path[...slash]), String(path[path.utf8.index(after: slash)...]))
}

/// The components of a path without empty ones and `.`.
package func components(_ path: String) -> [String] {
    var result: [String] = []
    var rest = path.utf8[...]
    while let start = rest.firstIndex(where: { $0 != UInt8(ascii: "/") }) {
        rest = rest[start...]
        let end = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
        let name = String(Substring(rest[..<end]))
        if name != "." { result.append(name) }
        rest = rest[end...]
    }
    return result
}
