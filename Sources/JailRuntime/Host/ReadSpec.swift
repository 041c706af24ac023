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

    /// The directory that a bundle's file is in, as what must be trusted: whoever may rename there can put another tree in the place
    /// of the bundle's. nil where it cannot be seen: then the file could not either.
    package static func directory(of file: String) -> SourceFile? {
        let name = file.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(file[..<$0]) } ?? "."
        let path = name.isEmpty ? "/" : name
        do throws(KernelError) {
            let found = try status(ofPath: path)
            // In a sticky one nobody renames what is another's (chmod(2)).
            let mode = found.permissions & 0o1000 != 0 ? found.permissions & ~0o022 : found.permissions
            return SourceFile(path: path, owner: found.owner, mode: mode, isSymlink: false, noun: "the bundle")
        } catch {
            return nil
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
