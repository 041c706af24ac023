import JailPlan
package import JailSpec
import Kernel
package import SpecFile

extension KeptChanges {
    /// Has the rest done by a process that reaches all that the jail has left: as an ordinary user whose jail had ids of
    /// /etc/subuid, that is one in a user namespace with the same. This process waits for it and leaves with its status.
    package consuming func worker(of mount: Mount) throws(Diagnostic) -> KeptChanges {
        guard let record, callerIdentity().euid != 0, record.users.count + record.groups.count > 2 || record.hasRanges
        else {
            return self
        }
        do throws(Failure) {
            let maps = IdentityMaps(
                users: record.users.map(Self.range), groups: record.groups.map(Self.range), writer: .helpers,
                denySetgroups: false)
            var applier = Applier(slotCount: 0, tell: { _ in })
            applier.hostProc = try HostProc()
            let mapper = try IdentityMapper(maps)
            let (ours, theirs) = try failing(makeChannel)
            switch try failing({ () throws(KernelError) in try fork() }) {
            case .parent(let child):
                closeDescriptor(theirs)
                _ = try failing { () throws(KernelError) in try receive(from: ours, limit: 1) }
                try mapper.write(by: applier, process: "\(child)")
                try failing { () throws(KernelError) in try send([1], over: ours) }
                var use = ResourceUse()
                let end = try failing { () throws(KernelError) in try wait(for: child, blocking: true, use: &use) }
                exitNow(end?.end.shellStatus ?? 125)
            case .child:
                closeDescriptor(ours)
                try failing { () throws(KernelError) in
                    try unshare(.user)
                    try send([1], over: theirs)
                    guard try receive(from: theirs, limit: 1) != nil else { exitNow(125) }
                }
                var result = self
                result.isMapped = true
                return result
            }
        } catch {
            throw Self.diagnostic(error, mount)
        }
    }

    private static func range(_ numbers: [UInt64]) -> Identity.Range {
        Identity.Range(
            inside: UInt32(truncatingIfNeeded: numbers[0]), outside: UInt32(truncatingIfNeeded: numbers[1]),
            count: UInt32(truncatingIfNeeded: numbers[2]))
    }
}

extension OverlayRecord {
    /// Whether the jail had more ids than its caller's.
    var hasRanges: Bool { (users + groups).contains { $0[2] > 1 } }
}
