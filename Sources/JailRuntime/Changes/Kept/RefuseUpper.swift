import JailPlan
import Kernel
import SpecFile

// Why an upper is not taken for what a jail has changed, and nothing else.

extension KeptPlace {
    /// Why an upper that is not empty, and of which no launch has left a record, is not taken for a list of changes. An upper that has been
    /// emptied is as open as what it is laid over: where all may write, somebody else may have put something into it since.
    func isUnknown(_ upper: Int32) throws(Failure) -> Failure {
        let words = "upper is not empty, and work has no immure.json that says what it changes"
        let others = try failing { () throws(KernelError) -> (name: EntryName, status: EntryStatus)? in
            for name in try entryNames(of: upper) {
                if let found = try entryStatus(name, at: upper), found.owner != effectiveUser() { return (name, found) }
            }
            return nil
        }
        guard let (name, found) = others else {
            return Failure(telling: words, hint: "empty it, or name another directory, which immure makes")
        }
        let path = self.upper.path
        let entry = quotedPath(Array("\(path)/".utf8) + name.bytes)
        // In a user namespace of the jail's it has another number.
        let owner = self.upper.maps == nil ? "uid \(found.owner)'s" : "another user's"
        return Failure(
            telling: "\(words): \(entry) is \(owner)",
            hint:
                "move it away, and the next launch makes another: mv -T \(shellWord(path)) \(shellWord(path + ".old"))")
    }

    /// Why what is kept is not taken for the jail's alone.
    func isOpen(_ found: Found) throws(Failure) -> Failure {
        let directory = found.isInside ? work : upper.parent
        let place = try failing { [above = try directory.parent.reach().release()] () throws(KernelError) in
            defer { closeDescriptor(above) }
            return try entryStatus(EntryName(Array(directory.name.utf8)), at: above)
        }
        let isOwn = place.map { $0.owner == effectiveUser() && $0.permissions & 0o1000 == 0 } ?? false
        return Failure(
            telling: "upper: other users of this host can enter \(upper.path), and may have changed what is kept there",
            hint: isOwn
                ? "look at it (immure diff SPEC), then close the way to it: chmod 700 \(shellWord(directory.path))"
                : "look at it (immure diff SPEC), then move upper and work into a directory of mode 700, and name them there"
        )
    }
}
