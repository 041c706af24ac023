import Kernel

/// Something tried for real, in a child with namespaces of its own that ends at once and takes everything along.
enum Trial {
    /// What the kernel refused; nil where all went well.
    ///
    /// Only the errno comes back from the child, as its status.
    static func attempt(in namespaces: NamespaceFlags, _ body: () throws(KernelError) -> Void = {}) -> Errno? {
        do throws(KernelError) {
            guard case .parent(let child) = try fork(into: namespaces) else {
                do throws(KernelError) {
                    try body()
                    exitNow(0)
                } catch {
                    exitNow(error.errno.rawValue)
                }
            }
            var use = ResourceUse()
            guard let (_, end) = try wait(for: child, blocking: true, use: &use) else { return .noProcess }
            switch end {
            case .exited(0): return nil
            case .exited(let errno): return Errno(rawValue: errno)
            case .signaled, .stopped: return .interrupted
            }
        } catch {
            return error.errno
        }
    }
}
