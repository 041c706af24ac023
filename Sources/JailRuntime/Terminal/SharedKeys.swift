import JailPlan
import Kernel

/// What is typed where the jail's standard input is no terminal: others of the pipeline are at the same one, and may read it, too.
///
/// The jail has it while it asks. Once it has: keys, as long as its own terminal is in a mode for keys (a pager, an editor, a
/// password); else lines, one at a time. Of neither is the master told, and both are looked at now and then. Nothing is read in the
/// background, nor while the caller's terminal is in a mode that somebody else has set, who asks for keys or a password there.
struct SharedKeys {
    /// How often that is looked at, in milliseconds.
    static let interval: Int32 = 50
    /// How long setting a mode may take once the command may do so, and how long a line is left to others, in nanoseconds.
    private static let patience = 250_000_000

    /// Whether the command is known to wait for a line.
    private(set) var isLineAsked = false
    private var setsMode = false
    private var settled = 0
    /// Since when there is a line that nobody has read.
    private var lineSince: Int?

    mutating func noteDemand(by signal: Int32) {
        setsMode = signal == Signal.terminalOutput
        isLineAsked = !setsMode
    }

    /// The command goes on, and sets the mode by which it has asked.
    mutating func noteResumed() { if setsMode { settled = monotonicNanoseconds() + Self.patience } }

    mutating func noteTaken() { (isLineAsked, lineSince) = (false, nil) }

    var isSettling: Bool { monotonicNanoseconds() < settled }

    /// Whether nobody else seems to want a line that is there, or is not.
    mutating func isLeft(_ isThere: Bool) -> Bool {
        guard isThere else {
            lineSince = nil
            return false
        }
        let now = monotonicNanoseconds()
        lineSince = lineSince ?? now
        return now - (lineSince ?? now) >= Self.patience
    }
}

extension TerminalRelay {
    var sharesKeys: Bool { use == .keys && isDemanded && inputIsOpen }

    func resumeKeys() {
        guard sharesKeys else { return }
        // From the first moment: what is typed now is not to be shown.
        shared.noteResumed()
        followMode()
    }

    func lookAround() {
        followMode()
        guard !caller.isRaw, toJail.isEmpty else { return }
        do throws(KernelError) {
            if shared.isLeft(try look(at: caller.input).isReadable) { takeInput() }
        } catch {
            return  // hung up, which is told elsewhere
        }
    }

    /// Takes keys over, or gives them back.
    func followMode() {
        do throws(KernelError) {
            let mode = try TerminalMode(of: source)
            let wantsKeys = !mode.isForLines || shared.isSettling
            if wantsKeys, caller.isRaw || caller.isForLines { caller.takeKeys(keepsLines: mode.returnsCarriage) }
            if !wantsKeys, caller.isAsMade { caller.restore() }
        } catch {
            return  // the jail is gone
        }
    }

    /// Whether what is typed is to be read as it comes.
    var hearsKeys: Bool { (caller.isRaw || shared.isLineAsked) && mayReadKeys }

    /// Whether keys, or a line, may be the jail's now.
    var mayReadKeys: Bool {
        guard sharesKeys, caller.isForeground else { return false }
        return caller.isRaw ? caller.isAsMade && hasSettled : caller.isForLines && hasReadAll
    }

    /// Whether the mode is set: before that a password would be shown, and what stops the command be taken back by what continues it.
    private var hasSettled: Bool {
        do throws(KernelError) {
            guard shared.isSettling else { return true }
            return try !TerminalMode(of: source).isForLines
        } catch {
            return false
        }
    }

    /// Whether no line is left to be read in the jail.
    private var hasReadAll: Bool {
        do throws(KernelError) {
            let slave = try openTerminalPeer(of: source)
            return try bytesToRead(slave.number) == 0
        } catch {
            return false
        }
    }

    /// Passes on a line, which the caller's terminal has shown already; an empty one is the end of input.
    func pass(_ line: [UInt8]) {
        do throws(KernelError) {
            // Whatever comes next is its echo.
            while toCaller.count < 1 << 16, try look(at: source).isReadable { fill() }
            let mode = try TerminalMode(of: source)
            let slave = try openTerminalPeer(of: source)
            let bytes = line.isEmpty ? [endOfFile] : line
            toJail = Array(bytes.dropFirst(try writeSome(source, bytes[...])))
            // To look has the kernel take in what was written (n_tty.c, n_tty_poll), or finds the line there already, which is before
            // its echo is; to count what can be read waits for that (n_tty_ioctl, by the lock of n_tty_receive_buf_common).
            _ = try look(at: slave.number)
            _ = try bytesToRead(slave.number)
            if !line.isEmpty, mode.isForLines { try fill(without: mode.echo(of: line)) }
        } catch {
            return  // nobody is left who could read
        }
    }
}
