import Kernel

/// Carries bytes between the caller's terminal, in raw mode, and the master of the jail's terminal.
struct TerminalRelay {
    private let master: Int32
    private var mode: TerminalMode?
    private var isRaw = false
    private var inputIsOpen = true
    private var toJail: [UInt8] = []
    private var toCaller: [UInt8] = []
    private var masterIsOpen = true

    init(master: Int32) {
        self.master = master
        resume()
    }

    /// Takes the caller's terminal over, where the launcher is in its foreground: a background job that touched it would
    /// take it from whoever is there.
    mutating func resume() {
        resize()
        guard !isRaw, foregroundGroup(of: 0) == currentProcessGroup() else { return }
        do throws(KernelError) {
            let before = try TerminalMode(of: 0)
            try before.raw.apply(to: 0)
            mode = before
            isRaw = true
        } catch {
            isRaw = false  // the terminal is gone; there is nothing to carry
        }
    }

    /// Gives the caller's terminal back as it was.
    mutating func restore() {
        guard isRaw, let mode else { return }
        isRaw = false
        do throws(KernelError) {
            try mode.apply(to: 0)
        } catch {
            return  // hung up: no mode is left to restore
        }
    }

    func resize() { copyWindowSize(from: 0, to: master) }

    /// What to wait for: the caller's input, the jail's output, and room where something is held back.
    var watches: [Watch] {
        var masterInterest: Readiness = []
        if toCaller.isEmpty { masterInterest.insert(.readable) }
        if !toJail.isEmpty { masterInterest.insert(.writable) }
        return [
            Watch(inputIsOpen && isRaw && toJail.isEmpty ? 0 : -1),
            Watch(masterIsOpen ? master : -1, for: masterInterest),
            Watch(toCaller.isEmpty ? -1 : 1, for: .writable),
        ]
    }

    mutating func carry(_ ready: ArraySlice<Watch>) throws(KernelError) {
        let (input, jail) = (ready[ready.startIndex], ready[ready.startIndex + 1])
        if input.isReady {
            if let bytes = try readSome(0), !bytes.isEmpty { toJail += bytes } else { inputIsOpen = false }
        }
        if jail.isReadable || jail.hasHungUp { fill() }
        if !toJail.isEmpty, masterIsOpen { toJail.removeFirst(try writeSome(master, toJail[...])) }
        flush()
    }

    /// A read from the master fails with EIO when the last slave is closed, pty(7).
    private mutating func fill() {
        do throws(KernelError) {
            toCaller += try readSome(master) ?? []
        } catch {
            masterIsOpen = false
        }
    }

    private mutating func flush() {
        guard !toCaller.isEmpty else { return }
        do throws(KernelError) {
            toCaller.removeFirst(try writeSome(outputTerminal, toCaller[...]))
        } catch {
            toCaller = []  // nobody sees the terminal any more
        }
    }

    /// The caller's terminal is standard input, the one descriptor known to be it.
    private var outputTerminal: Int32 { isTerminal(1) ? 1 : isTerminal(2) ? 2 : 0 }

    /// Writes out what the jail wrote before it ended.
    mutating func drain() {
        while masterIsOpen {
            do throws(KernelError) {
                guard try look(at: master).isReadable else { break }
            } catch {
                break
            }
            fill()
            while !toCaller.isEmpty { flush() }
        }
        while !toCaller.isEmpty { flush() }
    }
}
