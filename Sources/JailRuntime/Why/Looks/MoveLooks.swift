import Kernel
import LinuxFacts
import SpecFile

/// Looks at two names that a thread of the jail is about to make one of, for what mounts keep it from.
extension PathLooks {
    /// A path as a call has it, with the descriptor that it starts from.
    typealias Name = (text: String, start: Int32?)

    /// What the kernel answers where nothing else keeps the command from it: EBUSY to rename(2) where a name is a mount of the jail,
    /// EXDEV to rename(2) and link(2) where the names are on two mounts, even of one tree.
    func move(_ old: Name, to new: Name, isRename: Bool) -> Denial? {
        do throws(KernelError) {
            guard let from = try stand(old), let to = try stand(new) else { return nil }
            if isRename, let denial = busy(from) ?? busy(to) { return denial }
            // Between two file systems it is the same outside.
            guard from.directory.mount != to.directory.mount,
                from.directory.status.identity.device == to.directory.status.identity.device
            else { return nil }
            return Denial(
                .crossing, from.path, remark: "and rename(2) and link(2) take a mount for a file system of its own")
        } catch {
            return nil
        }
    }

    /// What a name leads to in the jail; nil where nothing is there.
    func standing(_ name: Name) -> String? {
        do throws(KernelError) {
            if name.text.utf8.first == UInt8(ascii: "/") { return try thread.reach(name.text).path }
            guard let start = thread.start(name.start) else { return nil }
            return try thread.reach((start == "/" ? "" : start) + "/" + name.text).path
        } catch {
            return nil
        }
    }

    /// A name in its directory.
    private struct Stand {
        let path: String
        let directory: ThreadState.Found
    }

    private func stand(_ name: Name) throws(KernelError) -> Stand? {
        var path = name.text
        if path.utf8.first != UInt8(ascii: "/") {
            guard let start = thread.start(name.start) else { return nil }
            path = (start == "/" ? "" : start) + "/" + path
        }
        let directory = try thread.reach(parent(of: path))
        let plain = (directory.path == "/" ? "" : directory.path) + "/" + directoryAndName(path).name
        return Stand(path: plain, directory: directory)
    }

    private func busy(_ name: Stand) -> Denial? {
        do throws(KernelError) {
            let found = try thread.reach(name.path)
            // Else a link, which is renamed itself.
            guard found.path == name.path, found.mount != name.directory.mount else { return nil }
            var denial = Denial(.busy, name.path)
            // A file that is shown to be written to: its directory instead.
            let directory = parent(of: name.path)
            if !found.isReadOnly, scene.place(of: directory) == nil, let place = scene.place(of: name.path),
                place.target == name.path, place.source == name.path
            {
                denial.line = Opening.toRemove(in: directory, nil)
            }
            return denial
        } catch {
            return nil
        }
    }
}
