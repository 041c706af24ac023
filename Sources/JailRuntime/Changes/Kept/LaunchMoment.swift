import Kernel

/// What was before a launch, and what comes after it.
extension OverlayRecord {
    /// Whether a time of the original's, st_ctime, is one since the launch, or may be. Some file systems, ext4 with inodes of 128 bytes
    /// for one, say only in which second it was.
    func isLate(_ changed: Int64) -> Bool {
        let second: Int64 = 1_000_000_000
        return changed >= start || changed % second == 0 && changed + second > start
    }

    /// Writes it, and returns when all that the original's files will be stamped with is past its start.
    ///
    /// The clock that files are stamped with stands still for up to 10 ms (a tick): a write before the launch and one after it could have
    /// one time. Since Linux 6.13 a file that has been asked for its time is stamped by the fine clock at its next change, and no file
    /// of any file system gets less from then on (Documentation/filesystems/multigrain-ts.rst): the record itself moves that on, and
    /// there is nothing to wait for. Before the overlay is mounted: what it has looked up of a lower it does not look up again.
    func begin(in work: Int32) throws(Failure) {
        let stamp = try write(in: work)
        // Some file systems round down, to 100 ns.
        let last = start + 1_000
        guard stamp <= last else { return }
        do throws(KernelError) {
            try awaitFileSystemTime(after: last)
        } catch {
            guard error.errno == .timedOut else { throw Failure(error) }
            throw Failure(
                telling:
                    "the clock has been set back meanwhile, and would not tell what the original changes after the launch",
                hint: nil)
        }
    }
}
