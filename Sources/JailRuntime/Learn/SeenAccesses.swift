import JailLearn
import JailPlan
import JailSpec
import Kernel
import LinuxFacts
import SpecFile

/// The records of what was seen, and what the command itself has made, which it needs from nobody.
struct SeenAccesses {
    private(set) var records: Set<AccessRecord> = []
    private var fresh: [AccessRecord] = []
    /// Whether there were more of them than are kept.
    private(set) var isFull = false
    /// The flags of the open(2) that is looked at.
    var opens = OpenFlags(0)

    private var made: Set<PathKey> = []
    private var known = PathWalk.Known()
    /// Paths as they are named that were found to be readable files, with the files: a program opens some of them again and again.
    private var settled: (names: Set<PathKey>, files: Set<PathKey>) = ([], [])
    /// Whether a name has changed that others may lead through.
    private var hasChanged = false
    private let isRoot = effectiveUser() == 0
    private static let limit = 100_000

    /// What stands at a path, for a program that is executed.
    struct Found {
        let path: String
        let mode: UInt32
    }

    /// Takes an absolute path as a call names it; the answer is the file that is there.
    @discardableResult
    mutating func take(_ absolute: String, _ use: ObservedCall.Use, follows: Bool) -> Found? {
        let isRead = if case .open = use { opens.changesNothing && !opens.namesOnly && follows } else { false }
        if isRead, settled.names.contains(PathKey(absolute)) { return nil }
        guard let walk = PathWalk.walk(absolute, followsLast: follows, knowing: &known) else { return nil }
        if isRead, walk.found?.isRegular == true, settled.names.count < Self.limit {
            settled.names.insert(PathKey(absolute))
            settled.files.insert(PathKey(walk.path))
        }
        return take(walk, use)
    }

    /// Forgets where paths lead.
    mutating func forget() {
        known.forget()
        settled = ([], [])
    }

    /// Whether that was done, since this was asked, for a name that changes.
    mutating func tookBack() -> Bool {
        defer { hasChanged = false }
        return hasChanged
    }

    /// Takes what a path has led to.
    @discardableResult
    mutating func take(_ walk: PathWalk, _ use: ObservedCall.Use) -> Found? {
        // A link or a directory may have been on the way of others.
        if use.changesNames, let found = walk.found,
            found.isDirectory || found.isSymlink || settled.files.contains(PathKey(walk.path))
        {
            forget()
            hasChanged = true
        }
        guard let found = walk.found else {
            if makes(use) { make(walk, use == .makeDirectory) }
            return nil
        }
        let isOwn = isMade(walk.path)
        switch use {
        case .open where opens.isNameless:
            if !isOwn { note(walk, .make, walk.path + "/#nameless") }
        case .open where opens.writes:
            if !isOwn, mayAccess(walk.path, writing: true) { note(walk, .write, walk.path) }
        case .open where opens.namesOnly, .look:
            if !isOwn { note(walk, found.isDirectory ? .enter : .read, walk.path) }
        case .open:
            if !isOwn, isReadable(walk.path, found) { note(walk, found.isDirectory ? .list : .read, walk.path) }
        case .openBehind: break
        case .enter:
            if !isOwn { note(walk, .enter, walk.path) }
        case .execute: note(walk, isOwn ? .runMade : .execute, walk.path)
        case .modify:
            if !isOwn, mayAccess(walk.path, writing: true) { note(walk, .write, walk.path) }
        case .remove:
            if made.remove(PathKey(walk.path)) == nil, !isOwn, mayAccess(parent(of: walk.path), writing: true) {
                note(walk, .replace, walk.path)
            }
        // A directory that is there is not made, mkdir(2); another name may be replaced by rename(2) only.
        case .makeDirectory: break
        case .make:
            if !isOwn, mayAccess(parent(of: walk.path), writing: true) { note(walk, .replace, walk.path) }
        }
        return Found(path: walk.path, mode: found.permissions)
    }

    /// What everybody may read is not asked for once more.
    private func isReadable(_ path: String, _ found: FileStatus) -> Bool {
        found.permissions & 0o444 == 0o444 || mayAccess(path, writing: false)
    }

    private func makes(_ use: ObservedCall.Use) -> Bool {
        switch use {
        case .open: opens.creates
        case .make, .makeDirectory: true
        case .openBehind, .remove, .modify, .enter, .execute, .look: false
        }
    }

    private mutating func make(_ walk: PathWalk, _ isDirectory: Bool) {
        let isOwn = isMade(walk.path)
        guard isOwn || mayAccess(parent(of: walk.path), writing: true) else { return }
        if !isOwn { note(walk, isDirectory ? .makeDirectory : .make, walk.path) }
        made.insert(PathKey(walk.path))
    }

    /// Whether the command has made it, or a directory above it.
    private func isMade(_ path: String) -> Bool {
        if made.isEmpty { return false }
        var place = path
        while place != "/" {
            if made.contains(PathKey(place)) { return true }
            place = parent(of: place)
        }
        return false
    }

    private mutating func note(_ walk: PathWalk, _ act: AccessRecord.Act, _ path: String) {
        for link in walk.links where !isMade(link.path) { insert(AccessRecord(.link, link.path, link.target)) }
        for place in walk.left where !isWithin(path, place) && !isMade(place) { insert(AccessRecord(.enter, place)) }
        let record = AccessRecord(act, path)
        guard !records.contains(record) else { return }
        insert(record)
        if isRoot, let owner = owner(of: walk, for: act) {
            insert(AccessRecord(.owned, path, "\(owner) \(act.rawValue)"))
        }
    }

    /// Whom the command must be to do as root did; nil where anybody may. What is made belongs to whoever makes it, and to change it
    /// the next time is its maker's.
    private func owner(of walk: PathWalk, for act: AccessRecord.Act) -> UInt32? {
        if let closed = walk.closedBy { return closed }
        let bits: UInt32
        switch act {
        case .read, .list: bits = 4
        case .execute, .enter: bits = 1
        case .write, .connect: bits = 2
        case .make, .makeDirectory, .replace:
            do throws(KernelError) {
                return try status(ofEntry: parent(of: walk.path)).owner
            } catch {
                return nil
            }
        case .link, .listen, .named, .namedWithin, .variable, .owned, .runMade, .nest: return nil
        }
        guard let found = walk.found, found.permissions & bits == 0 else { return nil }
        return found.owner
    }

    private mutating func insert(_ record: AccessRecord) {
        guard records.count < Self.limit else {
            isFull = true
            return
        }
        if records.insert(record).inserted { fresh.append(record) }
    }

    mutating func takeFresh() -> [AccessRecord] {
        defer { fresh = [] }
        return fresh
    }

    /// Takes it that a program makes namespaces.
    mutating func take(namespacesBy program: String) { insert(AccessRecord(.nest, program)) }

    /// Takes the address of a socket that is no file.
    mutating func take(_ address: SocketAddress, binds: Bool, _ transport: AccessRecord.Transport) {
        switch address {
        case .inet(let host, let port):
            insert(AccessRecord(binds ? .listen : .connect, "\(host):\(port)", transport.rawValue))
        case .abstract(let name): insert(AccessRecord(binds ? .listen : .connect, "@" + name, transport.rawValue))
        case .path: break
        }
    }

    /// Takes what a server has answered to a program, who may have written the answer itself: it is text for a line, and no more.
    mutating func take(_ answer: NamesSeen.Answer) {
        for address in answer.addresses {
            let act: AccessRecord.Act = NameService.mayOpen(address) ? .named : .namedWithin
            insert(AccessRecord(act, SocketAddress.host(address.bytes), answer.name))
        }
    }

    /// Takes the absolute path of a socket that is a file.
    mutating func take(socket path: String, binds: Bool) {
        if binds {
            take(path, .make, follows: false)
        } else if let walk = PathWalk(path, followsLast: true) {
            take(socket: walk, binds: false)
        }
    }

    /// Takes where such a path has led.
    mutating func take(socket walk: PathWalk, binds: Bool) {
        if binds {
            take(walk, .make)
        } else if walk.found != nil, !isMade(walk.path) {
            note(walk, .connect, walk.path)
        }
    }
}

extension ObservedCall.Use {
    /// Whether a name may lead elsewhere after it.
    fileprivate var changesNames: Bool {
        switch self {
        case .make, .makeDirectory, .remove: true
        case .open, .openBehind, .modify, .enter, .execute, .look: false
        }
    }
}
