import Kernel

/// The descendants of a command that shares the host's pid namespace: nothing ends them by itself.
struct Leftovers {
    /// Children that this process had before the jail: a program that is executed keeps those of the shell before it.
    private var spared: [Int32] = []
    /// Where the kernel lists them: opened before a namespace was joined, in which /proc may be anybody's.
    private var proc: HostProc?

    init() {}

    /// To be asked before the jail is made: the children there are now are not its own.
    static func sparingThoseOfNow(_ proc: HostProc) throws(KernelError) -> Leftovers {
        var leftovers = Leftovers()
        leftovers.proc = proc
        leftovers.spared = try leftovers.children()
        return leftovers
    }

    /// Kills every other child of this process, which as a subreaper inherits the orphans, until none is left.
    func kill() throws(KernelError) {
        var use = ResourceUse()
        while true {
            let children = try children().filter { !spared.contains($0) }
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

    private func children() throws(KernelError) -> [Int32] {
        guard let proc else { return [] }
        return try readText("thread-self/children", at: proc.descriptor).split(separator: " ").compactMap { Int32($0) }
    }
}
