import Kernel

/// Mounts that go with the host's tree: to unmount one by itself is a wait for all processors, as long as all else about it.
extension Tree {
    /// Puts what is loose on the host's tree. Not before the last step: what its directories hold is out of sight then.
    mutating func leaveLoose() {
        for mount in loose {
            Self.leaveToHost(mount)
            closeDescriptor(mount)
        }
        loose = []
    }

    /// Attaches a mount to a directory of the host's tree, with which it goes. Where none is there closing it takes longer, and that is
    /// all.
    static func leaveToHost(_ mount: Int32) {
        for place in ["/proc", "/usr", "/etc", "/dev"] {
            do throws(KernelError) {
                let directory = try open(place, .path | .directory)
                return try Kernel.attach(mount, on: directory.number)
            } catch {
                continue
            }
        }
    }
}
