import JailLearn
import JailSpec
import Kernel
import LinuxFacts
import SpecFile

/// Looks at a path that a thread of the jail is about to use, for what will keep it from that.
///
/// What is read of the command's memory is told, and decides nothing. Paths of the host are looked up here: whoever looks may
/// stand still for ever, and is not the launcher.
struct PathLooks {
    let thread: ThreadState
    let scene: JailScene
    let searched: SearchedDirectories

    /// What is to be done with a path.
    enum Need {
        case read, execute, enter, look, connect
        case write, changeAttributes
        /// open(2) to read and to write, and to make it where it is missing.
        case update
        /// A directory, or another name.
        case make(isDirectory: Bool)
        /// open(2) with O_CREAT.
        case openOrMake(OpenFlags)
        case remove
    }

    /// A path as a call has it, with where it starts.
    func look(_ text: String, from descriptor: Int32?, _ need: Need) -> [Denial] {
        if text.utf8.first == UInt8(ascii: "/") { return look(text, need) }
        guard let start = thread.start(descriptor) else { return [] }
        let path = (start == "/" ? "" : start) + "/" + text
        let found = look(path, need)
        if found.contains(where: { $0.kind != .nowhere }) { return found }
        guard descriptor ?? -1 < 0, start != scene.callerDirectory else { return found }
        return misplaced(text, path, need).map { [$0] } ?? found
    }

    /// A relative path that is there where immure was started, while the command is started in another directory.
    private func misplaced(_ text: String, _ path: String, _ need: Need) -> Denial? {
        let wanted = scene.callerDirectory + "/" + text
        guard !scene.callerDirectory.isEmpty, !stands(path), host(wanted) != nil else { return nil }
        return Denial(
            .place, text,
            line: CarriedByte.isIn(scene.callerDirectory) ? nil : "cwd = \(TOML.path(scene.callerDirectory))")
    }

    private func look(_ path: String, _ need: Need) -> [Denial] {
        if let hidden = scene.hidden(plain(path), isAsked: need.asks) { return [hidden] }
        if let own = scene.lacking(path), isWithin(path, "/proc") || !stands(path) && !isNode(path) {
            return [Denial(.missing, own.target, line: own.line)]
        }
        if let number = descriptor(behind: path) { return given(number, path, need).map { [$0] } ?? [] }
        if isWithin(path, "/proc") { return [] }
        switch need {
        case .make(let isDirectory):
            if !stands(path) { return make(path, isDirectory: isDirectory) }
            return isDirectory ? [] : directory(of: path, .toMake(isDirectory: false))
        case .openOrMake(let flags):
            if stands(path) { return use(path, flags.updates ? .update : flags.writes ? .write : .read) }
            if host(path)?.isDevice == true { return missing(path, flags.writes ? .write : .read) }
            return make(path, isDirectory: false)
        case .remove: return stands(path) ? directory(of: path, .toRemove) : missing(path, need)
        default: return use(path, need)
        }
    }

    /// Whether it is a device of the host's, and no link of /dev to whatever a process has.
    private func isNode(_ path: String) -> Bool {
        !DeviceLink.allCases.contains { isWithin(path, $0.path) } && host(path)?.isDevice == true
    }

    // MARK: What is there

    private func use(_ path: String, _ need: Need) -> [Denial] {
        do throws(KernelError) {
            let found = try thread.reach(path)
            if let shut = search(found.path, toChange: need.changes) { return [shut] }
            if let barred = barred(found, need) { return [barred] }
            if need.changes, found.isReadOnly, !found.status.isDevice { return readOnly(found, need) }
            return (closed(found, need) ?? landlock(found, need)).map { [$0] } ?? []
        } catch {
            switch error.errno {
            // What is missing in a directory that may not be searched is answered as closed.
            case .noEntry, .notDirectory: return search(plain(path)).map { [$0] } ?? missing(path, need)
            case .accessDenied: return search(path).map { [$0] } ?? []
            default: return []
            }
        }
    }

    /// What a mount keeps from everybody, whatever the file's mode: mount(8), noexec and nodev.
    private func barred(_ found: ThreadState.Found, _ need: Need) -> Denial? {
        let attributes = found.attributes
        if case .execute = need, found.status.isRegular, attributes.hasAll(of: .noExecute) {
            var denial = Denial(.notExecuted, found.path)
            denial.advice = scene.origin(ofMountOf: found.path).map { "leave noexec out of what \($0) says" }
            return denial
        }
        guard found.status.isDevice, attributes.hasAll(of: .noDevices), need.opens else { return nil }
        var denial = Denial(.notADevice, found.path)
        if host(found.path)?.isDevice == true {
            denial.line = Opening.toSee(found.path, isDirectory: false, isDevice: true, lists: false)
        }
        return denial
    }

    private func readOnly(_ found: ThreadState.Found, _ need: Need) -> [Denial] {
        let place = scene.place(of: found.path)
        let closed = closed(found, need)
        // What is updated may get others beside it, as a database its journal.
        if closed == nil, case .update = need, !scene.isOwn(parent(of: found.path)) {
            let whole = directory(of: found.path, .toRemove)
            if whole.count == 1, whole[0].line != nil { return whole }
        }
        var denial = Denial(.readOnly, found.path)
        denial.line = Opening.toWrite(found.path, isDirectory: found.status.isDirectory, place)
        return both(replacing(denial, found.path, place), closed)
    }

    /// Where a mode or an owner is in the way as well, one line is not enough, and two may be.
    func both(_ denial: Denial, _ closed: Denial?) -> [Denial] {
        guard let closed else { return [denial] }
        // What root's launcher makes for the jail is the command's.
        if scene.caller == 0, denial.line.map(Opening.makes) == true { return [denial] }
        // The mount by which the command owns it is shown as it is needed.
        if let line = closed.line, Opening.maps(line) {
            var one = denial
            one.line = line
            one.remark = "and " + closed.remark.dropFirst("as ".utf8.count)
            return [one]
        }
        if denial.line != nil, closed.line != nil { return [denial, closed] }
        var neither = denial
        (neither.line, neither.remark) = (nil, "and " + closed.remark.dropFirst("as ".utf8.count))
        return [neither]
    }

    /// A line for the same target takes the place of the one that there is.
    func replacing(_ denial: Denial, _ target: String, _ place: JailScene.Place?) -> Denial {
        guard let place, place.target == target, denial.line != nil, let origin = place.origin else { return denial }
        var result = denial
        result.remark = "in place of what \(origin) says"
        return result
    }

    private func closed(_ found: ThreadState.Found, _ need: Need) -> Denial? {
        if case .changeAttributes = need {
            let isOwn = thread.overrides || found.status.owner == thread.user
            return isOwn ? nil : shut(found.path, found.status, 0, "change")
        }
        let (bits, word) = need.bits(found.status)
        return thread.may(bits, found.status) ? nil : shut(found.path, found.status, bits, word)
    }

    /// What only another user may do, whom the command of root's jail could be.
    func shut(_ path: String, _ status: FileStatus, _ bits: UInt32, _ word: String, toChange: Bool = false) -> Denial {
        let mode = String(status.permissions & 0o7777, radix: 8)
        var denial = Denial(
            .closed, path,
            remark: "as uid \(thread.user) may not \(word) what is uid \(status.owner)'s with mode \(mode)")
        guard scene.caller == 0, status.owner != thread.user, status.owner < 65_534,
            status.permissions >> 6 & bits == bits
        else { return denial }
        let place = scene.place(of: path)
        denial.line = owned(path, status, place, writes: bits & 2 != 0 || word == "change" || toChange)
        if denial.line != nil, let place, place.target == path, let origin = place.origin {
            denial.remark += ", in place of what \(origin) says"
        }
        if denial.line == nil, let line = mapping(path, status) {
            denial.advice = "idmap = true in the [[mount]] at \(line)"
            return denial
        }
        // Root's files are no reason to make the command the host's root.
        if denial.line == nil, status.owner != 0 { denial.line = "identity.user = \(status.owner)" }
        return denial
    }

    /// The line of the overlay that a path is on, where its lowers could appear as the command's: what belongs to whom the first of
    /// them does.
    private func mapping(_ path: String, _ status: FileStatus) -> Position? {
        guard scene.ownsUsers, !thread.maps(status.owner, by: "uid_map"), let place = scene.mappable(path) else {
            return nil
        }
        do throws(KernelError) {
            let lower = try open(place.source, .path)
            guard try Kernel.status(of: lower.number).owner == status.owner else { return nil }
            return FileSystemMagic.mapsIDs(try fileSystemMagic(of: lower.number), Self.kernel) ? place.origin : nil
        } catch {
            return nil
        }
    }

    private static let kernel = Caller.kernel.map { ($0.major, $0.minor) } ?? (0, 0)

    /// A mount of what is another user's, by which it appears as the command's user's: no more than that path is opened.
    private func owned(_ path: String, _ status: FileStatus, _ place: JailScene.Place?, writes: Bool) -> String? {
        // An id that the jail has stays itself.
        guard scene.ownsUsers, !thread.maps(status.owner, by: "uid_map") else { return nil }
        let source = Opening.source(of: path, place)
        do throws(KernelError) {
            let file = try open(source, .path)
            // What the jail has made has no source.
            guard try Kernel.status(of: file.number).isSame(as: status) else { return nil }
            guard FileSystemMagic.mapsIDs(try fileSystemMagic(of: file.number), Self.kernel) else { return nil }
        } catch {
            return nil
        }
        return Opening.toOwn(path, from: source, isDirectory: status.isDirectory, writes: writes)
    }

    /// The first directory on the way that the thread may not search: the launcher, as root, comes through.
    func search(_ path: String, toChange: Bool = false) -> Denial? {
        let directory = parent(of: path)
        if thread.overrides || searched.has(directory, thread.user) { return nil }
        var prefix = ""
        for name in components(directory) {
            prefix += "/" + name
            do throws(KernelError) {
                let found = try thread.reach(prefix)
                if found.status.isDirectory, !thread.may(1, found.status) {
                    return shut(found.path, found.status, 1, "search", toChange: toChange)
                }
            } catch {
                return nil
            }
        }
        searched.note(directory, thread.user)
        return nil
    }

    private func landlock(_ found: ThreadState.Found, _ need: Need) -> Denial? {
        let (access, key): (FileAccess, String) =
            switch need {
            case .read: (found.status.isDirectory ? .readDirectory : .readFile, "ro")
            case .execute: (.execute, "rx")
            case .write, .update: (.writeFile, "rw")
            case .enter, .look, .connect, .changeAttributes, .make, .openOrMake, .remove: (FileAccess(), "")
            }
        guard !scene.leaves(access, open: found.path) else { return nil }
        return Denial(
            .landlock, found.path, line: Opening.landlock(key, found.path, isDirectory: found.status.isDirectory))
    }

    /// Without `.` and doubled slashes, and without `..` where no link can be on the way.
    func plain(_ path: String) -> String {
        let names = components(path)
        guard !names.contains("..") else { return path }
        return "/" + names.joined(separator: "/")
    }

    func stands(_ path: String) -> Bool {
        do throws(KernelError) {
            _ = try thread.reach(path)
            return true
        } catch {
            return error.errno != .noEntry && error.errno != .notDirectory
        }
    }

    func host(_ path: String) -> FileStatus? {
        do throws(KernelError) {
            return try status(ofPath: path)
        } catch {
            return nil
        }
    }
}

extension PathLooks.Need {
    fileprivate var asks: Bool { if case .look = self { true } else { false } }

    /// What the mode of a file must allow, and in a word.
    func bits(_ status: FileStatus) -> (UInt32, String) {
        switch self {
        case .read: (4, status.isDirectory ? "list" : "read")
        case .execute: (1, "execute")
        case .enter: (1, "enter")
        case .write, .connect: (2, "write to")
        case .update: (6, "read and write to")
        case .changeAttributes, .look, .make, .openOrMake, .remove: (0, "")
        }
    }

    /// Whether what is there is opened.
    fileprivate var opens: Bool {
        switch self {
        case .read, .write, .update: true
        case .changeAttributes, .execute, .enter, .look, .connect, .make, .openOrMake, .remove: false
        }
    }

    fileprivate var changes: Bool {
        switch self {
        case .write, .update, .changeAttributes: true
        case .read, .execute, .enter, .look, .connect, .make, .openOrMake, .remove: false
        }
    }
}
