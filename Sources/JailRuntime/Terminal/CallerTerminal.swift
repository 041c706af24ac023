import JailPlan
import Kernel

/// The caller's terminal, as the launcher uses it: read and written by descriptors of its own that never wait, as whoever else
/// has the terminal may read what was there, or nobody what is written.
///
/// The caller's own descriptors share their flags with other processes, so O_NONBLOCK is never set on those. Where the terminal
/// cannot be opened anew (another user's, after su(1)) and is not the controlling one either, what is written goes through a process
/// that can be killed.
///
/// An object: each copy of who holds it would copy two modes, which are forty numbers each.
final class CallerTerminal {
    /// −1 where nothing is read.
    let input: Int32
    let output: Int32
    private let opensOutput: Bool
    /// What the mode was before it was changed, and what it was changed to.
    private var changed: (before: TerminalMode, to: TerminalMode)?

    /// `use` says whether it is read at all. `proc` is the host's.
    init(_ use: TerminalUse, in proc: HostProc?) {
        if case .log = use {
            (input, output, opensOutput) = (-1, 1, false)
            return
        }
        let written: Int32 = isTerminal(1) ? 1 : isTerminal(2) ? 2 : 0
        let output = Self.reopen(written, .write, in: proc)
        self.output = output ?? written
        opensOutput = output != nil
        switch use {
        case .whole, .lines: input = Self.reopen(0, .readWrite, in: proc) ?? 0
        case .keys: input = Self.controlling(written) ?? -1
        case .output, .log: input = -1
        }
    }

    /// What the launcher keeps open for it.
    var descriptors: [Int32] { [input, output] }

    private static func reopen(_ number: Int32, _ mode: OpenMode, in proc: HostProc?) -> Int32? {
        let how = mode | .noTerminal | .nonBlocking
        do throws(KernelError) {
            guard let proc else { return nil }
            return try open("self/fd/\(number)", at: proc.descriptor, how).release()
        } catch {
            return controlling(number, mode)
        }
    }

    /// The controlling terminal, where that is the one behind `number`.
    private static func controlling(_ number: Int32, _ mode: OpenMode = .readWrite) -> Int32? {
        do throws(KernelError) {
            let terminal = try open("/dev/tty", mode | .noTerminal | .nonBlocking)
            return isSameTerminal(terminal.number, number) ? terminal.release() : nil
        } catch {
            return nil
        }
    }

    /// What has been typed; nil where nothing is there (any more), empty at its end.
    func read() throws(KernelError) -> [UInt8]? { try readSome(input) }

    /// Writes what is taken at once, and returns how much that was.
    func write(_ bytes: ArraySlice<UInt8>) throws(KernelError) -> Int {
        if opensOutput { return try writeSome(output, bytes) }
        let part = Array(bytes.prefix(256))
        try writeAll(output, part, within: 100)
        return part.count
    }

    /// Whether the launcher is in the foreground: a background job that touched the terminal would take it from whoever is there.
    /// A terminal that is not the controlling one knows no background.
    var isForeground: Bool {
        input >= 0 && (foregroundGroup(of: input) ?? currentProcessGroup()) == currentProcessGroup()
    }

    /// Whether keys come as they are typed, by this launch's doing.
    var isRaw: Bool { changed != nil }

    /// Whether the mode is still what this launch has made it: what somebody else has changed since is theirs.
    var isAsMade: Bool {
        guard let changed else { return false }
        do throws(KernelError) {
            return try TerminalMode(of: input).isSame(as: changed.to)
        } catch {
            return false
        }
    }

    /// Whether lines are edited and shown there, and nobody has asked for keys or a password.
    var isForLines: Bool {
        do throws(KernelError) {
            return try TerminalMode(of: input).isForLines
        } catch {
            return false
        }
    }

    /// Whether `\n` is written as `\r\n` now.
    var returnsCarriage: Bool {
        do throws(KernelError) {
            return try TerminalMode(of: output).returnsCarriage
        } catch {
            return false
        }
    }

    /// Has keys passed on as they are typed, where the launcher is in the foreground.
    func makeRaw() {
        guard changed == nil, isForeground else { return }
        do throws(KernelError) {
            let before = try TerminalMode(of: input)
            try before.raw.apply(to: input)
            changed = (before, before.raw)
        } catch {
            return  // the terminal is gone; there is nothing to carry
        }
    }

    /// As `makeRaw`, or once more; with `keepsLines` what others write there is shown as before.
    func takeKeys(keepsLines: Bool) {
        guard changed == nil || isAsMade, isForeground else { return }
        do throws(KernelError) {
            let now = try TerminalMode(of: input)
            let before = changed?.before ?? now
            let wanted = keepsLines ? before.raw.writing(as: before) : before.raw
            if !wanted.isSame(as: now) { try wanted.apply(to: input) }
            changed = (before, wanted)
        } catch {
            return  // as above
        }
    }

    /// Gives the terminal back as it was: not where somebody else has changed it since, whose mode it is then.
    func restore() {
        guard let (before, to) = changed else { return }
        changed = nil
        do throws(KernelError) {
            guard try TerminalMode(of: input).isSame(as: to) else { return }
            try before.apply(to: input)
        } catch {
            return  // hung up: no mode is left to restore
        }
    }
}
