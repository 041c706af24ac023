import JailPlan
import Kernel

extension Jobserver {
    /// What MAKEFLAGS of the caller names; nil where that is none.
    static func ofCaller() throws(KernelError) -> Jobserver? {
        guard let flags = environmentVariable("MAKEFLAGS"), var found = Jobserver(makeflags: flags) else { return nil }
        switch found.access {
        case .withheld: break
        case .pipe(let read, let write): found.isThere = isOpen(read) && isOpen(write)
        case .fifo(let path):
            do throws(KernelError) {
                let status = try status(ofPath: path)
                found.isThere = status.isPipe
                if status.permissions & 0o006 != 0o006 { found.owner = status.owner }
            } catch {
                found.isThere = false
            }
        }
        return found
    }
}
