import JailPlan
import Kernel

/// What the launcher knows of the mounts that must stay while the jail runs.
///
/// A name that is replaced or removed outside takes what is mounted on it in every mount namespace along (vfs_rename, detach_mounts):
/// an editor saves by renaming. poll(2) tells of a change of the jail's mounts, proc_pid_mountinfo(5).
struct CoverWatch {
    private var covers: [(step: Int, mount: UInt32)] = []
    /// The jail's mountinfo; −1 where nothing is watched.
    private var table: Int32 = -1

    /// What to wait for.
    var watch: Watch { Watch(table, for: .urgent) }

    mutating func add(_ more: [(step: Int, mount: UInt32)], _ descriptor: Int32?) {
        covers += more
        if let descriptor { table = descriptor }
    }

    /// The step whose mount is gone; nil while all are there.
    mutating func firstGone() throws(KernelError) -> Int? {
        try rewind(table)
        let present = MountTable(parsing: try readAll(table, limit: 1 << 26, path: "mountinfo"))
        return covers.first { present.index(of: UInt64($0.mount)) == nil }?.step
    }
}
