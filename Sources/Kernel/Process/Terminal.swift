import CLinux

/// Whether `descriptor` is a terminal. The corresponding C function is `isatty`.
package func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

/// A terminal's mode, to be put back as it was.
package struct TerminalMode: Sendable {
    private let attributes: termios

    /// The mode that `descriptor` has now. The corresponding C function is `tcgetattr`.
    package init(of descriptor: Int32) throws(KernelError) {
        var current = termios()
        try attempt(.tcgetattr) { unsafe tcgetattr(descriptor, &current) }
        attributes = current
    }

    private init(_ attributes: termios) { self.attributes = attributes }

    /// The same with every key passed on as it is typed. The corresponding C function is `cfmakeraw`.
    package var raw: TerminalMode {
        var changed = attributes
        unsafe cfmakeraw(&changed)
        return TerminalMode(changed)
    }

    /// Puts this mode in force once what was written is out. The corresponding C function is `tcsetattr`.
    package func apply(to descriptor: Int32) throws(KernelError) {
        var wanted = attributes
        try persist(.tcsetattr) { unsafe tcsetattr(descriptor, TCSADRAIN, &wanted) }
    }
}

/// Copies the window size of one terminal to another, ioctl_tty(2).
package func copyWindowSize(from source: Int32, to target: Int32) {
    var size = winsize()
    guard unsafe linux_ioctl(source, linux_TIOCGWINSZ, &size) == 0 else { return }
    unsafe linux_ioctl(target, linux_TIOCSWINSZ, &size)
}

/// Unlocks the slave of a pty master and opens it, without a path. The corresponding C call is `ioctl(TIOCGPTPEER)`.
package func openTerminalPeer(of master: Int32) throws(KernelError) -> Descriptor {
    var lock: Int32 = 0
    try attempt(.ioctl) { unsafe linux_ioctl(master, linux_TIOCSPTLCK, &lock) }
    return Descriptor(
        owning: try attempt(.ioctl) {
            linux_ioctl_value(master, linux_TIOCGPTPEER, Int(O_RDWR | O_NOCTTY | O_CLOEXEC))
        })
}

/// Makes `terminal` the controlling terminal of the caller's session. The corresponding C call is `ioctl(TIOCSCTTY)`.
package func takeControllingTerminal(_ terminal: Int32) throws(KernelError) {
    try attempt(.ioctl) { linux_ioctl_value(terminal, linux_TIOCSCTTY, 0) }
}

/// The foreground process group of a terminal, nil where it is not the caller's. The corresponding C function is
/// `tcgetpgrp`.
package func foregroundGroup(of terminal: Int32) -> Int32? {
    let group = tcgetpgrp(terminal)
    return group >= 0 ? group : nil
}

/// Makes `group` the foreground of the terminal; a caller in the background must have SIGTTOU blocked. The corresponding
/// C function is `tcsetpgrp`.
package func setForegroundGroup(of terminal: Int32, to group: Int32) throws(KernelError) {
    try attempt(.ioctl) { tcsetpgrp(terminal, group) }
}

/// Reads what is there, at most `limit` bytes; empty at the end of input, nil where nothing is ready.
package func readSome(_ descriptor: Int32, limit: Int = 16384) throws(KernelError) -> [UInt8]? {
    do throws(KernelError) {
        return try unsafe filled(.read, upTo: limit) { unsafe read(descriptor, $0, $1) }
    } catch {
        guard error.errno == .again else { throw error }
        return nil
    }
}

/// Writes as much as fits and returns how much that was.
package func writeSome(_ descriptor: Int32, _ bytes: ArraySlice<UInt8>) throws(KernelError) -> Int {
    do throws(KernelError) {
        return try persist(.write) {
            unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
        }
    } catch {
        guard error.errno == .again else { throw error }
        return 0
    }
}
