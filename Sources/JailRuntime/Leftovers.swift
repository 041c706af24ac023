import Kernel

/// The descendants of a command that shares the host's pid namespace: nothing ends them by itself.
enum Leftovers {
    /// Kills every child of this process, which as a subreaper inherits the orphans, until none is left.
    static func kill() throws(KernelError) {
        var use = ResourceUse()
        while true {
            let children = try children()
            guard !children.isEmpty else { return }
            for child in children {
                do throws(KernelError) {
                    try Kernel.kill(child, Signal.kill)
                } catch {
                    guard error.errno == .noProcess else { throw error }
                }
                _ = try wait(for: child, blocking: true, use: &use)
            }
        }
    }

    private static func children() throws(KernelError) -> [Int32] {
        let text = try readText("/proc/thread-self/children")
        return text.split(separator: " ").compactMap { Int32($0) }
    }
}
