import Kernel
package import SpecFile

extension Caller {
    /// Reads a spec, or a file that a spec names, which may be hostile.
    package static func readSpec(_ path: String) throws(Diagnostic) -> FileContents {
        try readSpec(path, toLaunch: false)
    }

    /// The same; to launch it, root follows no link to it that others made.
    static func readSpec(_ path: String, toLaunch: Bool) throws(Diagnostic) -> FileContents {
        let user = effectiveUser()
        let rule = toLaunch && user == 0 ? LinkRule(user: user, isRoot: true) : nil
        do throws(UnreadableFile) {
            let file = try readRegularFile(path, limit: FileContents.sizeLimit, following: rule)
            return FileContents(
                bytes: file.bytes, owner: file.status.owner, mode: file.status.permissions, isSymlink: file.isSymlink,
                device: file.status.identity.device, inode: file.status.identity.inode)
        } catch {
            if case .link(_, let objection) = error {
                throw Diagnostic(words(error), at: nil, hint: LinkWords.hint(objection))
            }
            var hint: String?
            if case .refused(let reason) = error, [.noEntry, .accessDenied].contains(reason.errno) {
                hint = Evidence.host.hidingHint(absolute(path))
            }
            throw Diagnostic(words(error), at: nil, hint: hint)
        }
    }

    /// Whether a path is a symbolic link.
    @Sendable package static func isLink(_ path: String) -> Bool {
        do throws(KernelError) {
            _ = try readLink(path)
            return true
        } catch {
            return false
        }
    }

    /// The directories on the way to a file, as what must be trusted: whoever may rename in one of them can put something else in the
    /// place of the file and of what is beside it. Walked on descriptors, links resolved; none where a link on the way is not followed:
    /// then root has not read the file either.
    package static func directories(to file: String, noun: String) -> [SourceFile] {
        let user = effectiveUser()
        let name = directoryAndName(absolute(file)).directory
        do throws(WalkFault) {
            return try directories(on: HostWalk(to: name, following: LinkRule(user: user, isRoot: user == 0)), noun)
        } catch {
            return []
        }
    }

    /// A directory, with O_PATH, and what is wrong with the first one on the way to it in which others than root and `user` could put
    /// another in its place; without a user the way is not judged.
    static func reach(
        _ path: String, following rule: LinkRule, trusting user: UInt32?
    ) throws(WalkFault) -> (directory: Int32, fault: Diagnostic?) {
        let walk = try HostWalk(to: path, following: rule)
        var fault: Diagnostic?
        if let user {
            fault = try directories(on: walk).lazy.compactMap { $0.trustFaults(callerUID: user).first }.first
        }
        return (try walk.reached().release(), fault)
    }

    /// Those of a walk that has begun at the root; without a noun each goes by its own name.
    static func directories(on walk: borrowing HostWalk, _ noun: String? = nil) throws(WalkFault) -> [SourceFile] {
        let names = components(walk.path)
        let found = try walk.trail().statuses
        return found.indices.map { depth in
            let (status, path) = (found[depth], "/" + names.prefix(depth).joined(separator: "/"))
            // In a sticky one nobody renames what is another's (chmod(2)).
            let mode = status.permissions & 0o1000 != 0 ? status.permissions & ~0o022 : status.permissions
            // In a user namespace that does not map it, root's id looks as that of the root directory does.
            let owner = status.owner == found[0].owner ? 0 : status.owner
            return SourceFile(path: path, owner: owner, mode: mode, isSymlink: false, noun: noun ?? path)
        }
    }

    private static func words(_ reason: UnreadableFile) -> String {
        switch reason {
        case .refused(let error): "\(error.errno.name) \(error.errno.words)"
        case .directory: "a directory"
        case .notRegular: "not a regular file"
        case .tooLarge: "larger than \(FileContents.sizeLimit >> 20) MiB"
        case .link(let link, let objection): LinkWords.reason(link.path, owner: link.owner, objection)
        }
    }

    /// What a descriptor of the caller's gives until its end; nil where it cannot be read.
    package static func readDescriptor(_ number: Int32) -> [UInt8]? {
        do throws(KernelError) {
            return try readAll(number)
        } catch {
            return nil
        }
    }
}
