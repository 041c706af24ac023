import CLinux

/// Puts a filter on every system call that this process, and whatever it executes, makes from here on, for ever. Each
/// instruction is a `struct sock_filter` as one number, the code in its low bits. The corresponding C call is
/// `seccomp(SECCOMP_SET_MODE_FILTER)`.
///
/// EACCES without no_new_privs or CAP_SYS_ADMIN; EINVAL where the kernel knows no filters, or not what a filter answers.
package func installFilter(_ instructions: [UInt64]) throws(KernelError) {
    guard let length = UInt16(exactly: instructions.count) else { throw KernelError(.seccomp, .invalid) }
    let unsynchronised = try attempt(.seccomp) {
        unsafe instructions.withUnsafeBytes { bytes -> Int32 in
            guard let base = bytes.baseAddress else { return -1 }
            return unsafe linux_seccomp_filter(base.assumingMemoryBound(to: sock_filter.self), length)
        }
    }
    // SECCOMP_FILTER_FLAG_TSYNC answers with the thread that could not follow.
    guard unsynchronised == 0 else { throw KernelError(.seccomp, .noProcess) }
}

/// The same after another filter, which may refuse one of the two calls that do it: those that filter expect prctl(2), which is the
/// older of them. The corresponding C calls are `prctl(PR_SET_SECCOMP)` and then `seccomp(SECCOMP_SET_MODE_FILTER)`.
package func installFurtherFilter(_ instructions: [UInt64]) throws(KernelError) {
    guard let length = UInt16(exactly: instructions.count) else { throw KernelError(.seccomp, .invalid) }
    do throws(KernelError) {
        try attempt(.prctl) {
            unsafe instructions.withUnsafeBytes { bytes -> Int32 in
                guard let base = bytes.baseAddress else { return -1 }
                return unsafe linux_prctl_filter(base.assumingMemoryBound(to: sock_filter.self), length)
            }
        }
    } catch {
        try installFilter(instructions)
    }
}
