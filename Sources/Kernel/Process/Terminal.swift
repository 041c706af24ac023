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

    /// The same, but that what is written is shown as in another mode.
    package func writing(as other: TerminalMode) -> TerminalMode {
        var changed = attributes
        changed.c_oflag = other.attributes.c_oflag
        return TerminalMode(changed)
    }

    /// The same without echo.
    package var silent: TerminalMode {
        var changed = attributes
        changed.c_lflag &= ~tcflag_t(ECHO)
        return TerminalMode(changed)
    }

    /// The same in which a process of the background may write.
    package var open: TerminalMode {
        var changed = attributes
        changed.c_lflag &= ~tcflag_t(TOSTOP)
        return TerminalMode(changed)
    }

    /// Whether lines are edited and echoed, as a shell leaves a terminal.
    package var isCooked: Bool { attributes.c_lflag & tcflag_t(ICANON) != 0 }

    /// Whether lines are edited, and shown as they are typed: where either is not so, a program has asked for keys.
    package var isForLines: Bool { isCooked && attributes.c_lflag & tcflag_t(ECHO) != 0 }

    /// Whether `\r` is put before each `\n` that is written.
    package var returnsCarriage: Bool {
        attributes.c_oflag & tcflag_t(OPOST) != 0 && attributes.c_oflag & tcflag_t(ONLCR) != 0
    }

    /// What is shown of a line while it is typed.
    package func echo(of line: [UInt8]) -> [UInt8] {
        var shown: [UInt8] = []
        for byte in line {
            switch byte {
            case UInt8(ascii: "\n"): shown += returnsCarriage ? Array("\r\n".utf8) : [byte]
            case UInt8(ascii: "\t"): shown.append(byte)
            case 0..<0x20, 0x7F:
                shown += attributes.c_lflag & tcflag_t(ECHOCTL) != 0 ? [UInt8(ascii: "^"), byte ^ 0x40] : [byte]
            default: shown.append(byte)
            }
        }
        return shown
    }

    /// The character that ends the input.
    package var endOfFile: UInt8 { attributes.c_cc.4 }

    /// Whether two modes are the same in all that a program sets.
    package func isSame(as other: TerminalMode) -> Bool {
        let (a, b) = (attributes, other.attributes)
        guard a.c_iflag == b.c_iflag, a.c_oflag == b.c_oflag, a.c_cflag == b.c_cflag, a.c_lflag == b.c_lflag else {
            return false
        }
        return unsafe withUnsafeBytes(of: a.c_cc) { one in
            unsafe withUnsafeBytes(of: b.c_cc) { unsafe one.elementsEqual($0) }
        }
    }

    /// Puts this mode in force at once: to wait until what was written is read would be for ever where nobody reads. The
    /// corresponding C function is `tcsetattr` with `TCSANOW`.
    package func apply(to descriptor: Int32) throws(KernelError) {
        var wanted = attributes
        try persist(.tcsetattr) { unsafe tcsetattr(descriptor, TCSANOW, &wanted) }
    }
}

/// Throws away what was typed and not read. The corresponding C function is `tcflush`.
package func flushInput(of terminal: Int32) throws(KernelError) { try attempt(.ioctl) { tcflush(terminal, TCIFLUSH) } }

/// How many bytes a read would find. The corresponding C call is `ioctl(FIONREAD)`.
package func bytesToRead(_ descriptor: Int32) throws(KernelError) -> Int {
    var count: Int32 = 0
    try attempt(.ioctl) { unsafe linux_ioctl(descriptor, linux_FIONREAD, &count) }
    return Int(count)
}

/// Whether two descriptors are the same terminal, `/dev/tty` being the one that it stands for. The corresponding C call is
/// `ioctl(TIOCGDEV)`.
package func isSameTerminal(_ one: Int32, _ other: Int32) -> Bool {
    var (first, second) = (UInt32(0), UInt32(0))
    guard unsafe linux_ioctl(one, linux_TIOCGDEV, &first) == 0, unsafe linux_ioctl(other, linux_TIOCGDEV, &second) == 0
    else {
        return false
    }
    return first == second
}

/// Copies the window size of one terminal to another, ioctl_tty(2).
package func copyWindowSize(from source: Int32, to target: Int32) {
    var size = winsize()
    guard unsafe linux_ioctl(source, linux_TIOCGWINSZ, &size) == 0 else { return }
    unsafe linux_ioctl(target, linux_TIOCSWINSZ, &size)
}

/// Unlocks the slave of a pty master and opens it, without a path. The corresponding C call is `ioctl(TIOCGPTPEER)`.
package func openTerminalPeer(of master: Int32, _ mode: OpenMode = .readWrite) throws(KernelError) -> Descriptor {
    var lock: Int32 = 0
    try attempt(.ioctl) { unsafe linux_ioctl(master, linux_TIOCSPTLCK, &lock) }
    return Descriptor(
        owning: try attempt(.ioctl) {
            linux_ioctl_value(master, linux_TIOCGPTPEER, Int(mode.rawValue | O_NOCTTY | O_CLOEXEC))
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
