import Kernel
import LinuxFacts

/// The directory in which the last mount point was made: the next one is most often beside it, and needs no walk.
struct KnownDirectory {
    fileprivate var path = ""
    fileprivate var number: Int32 = -1

    fileprivate func stands(at place: borrowing Span<UInt8>) -> Bool {
        let own = path.utf8.span
        guard number >= 0, own.count == place.count else { return false }
        for index in own.indices where own[index] != place[index] { return false }
        return true
    }

    /// To be called where something else may stand at the path from now on.
    mutating func forget() {
        if number >= 0 { closeDescriptor(number) }
        number = -1
    }

    /// To be called once something has been put on `target`.
    mutating func cover(_ target: String) {
        if number >= 0, path.utf8.count >= target.utf8.count, path.utf8.starts(with: target.utf8) { forget() }
    }
}

extension Tree {
    /// Makes a mount point that is missing, and puts a mount on it, in the fewest calls. False where it is not for this
    /// way: something is there, or it cannot be made, and the long way then finds out what.
    ///
    /// Nobody can put a link between, for a name that has become one is not followed.
    mutating func attachBeside(_ mount: Int32, on target: String, directory: Bool) throws(Failure) -> Bool {
        guard let (parent, name) = place(of: target, isMade: true) else { return false }
        let isMade = succeeds { () throws(KernelError) in
            if directory { return try Kernel.makeDirectory(name, at: parent, permissions: 0o755) }
            // To open a file and to close it takes the kernel as long as to make it.
            try makeEmptyFile(name, at: parent, permissions: 0o444)
        }
        if isMade { try failing { () throws(KernelError) in try Kernel.attach(mount, on: name, at: parent) } }
        return isMade
    }

    /// Makes a symbolic link that is missing; false where it is not for this way.
    mutating func linkBeside(_ target: String, to destination: String) -> Bool {
        guard let (parent, name) = place(of: target, isMade: true) else { return false }
        return succeeds { () throws(KernelError) in try Kernel.makeSymlink(name, to: destination, at: parent) }
    }

    /// Where a failure only means that there is another way.
    private func succeeds(_ body: () throws(KernelError) -> Void) -> Bool {
        do throws(KernelError) {
            try body()
            return true
        } catch {
            return false
        }
    }

    /// The directory of a target, which stays the tree's, and the name in it; one that is missing is made where `isMade`.
    mutating func place(of target: String, isMade: Bool = false) -> (parent: Int32, name: String)? {
        let bytes = target.utf8.span
        guard let slash = bytes.indices.last(where: { bytes[$0] == UInt8(ascii: "/") }),
            let name = String(validating: bytes.extracting((slash + 1)...))
        else { return nil }
        guard name != "", name != ".", name != ".." else { return nil }
        guard slash != 0 else { return (root, name) }
        if !known.stands(at: bytes.extracting(..<slash)) {
            guard let parent = String(validating: bytes.extracting(..<slash)) else { return nil }
            known.forget()
            var walk = Walk(root: root)
            do throws(KernelError) {
                for missing in try walk.descend(parent) {
                    guard isMade, missing != ".." else { return nil }
                    try Kernel.makeDirectory(missing, at: walk.top, permissions: 0o755)
                    try walk.enter(missing)
                }
                known.number = try walk.reached().release()
            } catch {
                return nil
            }
            known.path = parent
        }
        return (known.number, name)
    }
}
