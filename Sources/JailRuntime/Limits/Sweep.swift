import Kernel

/// Removes what killed launches have left.
enum Sweep {
    /// Every group of immure's in `base` that no launcher holds and nobody is in. What cannot be removed now stays for the
    /// next launch: the launch under way does not depend on it.
    static func run(in base: Int32) throws(KernelError) {
        for name in try entries(of: base) where name.utf8.starts(with: Leaf.prefix.utf8) {
            do throws(KernelError) {
                let directory = try open(name, at: base, .read | .directory | .noFollow)
                try lock(directory.number)
                let events = try readText("cgroup.events", at: directory.number)
                guard events.utf8.starts(with: "populated 0".utf8) else { continue }
                try Leaf.remove(name, in: base)
            } catch {
                continue  // held by a living launcher, or just removed by another
            }
        }
    }
}
