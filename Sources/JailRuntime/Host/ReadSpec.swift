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
            throw Diagnostic(words(error), at: nil)
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

    /// Waits until a descriptor of the caller's gives something, or ends; nil where it cannot be read.
    package static func readOne(_ number: Int32) -> Bool? {
        do throws(KernelError) {
            return try !readSome(number, upTo: 1).isEmpty
        } catch {
            return nil
        }
    }
}
