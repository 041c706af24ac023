import JailPlan
import Kernel

/// Carries bytes between the caller's terminal and what stands for it in the jail: a pty, or a pipe for what is written.
///
/// As if the jail were not there: nothing of the terminal is changed or read until somebody in the jail wants it. The command
/// begins in the background of its own terminal, so that the kernel stops it by SIGTTIN or SIGTTOU when it reads or sets a mode
/// there (tty_ioctl(4), n_tty_read): that is the demand. Until then lines typed ahead stay where they are, Ctrl-C and Ctrl-Z are
/// the terminal's own, and two launches on one terminal do not meet. Who waits by poll(2) reads nothing: when something has
/// been typed, an end of input in the jail's terminal wakes him, his read is the demand, and that end is thrown away again.
final class TerminalRelay {
    /// The master of the jail's terminal, or the pipe that it writes to.
    let source: Int32
    private let isPty: Bool
    let use: TerminalUse
    let caller: CallerTerminal
    /// Whether what is typed is for the jail.
    private(set) var isDemanded: Bool
    private var hasBaited = false
    private(set) var inputIsOpen: Bool
    private var sourceIsOpen = true
    var toJail: [UInt8] = []
    private(set) var toCaller: [UInt8] = []
    private var lineEnds = LineEnds()
    /// Where others are at the caller's terminal as well.
    var shared = SharedKeys()
    /// SIGINT or SIGQUIT, where such a key was carried last.
    private(set) var typed: Int32?

    /// `source` is a pty's master or a pipe; `waits` says whether the command can be in the background of it at first.
    init(_ source: Int32, isPty: Bool, use: TerminalUse, caller: CallerTerminal, waits: Bool, isConsole: Bool) {
        (self.source, self.isPty, self.use, self.caller) = (source, isPty, use, caller)
        inputIsOpen = use.isRead && caller.input >= 0
        isDemanded = !waits
        if isConsole { keepOpen() }
        resume()
    }

    /// An init opens its console for each line and closes it again: a master of which no slave is open reads nothing more, pty(7). This
    /// process holds one for as long as it lives.
    private func keepOpen() {
        do throws(KernelError) {
            _ = try openTerminalPeer(of: source).release()
        } catch {
            return  // the jail is gone, and nothing is left to be read
        }
    }

    /// Whether somebody sits at the terminal who can have the command go on.
    var isAttended: Bool { use.isRead && (use != .keys || isDemanded) }

    /// Whether the command stopped since it wants the terminal, and may have it.
    var awaitsDemand: Bool { use.isRead && !isDemanded }

    /// What is typed is for the jail from now on: a signal of its terminal has said that it wants it.
    func demand(by signal: Int32) {
        isDemanded = true
        if use == .keys {
            shared.noteDemand(by: signal)
            return resume()
        }
        do throws(KernelError) {
            let slave = try openTerminalPeer(of: source)
            try flushInput(of: slave.number)
            // The caller's terminal echoes lines itself.
            if use == .lines { try TerminalMode(of: slave.number).silent.apply(to: slave.number) }
        } catch {
            sourceIsOpen = false  // nobody is left who could read
        }
        resume()
    }

    /// The input ends: nobody may read for the jail.
    func endInput() { bait() }

    /// Takes the caller's terminal over, where it is wanted.
    func resume() {
        resize()
        if use == .keys { return resumeKeys() }
        guard isDemanded, use == .whole, !caller.isRaw, caller.isForeground else { return }
        takeAhead()
        caller.makeRaw()
    }

    /// The caller's terminal has hung up, and so does the jail's, where somebody has wanted it: a master that is closed sends SIGHUP
    /// and ends the input, pty(7). The number stays taken.
    private func hangUp() throws(KernelError) {
        (inputIsOpen, sourceIsOpen, toJail) = (false, false, [])
        if isPty { try duplicate(try makeMemoryFile("hung up", []).number, onto: source) }
    }

    /// Passes on the lines that were typed before the terminal's mode changes, which would make a zero byte of the end of input
    /// among them. They have been echoed when they were typed.
    private func takeAhead() {
        do throws(KernelError) {
            var lines: [UInt8] = []
            while lines.count < 4096, let line = try caller.read() { lines += line.isEmpty ? [endOfFile] : line }
            guard !lines.isEmpty else { return }
            let slave = try openTerminalPeer(of: source)
            let mode = try TerminalMode(of: slave.number)
            try mode.silent.apply(to: slave.number)
            lines.removeFirst(try writeSome(source, lines[...]))
            // The kernel takes in what was written a little later.
            var watches = [Watch(slave.number)]
            try poll(&watches, milliseconds: 50)
            try mode.apply(to: slave.number)
            toJail += lines
        } catch {
            return  // one of the two terminals is gone
        }
    }

    /// Gives the caller's terminal back.
    func restore() { caller.restore() }

    func resize() {
        if isPty, use != .log { copyWindowSize(from: caller.input < 0 ? caller.output : caller.input, to: source) }
    }

    /// Whether keys are the jail's now: in lines always, else where the mode says so.
    private var readsInput: Bool {
        guard inputIsOpen, toJail.isEmpty else { return false }
        if use == .keys { return hearsKeys }
        return isDemanded ? use == .lines ? caller.isForeground : caller.isRaw : !hasBaited
    }

    /// What to wait for: the caller's input, the jail's output, and room where something is held back.
    var watches: [Watch] {
        var interest: Readiness = []
        if toCaller.isEmpty { interest.insert(.readable) }
        if !toJail.isEmpty { interest.insert(.writable) }
        // A hang-up is told whatever is asked for; where nobody wants the terminal it would be told again and again.
        let minds = isDemanded && inputIsOpen
        return [
            readsInput ? Watch(caller.input) : Watch(minds ? caller.input : -1, for: []),
            // Without interest a hang-up would be told again and again.
            Watch(sourceIsOpen && (toCaller.isEmpty || !toJail.isEmpty) ? source : -1, for: interest),
            Watch(toCaller.isEmpty ? -1 : caller.output, for: .writable),
        ]
    }

    /// How long there is something to wait for besides, in milliseconds.
    var milliseconds: Int32? {
        let own = lineEnds.milliseconds(monotonicNanoseconds())
        return sharesKeys ? min(own ?? SharedKeys.interval, SharedKeys.interval) : own
    }

    func carry(_ ready: ArraySlice<Watch>) throws(KernelError) {
        let (input, jail) = (ready[ready.startIndex], ready[ready.startIndex + 1])
        // What comes is written in the mode that is set by now.
        if sharesKeys { followMode() }
        if input.hasHungUp, isDemanded { try hangUp() }
        if input.isReadable, inputIsOpen { takeInput() }
        if input.hasHungUp, !input.isReadable { inputIsOpen = false }
        if toCaller.isEmpty, jail.isReadable || jail.hasHungUp { fill() }
        toCaller += lineEnds.release(monotonicNanoseconds())
        if !toJail.isEmpty, sourceIsOpen { feed() }
        flush()
        if sharesKeys { lookAround() }
    }

    func takeInput() {
        guard isDemanded else {
            hasBaited = true
            return bait()
        }
        do throws(KernelError) {
            // Somebody may have asked for a password since that was waited for.
            if use == .keys, !mayReadKeys { return }
            guard let bytes = try caller.read() else { return }  // a rival has read it
            shared.noteTaken()
            if use == .keys, !caller.isRaw { return pass(bytes) }
            if use != .lines, bytes.isEmpty { inputIsOpen = false }
            if use == .lines, bytes.isEmpty { toJail.append(endOfFile) }
            toJail += bytes
            for byte in bytes { typed = byte == 0x03 ? Signal.interrupt : byte == 0x1C ? Signal.quit : nil }
        } catch {
            inputIsOpen = false  // hung up
        }
    }

    /// Wakes whoever waits for input without reading it.
    private func bait() {
        do throws(KernelError) {
            _ = try writeSome(source, [endOfFile])
        } catch {
            return  // nobody is left who could wait
        }
    }

    var endOfFile: UInt8 {
        do throws(KernelError) {
            return try TerminalMode(of: source).endOfFile
        } catch {
            return 4
        }
    }

    private func feed() {
        do throws(KernelError) {
            toJail.removeFirst(try writeSome(source, toJail[...]))
        } catch {
            toJail = []
        }
    }

    /// A read from the master fails with EIO when the last slave is closed, pty(7); one from a pipe finds its end.
    func fill() { show(readJail()) }

    /// Reads what the jail's terminal has shown, and of that leaves out `echo`, which is among it and which the caller's has shown already.
    func fill(without echo: [UInt8]) throws(KernelError) {
        var bytes: [UInt8] = []
        // It comes in pieces, and behind what a program writes at the same time.
        while sourceIsOpen, bytes.count < 1 << 16, try look(at: source).isReadable {
            bytes += readJail()
            guard let start = bytes.indices.first(where: { bytes[$0...].starts(with: echo) }) else { continue }
            bytes.removeSubrange(start..<start + echo.count)
            break
        }
        show(bytes)
    }

    private func readJail() -> [UInt8] {
        var bytes: [UInt8] = []
        do throws(KernelError) {
            bytes = try readSome(source) ?? []
            if bytes.isEmpty { sourceIsOpen = false }
        } catch {
            sourceIsOpen = false
        }
        return bytes
    }

    private func show(_ bytes: [UInt8]) {
        // What the jail's terminal has put before each line feed, the caller's puts there itself.
        let undone = isPty && (!caller.isRaw || use == .keys) && (use == .log || caller.returnsCarriage)
        toCaller += lineEnds.take(bytes, undone: undone, monotonicNanoseconds())
    }

    private func flush() {
        guard !toCaller.isEmpty else { return }
        do throws(KernelError) {
            toCaller.removeFirst(try caller.write(toCaller[...]))
        } catch {
            // Nobody sees the terminal any more; or it is opened by others only, and takes nothing now.
            if error.errno != .timedOut { toCaller = [] }
        }
    }

    /// Writes out what the jail wrote before it ended, as long as it is taken: `milliseconds` at most without any of it being, and
    /// until one of the signals that end a launch comes.
    func drain(noticing signals: SignalQueue, within milliseconds: Int32) {
        while true {
            do throws(KernelError) {
                if toCaller.isEmpty {
                    if sourceIsOpen, try look(at: source).isReady {
                        fill()
                    } else {
                        toCaller = lineEnds.release()
                        if toCaller.isEmpty { return }
                    }
                }
                flush()
                guard !toCaller.isEmpty else { continue }
                var watches = [Watch(caller.output, for: .writable), Watch(signals.descriptor)]
                try poll(&watches, milliseconds: milliseconds)
                guard watches[0].isReady, try signals.ending() == nil else { return }
            } catch {
                return
            }
        }
    }
}
