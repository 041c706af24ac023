import JailPlan
import JailSpec
import Kernel

/// What a jail has left closed to its own owner, a directory of mode 0 for one, as an ordinary user comes to it.
///
/// The modes stay as they are, for they are a part of what was changed, and whoever is killed could not put them back. In a user
/// namespace with the caller's ids and no others the kernel lets CAP_DAC_OVERRIDE go over the modes of files of those ids, and of
/// nobody else's: user_namespaces(7).
enum ClosedFiles {
    /// Whether this process meets modes, and may do something about that.
    static func areMet() throws(KernelError) -> Bool {
        if effectiveUser() == 0 { return false }
        return try !hasEffectiveCapability(Capability.dac_override.rawValue)
    }

    /// Does something for which files are opened; where a mode is in the way, once more from such a namespace, unless this process
    /// cannot be in one (`ChangesBeside`). `isMet` is whether a mode would end it now, and it had better.
    static func open<Result>(
        _ body: (_ isMet: Bool) throws(KernelError) -> Result
    ) throws(KernelError) -> Result {
        guard try areMet() else { return try body(false) }
        do throws(KernelError) {
            return try body(true)
        } catch {
            // proc(5): of a process that is not dumpable the maps are root's, and nobody else can write them.
            guard error.errno == .accessDenied, try isDumpable() else { throw error }
            try enter()
            return try body(false)
        }
    }

    /// Enters the namespace, where this host makes one for this user; what is closed stays so where it does not.
    private static func enter() throws(KernelError) {
        // Asked first: in the new namespace they are nobody's.
        let (user, group) = (effectiveUser(), effectiveGroup())
        do throws(KernelError) {
            try unshare(.user)
        } catch {
            guard [.notPermitted, .noSpace, .accessDenied].contains(error.errno) else { throw error }
            return
        }
        let own = { (id: UInt32) in [Identity.Range(inside: id, outside: id, count: 1)] }
        let maps = IdentityMaps(
            users: own(user), groups: own(group), writer: .itself, denySetgroups: true)
        do throws(Failure) {
            var applier = Applier(slotCount: 0, tell: { _ in })
            applier.hostProc = try HostProc()
            try IdentityMapper(maps).write(by: applier, process: "self")
        } catch {
            throw KernelError(.unshare, error.errno, path: "the maps of a user namespace")
        }
    }
}
