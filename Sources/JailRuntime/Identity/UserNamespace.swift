import JailSpec
import Kernel

/// A user namespace for its maps only: what the kernel is given to map the ids of files by.
enum UserNamespace {
    /// One with these maps, which nobody is in once it is open. A child makes it, and ends.
    static func make(
        _ users: [Identity.Range], _ groups: [Identity.Range], _ proc: HostProc
    ) throws(Failure) -> Descriptor {
        let (reader, writer) = try failing(makePipe)
        let side = try failing { () throws(KernelError) in try fork(into: .user) }
        guard case .parent(let child) = side else {
            closeDescriptor(writer)
            awaitEnd(of: reader)
        }
        closeDescriptor(reader)
        defer { end(child, by: writer) }
        try proc.write(IdentityMapper.text(users), to: "\(child)/uid_map")
        try proc.write(IdentityMapper.text(groups), to: "\(child)/gid_map")
        return try failing { () throws(KernelError) in try open("\(child)/ns/user", at: proc.descriptor, .read) }
    }

    private static func end(_ child: Int32, by writer: Int32) {
        closeDescriptor(writer)
        var use = ResourceUse()
        do throws(KernelError) {
            _ = try wait(for: child, blocking: true, use: &use)
        } catch {
            return  // somebody else has waited for it
        }
    }

    /// Ends with whoever holds the other end of a pipe.
    private static func awaitEnd(of reader: Int32) -> Never {
        do throws(KernelError) {
            _ = try readSome(reader, limit: 1)
        } catch {
            exitNow(1)
        }
        exitNow(0)
    }
}
