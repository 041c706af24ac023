import Kernel
package import SpecFile

/// The caller's standard input, for a command that is run more than once: each run begins where it stood before the first, and the
/// caller goes on where the first has left it.
package struct RepeatedInput: Sendable {
    private enum Kind {
        /// It is read from that offset on.
        case file(from: Int)
        /// It has no offset, as /dev/null, or cannot be read at all.
        case same
        /// What was typed is there once: a later run has an empty input.
        case terminal
        /// What a run has read is gone.
        case once
    }

    private let kind: Kind

    /// To be made before the first run.
    package init() {
        if Kernel.isTerminal(0) {
            kind = .terminal
            return
        }
        do throws(KernelError) {
            let found = try status(of: 0)
            if found.isRegular {
                kind = .file(from: try offset(of: 0))
            } else {
                kind = found.isCharacterDevice ? .same : .once
            }
        } catch {
            kind = error.errno.name == "EBADF" ? .same : .once
        }
    }

    package var isTerminal: Bool { if case .terminal = kind { true } else { false } }

    /// Whether there can be a second run.
    package var isThereAgain: Bool { if case .once = kind { false } else { true } }

    /// Does `run` with the descriptor that a later run is to read, nil for an empty input.
    package func again<Result>(_ run: (Int32?) throws(Diagnostic) -> Result) throws(Diagnostic) -> Result {
        switch kind {
        case .same: return try run(0)
        case .terminal, .once: return try run(nil)
        case .file(let start):
            if let own = Self.opened(from: start) { return try run(own.number) }
            return try Self.lend(from: start, run)
        }
    }

    /// The file once more: whoever inherits a descriptor shares its offset, lseek(2), so that the caller's own must not be given away.
    /// nil for a file that the caller holds open and may not open, or without procfs.
    private static func opened(from start: Int) -> Descriptor? {
        guard let mode = AccessMode(of: 0) else { return nil }
        let access: OpenMode = !mode.writes ? .read : mode.reads ? .readWrite : .write
        do throws(KernelError) {
            let own = try open("/proc/self/fd/0", mode.appends ? access | .append : access)
            guard try status(of: own.number).isSame(as: status(of: 0)) else { return nil }
            try setOffset(of: own.number, start)
            return own
        } catch {
            return nil
        }
    }

    /// The caller's own descriptor, which is put back afterwards.
    private static func lend<Result>(
        from start: Int, _ run: (Int32?) throws(Diagnostic) -> Result
    ) throws(Diagnostic) -> Result {
        let left: Int
        do throws(KernelError) {
            left = try offset(of: 0)
        } catch {
            throw worded(error)
        }
        try put(at: start)
        let result: Result
        do throws(Diagnostic) {
            result = try run(0)
        } catch {
            try put(at: left)
            throw error
        }
        try put(at: left)
        return result
    }

    private static func put(at place: Int) throws(Diagnostic) {
        do throws(KernelError) {
            try setOffset(of: 0, place)
        } catch {
            throw worded(error)
        }
    }

    private static func worded(_ error: KernelError) -> Diagnostic {
        Diagnostic(
            "cannot read standard input again: \(error.call.name): \(error.errno.name) \(error.errno.words)", at: nil)
    }
}
