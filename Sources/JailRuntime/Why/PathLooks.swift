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
        /// A directory, or another name.
        case make(isDirectory: Bool)
        /// open(2) with O_CREAT.
        case openOrMake(writes: Bool)
        case remove
    }

    /// A path as a call has it, with where it starts.
    func look(_ text: String, from descriptor: Int32?, _ need: Need) -> Denial? {
        if text.utf8.first == UInt8(ascii: "/") { return look(text, need) }
        guard let start = thread.start(descriptor) else { return nil }
        let path = (start == "/" ? "" : start) + "/" + text
        let found = look(path, need)
        if let found, found.kind != .nowhere { return found }
        guard descriptor ?? -1 < 0, start != scene.callerDirectory else { return found }
        return misplaced(text, path, need) ?? found
    }

    /// A relative path that is there where immure was started, while the command is started in another directory.
    private func misplaced(_ text: String, _ path: String, _ need: Need) -> Denial? {
        let wanted = scene.callerDirectory + "/" + text
        guard !scene.callerDirectory.isEmpty, !stands(path), host(wanted) != nil else { return nil }
        return Denial(
            .place, text,
            line: CarriedByte.isIn(scene.callerDirectory) ? nil : "cwd = \(TOML.path(scene.callerDirectory))")
    }

    private func look(_ path: String, _ need: Need) -> Denial? {
        if let hidden = scene.hidden(plain(path), isAsked: need.asks) { return hidden }
        if isWithin(path, "/proc") {
            return scene.lacks("/proc") ? Denial(.missing, path, line: "filesystem.proc = true") : nil
        }
        switch need {
        case .make(let isDirectory):
            if !stands(path) { return make(path, isDirectory: isDirectory) }
            return isDirectory ? nil : directory(of: path, .toMake(false))
        case .openOrMake(let writes):
            if stands(path) { return use(path, writes ? .write : .read) }
            if host(path)?.isDevice == true { return missing(path, writes ? .write : .read) }
            return make(path, isDirectory: false)
        case .remove: return stands(path) ? directory(of: path, .toRemove) : missing(path, need)
        default: return use(path, need)
        }
    }

    // MARK: What is there

    private func use(_ path: String, _ need: Need) -> Denial? {
        do throws(KernelError) {
            let found = try thread.reach(path)
            if let shut = search(found.path) { return shut }
            if need.changes, found.isReadOnly, !found.status.isDevice { return readOnly(found, need) }
            if let denial = closed(found, need) { return denial }
            return landlock(found, need)
        } catch {
            switch error.errno {
            case .noEntry, .notDirectory: return missing(path, need)
            case .accessDenied: return search(path)
            default: return nil
            }
        }
    }

    private func readOnly(_ found: ThreadState.Found, _ need: Need) -> Denial {
        let place = scene.place(of: found.path)
        var denial = Denial(.readOnly, found.path)
        if case .changeAttributes = need {
            if found.status.owner != thread.user {
                denial.remark = "and uid \(thread.user) is not its owner"
                return denial
            }
        } else if !thread.may(2, found.status) {
            denial.remark = "and " + refusal(found.status, "write to")
            return denial
        }
        denial.line = Opening.toWrite(found.path, isDirectory: found.status.isDirectory, place)
        return replacing(denial, found.path, place)
    }

    /// A line for the same target takes the place of the one that there is.
    private func replacing(_ denial: Denial, _ target: String, _ place: JailScene.Place?) -> Denial {
        guard let place, place.target == target, denial.line != nil, let origin = place.origin else { return denial }
        var result = denial
        result.remark = "in place of what \(origin) says"
        return result
    }

    private func closed(_ found: ThreadState.Found, _ need: Need) -> Denial? {
        let (bits, word): (UInt32, String) =
            switch need {
            case .read: (4, found.status.isDirectory ? "list" : "read")
            case .execute: (1, "execute")
            case .enter: (1, "enter")
            case .write, .connect: (2, "write to")
            case .changeAttributes, .look, .make, .openOrMake, .remove: (0, "")
            }
        if case .changeAttributes = need, !thread.overrides, found.status.owner != thread.user {
            return shut(found.path, found.status, "change")
        }
        return thread.may(bits, found.status) ? nil : shut(found.path, found.status, word)
    }

    private func shut(_ path: String, _ status: FileStatus, _ word: String) -> Denial {
        var denial = Denial(.closed, path, remark: "as " + refusal(status, word))
        if scene.caller == 0, status.owner != thread.user, status.owner < 65_534 {
            denial.line = "identity.user = \(status.owner)"
            denial.remark += status.owner == 0 ? ", and this line makes the command root" : ""
        }
        return denial
    }

    private func refusal(_ status: FileStatus, _ word: String) -> String {
        let mode = String(status.permissions & 0o7777, radix: 8)
        return "uid \(thread.user) may not \(word) what is uid \(status.owner)'s with mode \(mode)"
    }

    /// The first directory on the way that the thread may not search: the launcher, as root, comes through.
    private func search(_ path: String) -> Denial? {
        let directory = parent(of: path)
        if thread.overrides || searched.has(directory, thread.user) { return nil }
        var prefix = ""
        for name in components(directory) {
            prefix += "/" + name
            do throws(KernelError) {
                let found = try thread.reach(prefix)
                if found.status.isDirectory, !thread.may(1, found.status) {
                    return shut(prefix, found.status, "search")
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
            case .write: (.writeFile, "rw")
            case .enter, .look, .connect, .changeAttributes, .make, .openOrMake, .remove: (FileAccess(), "")
            }
        guard !scene.leaves(access, open: found.path) else { return nil }
        return Denial(
            .landlock, found.path, line: Opening.landlock(key, found.path, isDirectory: found.status.isDirectory))
    }

    // MARK: The directory of a name

    private enum Change {
        case toMake(Bool), toRemove
    }

    private func make(_ path: String, isDirectory: Bool) -> Denial? {
        directory(of: path, .toMake(isDirectory))
            ?? (stands(parent(of: path)) ? nil : missing(path, .make(isDirectory: isDirectory)))
    }

    private func directory(of path: String, _ change: Change) -> Denial? {
        do throws(KernelError) {
            let found = try thread.reach(parent(of: path))
            guard found.status.isDirectory else { return nil }
            if let shut = search(found.path + "/.") { return shut }
            let place = scene.place(of: found.path)
            let name = (found.path == "/" ? "" : found.path) + "/" + directoryAndName(path).name
            if found.isReadOnly {
                var denial = Denial(.readOnly, found.path)
                guard thread.may(3, found.status) else {
                    denial.remark = "and " + refusal(found.status, "write to")
                    return denial
                }
                if scene.isOwn(found.path) {
                    denial.line = "filesystem.writable = true"
                    return denial
                }
                switch change {
                case .toMake(let isDirectory):
                    denial.line = Opening.toMake(name, isDirectory: isDirectory, in: found.path, place)
                case .toRemove: denial.line = Opening.toRemove(in: found.path, place)
                }
                return replacing(denial, found.path, place)
            }
            if !thread.may(3, found.status) { return shut(found.path, found.status, "write to") }
            let access: FileAccess =
                switch change {
                case .toMake(let isDirectory): isDirectory ? .makeDirectory : .makeRegular
                case .toRemove: .removeFile
                }
            guard !scene.leaves(access, open: found.path) else { return nil }
            return Denial(.landlock, found.path, line: Opening.landlock("rw", found.path, isDirectory: true))
        } catch {
            return nil
        }
    }

    // MARK: What is missing

    private func missing(_ path: String, _ need: Need) -> Denial? {
        let path = plain(path)
        if case .make(let isDirectory) = need {
            let directory = parent(of: path)
            guard let status = host(directory) else { return nowhere(directory) }
            guard status.isDirectory else { return nil }
            var denial = Denial(.missing, directory)
            if thread.may(3, status) {
                denial.line = Opening.toMake(path, isDirectory: isDirectory, in: directory, nil)
            } else {
                denial.remark = "and " + refusal(status, "write to")
            }
            return denial
        }
        guard let status = host(path) else { return nowhere(path) }
        var denial = Denial(.missing, path)
        let (bits, word): (UInt32, String) =
            switch need {
            case .read: (4, "read")
            case .write: (2, "write to")
            case .execute: (1, "execute")
            default: (0, "")
            }
        guard thread.may(bits, status) else {
            denial.remark = "and " + refusal(status, word)
            return denial
        }
        switch need {
        case .write, .changeAttributes:
            denial.line =
                status.isDevice
                ? Opening.toSee(path, isDirectory: false, isDevice: true, lists: false)
                : Opening.toWrite(path, isDirectory: status.isDirectory, nil)
        case .remove: denial.line = Opening.toRemove(in: parent(of: path), nil)
        default:
            var lists = false
            if case .read = need { lists = true }
            denial.line = Opening.toSee(
                path, isDirectory: status.isDirectory, isDevice: status.isDevice, lists: lists)
        }
        return denial
    }

    /// What programs look for in the system, and do without, is not worth a word.
    private func nowhere(_ path: String) -> Denial? {
        let system = ["/usr", "/etc", "/bin", "/sbin", "/lib", "/lib64", "/proc", "/sys", "/dev"]
        return system.contains { isWithin(path, $0) } ? nil : Denial(.nowhere, path)
    }

    /// Without `.` and doubled slashes, and without `..` where no link can be on the way.
    private func plain(_ path: String) -> String {
        let names = components(path)
        guard !names.contains("..") else { return path }
        return "/" + names.joined(separator: "/")
    }

    private func stands(_ path: String) -> Bool {
        do throws(KernelError) {
            _ = try thread.reach(path)
            return true
        } catch {
            return error.errno != .noEntry && error.errno != .notDirectory
        }
    }

    private func host(_ path: String) -> FileStatus? {
        do throws(KernelError) {
            return try status(ofPath: path)
        } catch {
            return nil
        }
    }
}

extension PathLooks.Need {
    fileprivate var asks: Bool { if case .look = self { true } else { false } }
    fileprivate var changes: Bool {
        switch self {
        case .write, .changeAttributes: true
        case .read, .execute, .enter, .look, .connect, .make, .openOrMake, .remove: false
        }
    }
}
