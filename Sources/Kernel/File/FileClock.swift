import CLinux

/// The wall clock, in nanoseconds since the epoch. No file of a local disk is stamped with more. The corresponding C function is
/// `clock_gettime` with `CLOCK_REALTIME`.
package func wallTime() -> Int64 { now(CLOCK_REALTIME) }

/// The least that a file is stamped with now: the wall clock at the last tick. The corresponding C function is `clock_gettime` with
/// `CLOCK_REALTIME_COARSE`.
package func fileSystemTime() -> Int64 { now(CLOCK_REALTIME_COARSE) }

private func now(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Waits until every file is stamped with more than that time: one tick at most, where that is the time of the call. Throws ETIMEDOUT
/// where the clock has been set back meanwhile. The corresponding C function is `clock_nanosleep`.
package func awaitFileSystemTime(after time: Int64) throws(KernelError) {
    let began = monotonicNanoseconds()
    while fileSystemTime() <= time {
        guard monotonicNanoseconds() - began < 10_000_000_000 else { throw KernelError(.clockNanosleep, .timedOut) }
        var moment = timespec(tv_sec: 0, tv_nsec: 200_000)
        let error = unsafe clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, nil)
        guard error == 0 || error == EINTR else { throw KernelError(.clockNanosleep, Errno(rawValue: error)) }
    }
}
