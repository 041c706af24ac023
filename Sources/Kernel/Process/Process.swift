import CLinux
import FastStart

/// How a child ended, wait(2).
package enum Termination: Equatable, Sendable {
    case exited(Int32)
    case signaled(Int32)
    case stopped(Int32)

    init?(status: Int32) {
        if status & 0x7f == 0 {
            self = .exited(status >> 8 & 0xff)
        } else if status & 0xff == 0x7f {
            self = .stopped(status >> 8 & 0xff)
        } else if status & 0x7f != 0x7f {
            self = .signaled(status & 0x7f)
        } else {
            return nil
        }
    }

    /// The status that a shell would report: the command's own, or 128 plus the signal.
    package var shellStatus: Int32 {
        switch self {
        case .exited(let status): status
        case .signaled(let signal), .stopped(let signal): 128 + signal
        }
    }
}

/// What a child and its waited-for descendants used, getrusage(2).
package struct ResourceUse: Sendable {
    package var userMicroseconds = 0
    package var systemMicroseconds = 0
    /// The largest resident set of one process, in bytes.
    package var peakMemory = 0
    /// Bytes that block devices were asked for, and given.
    package var readBytes = 0
    package var writtenBytes = 0
    package init() {}
}

/// Forks the caller. The child must end with `exitNow` or exec, never by returning from main. The corresponding C
/// function is `fork`, made through clone3 so that nothing registered with pthread_atfork runs.
package func fork() throws(KernelError) -> ForkSide {
    do throws(KernelError) {
        return try fork(into: [])
    } catch {
        throw KernelError(.fork, error.errno)
    }
}

/// Starts a child in the caller's own memory, as vfork(2) does: the caller stands still until `body`, which must not
/// return, has executed another program or ended. Nothing is copied, which makes this the fastest way to a new program.
///
/// What `body` writes to memory stays written. It runs on a stack of its own. The corresponding C function is `clone` with
/// `CLONE_VM | CLONE_VFORK`.
///
/// The closure escapes: the child keeps its references to it for ever, as far as the caller's memory can tell.
package func forkInPlace(_ body: @escaping () -> Never) throws(KernelError) -> Int32 {
    var context = body
    return try attempt(.fork) {
        unsafe withUnsafeMutablePointer(to: &context) { pointer in
            unsafe linux_vfork(
                { context in
                    guard let context = unsafe context else { return 125 }
                    unsafe context.assumingMemoryBound(to: (() -> Never).self).pointee()
                }, pointer)
        }
    }
}

/// Gives the pages of the program's code back to the page cache, for a process that will sleep for long; nothing in a plain
/// build. The corresponding C call is `madvise(MADV_DONTNEED)`.
package func releaseCode() { fast_start_release_code() }

/// Ends the process without flushing or atexit handlers. The corresponding C function is `_exit`.
package func exitNow(_ status: Int32) -> Never { _exit(status) }

/// Whether a child has ended, or been waited for already; it stays to be waited for. The corresponding C function is `waitid`.
package func hasEnded(_ child: Int32) throws(KernelError) -> Bool {
    try persist(.wait) { linux_has_ended(child) } == 1
}

/// Waits for a change of `child` (any child where −1); nil where nothing has changed or no child is left.
/// The corresponding C function is `wait4`.
package func wait(
    for child: Int32 = -1, blocking: Bool, stops: Bool = false, use: inout ResourceUse
) throws(KernelError) -> (child: Int32, end: Termination)? {
    var status: Int32 = 0
    var usage = rusage()
    let flags = (blocking ? 0 : WNOHANG) | (stops ? WUNTRACED : 0)
    let found: Int32
    do throws(KernelError) {
        found = try persist(.wait) { unsafe wait4(child, &status, flags, &usage) }
    } catch {
        guard error.errno.rawValue == ECHILD else { throw error }
        return nil
    }
    guard found > 0, let end = Termination(status: status) else { return nil }
    use.userMicroseconds += usage.ru_utime.tv_sec * 1_000_000 + usage.ru_utime.tv_usec
    use.systemMicroseconds += usage.ru_stime.tv_sec * 1_000_000 + usage.ru_stime.tv_usec
    use.peakMemory = max(use.peakMemory, usage.ru_maxrss * 1024)
    // Blocks of 512 bytes, whatever the file system has.
    use.readBytes += usage.ru_inblock * 512
    use.writtenBytes += usage.ru_oublock * 512
    return (found, end)
}

/// The corresponding C function is `kill`; a negative `process` names a process group.
package func kill(_ process: Int32, _ signal: Int32) throws(KernelError) {
    try attempt(.kill) { CLinux.kill(process, signal) }
}

/// A descriptor that becomes readable when the process ends. The corresponding C function is `pidfd_open`.
package func openProcess(_ process: Int32) throws(KernelError) -> Descriptor {
    let descriptor = Descriptor(owning: try attempt(.pidfdOpen) { pidfd_open(process, 0) })
    return descriptor
}

/// Signals the process behind a pidfd. The corresponding C function is `pidfd_send_signal`.
package func signal(_ pidfd: Int32, _ number: Int32) throws(KernelError) {
    try attempt(.kill) { pidfd_send_signal(pidfd, number, nil, 0) }
}

package func parentProcess() -> Int32 { getppid() }
package func currentProcess() -> Int32 { getpid() }
package func currentProcessGroup() -> Int32 { getpgrp() }

/// The corresponding C function is `setsid`.
package func startSession() throws(KernelError) { try attempt(.setsid) { setsid() } }

/// The corresponding C function is `setpgid`; 0 names the caller.
package func setProcessGroup(of process: Int32, to group: Int32) throws(KernelError) {
    try attempt(.setpgid) { setpgid(process, group) }
}

/// Replaces the process image; returns only the reason why not. The corresponding C function is `execve`.
package func execute(
    _ path: String, _ arguments: borrowing CStringArray, _ environment: borrowing CStringArray
) -> KernelError {
    unsafe path.withKernelText { file in _ = unsafe execve(file, arguments.pointer, environment.pointer) }
    return KernelError(.execve, .current, path: path)
}

/// Replaces the process image by the program that is open as `program`, whatever its path leads to by now; returns only the
/// reason why not. A script needs the descriptor in its interpreter, and so it must survive exec. The corresponding C
/// function is `execveat` with `AT_EMPTY_PATH`.
package func execute(
    program: Int32, _ arguments: borrowing CStringArray, _ environment: borrowing CStringArray
) -> KernelError {
    _ = unsafe execveat(program, "", arguments.pointer, environment.pointer, AT_EMPTY_PATH)
    return KernelError(.execve, .current)
}

/// Nanoseconds of the monotonic clock, clock_gettime(2).
package func monotonicNanoseconds() -> Int {
    var now = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// The release of the running kernel, uname(2).
package func kernelRelease() -> String {
    var name = utsname()
    unsafe uname(&name)
    return unsafe withUnsafePointer(to: &name.release) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 65) { unsafe String(cString: $0) }
    }
}

/// The bytes of the machine's memory. The corresponding C function is `sysinfo`.
package func totalMemory() throws(KernelError) -> UInt64 {
    var info = sysinfo()
    try attempt(.sysinfo) { unsafe sysinfo(&info) }
    return UInt64(info.totalram) * UInt64(info.mem_unit)
}
