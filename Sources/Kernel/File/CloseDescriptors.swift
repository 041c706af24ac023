import CLinux

/// Closes every descriptor from 0 up but those in `kept`: for a process that lives on beside the command and must hold
/// nothing of the caller's.
package func closeAll(except kept: [Int32], tableSize: () -> Int32) throws(KernelError) {
    var next: UInt32 = 0
    do throws(KernelError) {
        for number in kept.sorted().map({ UInt32($0) }) where number >= next {
            if number > next { try attempt(.closeRange) { linux_close_range(next, number - 1, 0) } }
            next = number + 1
        }
        try attempt(.closeRange) { linux_close_range(next, UInt32.max, 0) }
    } catch {
        guard [.unsupported, .invalid, .notPermitted].contains(error.errno) else { throw error }
        for number in 0..<max(3, tableSize()) where !kept.contains(number) { close(number) }
    }
}

/// Marks every descriptor above 2 close-on-exec, then takes the mark off those in `kept`.
///
/// Marking instead of closing keeps the channel that reports a failed exec alive until exec succeeds. Where close_range
/// is missing (before Linux 5.11) or forbidden, every number up to the table's size is marked one by one: the size is
/// what /proc/self/status says, never the soft limit, which a caller may have lowered under open descriptors.
package func closeOnExec(keeping kept: [Int32], tableSize: () -> Int32) throws(KernelError) {
    do throws(KernelError) {
        try attempt(.closeRange) { linux_close_range(3, UInt32.max, UInt32(CLOSE_RANGE_CLOEXEC)) }
    } catch {
        guard [.unsupported, .invalid, .notPermitted].contains(error.errno) else { throw error }
        let size = tableSize()
        for number in 3..<max(4, size) where isOpen(number) {
            try attempt(.fcntl) { linux_fcntl(number, F_SETFD, Int(FD_CLOEXEC)) }
        }
    }
    for number in kept where number > 2 { try keepAcrossExec(number) }
}
