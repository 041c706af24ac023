import Kernel
import LinuxFacts
import SpecFile

/// Looks at a name that is about to be made or removed, which is a matter of its directory, and at what is missing.
extension PathLooks {
    enum Change {
        case toMake(isDirectory: Bool), toRemove
    }

    func make(_ path: String, isDirectory: Bool) -> [Denial] {
        let found = directory(of: path, .toMake(isDirectory: isDirectory))
        if !found.isEmpty || stands(parent(of: path)) { return found }
        return missing(path, .make(isDirectory: isDirectory))
    }

    func directory(of path: String, _ change: Change) -> [Denial] {
        do throws(KernelError) {
            let found = try thread.reach(parent(of: path))
            guard found.status.isDirectory else { return [] }
            if let shut = search(found.path, toChange: true) { return [shut] }
            let closed = thread.may(3, found.status) ? nil : shut(found.path, found.status, 3, "write to")
            if found.isReadOnly { return both(readOnlyDirectory(found, path, change), closed) }
            if let closed { return [closed] }
            let access: FileAccess =
                switch change {
                case .toMake(let isDirectory): isDirectory ? .makeDirectory : .makeRegular
                case .toRemove: .removeFile
                }
            guard !scene.leaves(access, open: found.path) else { return [] }
            return [Denial(.landlock, found.path, line: Opening.landlock("rw", found.path, isDirectory: true))]
        } catch {
            return []
        }
    }

    private func readOnlyDirectory(_ found: ThreadState.Found, _ path: String, _ change: Change) -> Denial {
        var denial = Denial(.readOnly, found.path)
        if scene.isOwn(found.path) {
            denial.line = "filesystem.writable = true"
            return denial
        }
        let place = scene.place(of: found.path)
        switch change {
        case .toMake(let isDirectory):
            let name = (found.path == "/" ? "" : found.path) + "/" + directoryAndName(path).name
            denial.line = Opening.toMake(name, isDirectory: isDirectory, in: found.path, place)
        case .toRemove: denial.line = Opening.toRemove(in: found.path, place)
        }
        return replacing(denial, found.path, place)
    }

    // MARK: What is missing

    func missing(_ path: String, _ need: Need) -> [Denial] {
        let path = plain(path)
        if case .make(let isDirectory) = need { return missing(directoryOf: path, isDirectory) }
        guard let status = host(path) else { return nowhere(path) }
        var denial = Denial(.missing, path)
        switch need {
        case .write, .update, .changeAttributes:
            denial.line =
                status.isDevice
                ? Opening.toSee(path, isDirectory: false, isDevice: true, lists: false)
                : Opening.toWrite(path, isDirectory: status.isDirectory, nil)
        case .remove: denial.line = Opening.toRemove(in: parent(of: path), nil)
        default:
            var lists = false
            if case .read = need { lists = true }
            denial.line =
                path == "/sys" && !scene.ownsNetwork
                ? nil
                : Opening.toSee(path, isDirectory: status.isDirectory, isDevice: status.isDevice, lists: lists)
        }
        if denial.line.map(Opening.isEmpty) == true { denial.remark = "and the line makes an empty one" }
        let (bits, word) = need.bits(status)
        return both(denial, thread.may(bits, status) ? nil : shut(path, status, bits, word))
    }

    private func missing(directoryOf path: String, _ isDirectory: Bool) -> [Denial] {
        let directory = parent(of: path)
        guard let status = host(directory) else { return nowhere(directory) }
        guard status.isDirectory else { return [] }
        let line = Opening.toMake(path, isDirectory: isDirectory, in: directory, nil)
        let found = both(
            Denial(.missing, directory, line: line),
            thread.may(3, status) ? nil : shut(directory, status, 3, "write to"))
        guard found.count == 1, found[0].line == nil, let own = Opening.toHave(directory) else { return found }
        return [Denial(.missing, directory, remark: "and the line makes an empty one, of the jail's own", line: own)]
    }

    /// What programs look for in the system, and do without, is not worth a word.
    private func nowhere(_ path: String) -> [Denial] {
        let system = ["/usr", "/etc", "/bin", "/sbin", "/lib", "/lib64", "/proc", "/sys", "/dev"]
        return system.contains { isWithin(path, $0) } ? [] : [Denial(.nowhere, path)]
    }
}
