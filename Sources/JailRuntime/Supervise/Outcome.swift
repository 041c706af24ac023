import JailPlan
package import Kernel
import SpecFile

/// How a launch went.
package struct Outcome: Sendable {
    package enum Ending: Sendable {
        /// The command ran and ended by itself, or by somebody's signal.
        case ended(Termination)
        /// `timeout` ended it.
        case timedOut(Termination)
        /// A step of the plan failed: nothing of the command ran.
        case failed(Failure)
        /// The command may have run, and the jail was killed: those who watch over it could not go on.
        case lost(Failure)
    }

    package var ending: Ending
    package var use = ResourceUse()
    package var wallNanoseconds = 0
    /// What the jail's cgroup counted, where it had one.
    package var tally: Tally?
    /// The name of a cgroup that could not be removed.
    package var leftCgroup: String?
    /// What the rules of the jail's network refused; nil where they could not be asked.
    package var refusedConnections: [RefusedConnection]? = []
    /// The servers that the jail's names were asked of.
    package var askedServers: [AskedServer] = []
    /// What was asked for by default and could not be had.
    var notes: [Diagnostic] = []
    /// Steps whose optional source was missing.
    package var skipped: [Int] = []
    /// The uppers of overlays that are to be looked at, each with its step.
    package var overlays: [(step: Int, upper: Int32)] = []
    /// What was full as the command ended.
    package var full: [FullRoom] = []
    /// The call that the filter ended the command for.
    package var refused: RefusedCall?
    /// The calls that the filter logged.
    package var logged: [RefusedCall] = []
    /// What the jail kept from the command, where that was watched, in the order of the calls.
    package var denials: [Denial] = []
    /// Why the launcher did not hear of what the filter killed and logged, where it wanted to.
    package var unheard: Errno?

    /// Whether a signal that ended the command is to end immure, too.
    package var endsAsTheCommand = false
    /// The signal of a terminal that ended the command, and whether the launcher's process group has not had it.
    var typed: Int32?
    var tellsGroup = false

    /// The signal that immure ends by itself, so that whoever has started it sees an end by a signal, as of timeout(1): the one
    /// that ended the launch before the command ran, or was typed and ended the command, and that of the command where the
    /// spec says so. A loop of a shell ends by it.
    package var signal: Int32? {
        switch ending {
        case .failed(let failure):
            if case .interrupted = failure.cause { return failure.errno.rawValue }
            return nil
        case .ended(.signaled(let signal)) where endsAsTheCommand: return signal
        case .ended: return typed
        case .timedOut, .lost: return nil
        }
    }

    /// The status that immure leaves with, and what a shell makes of an end by `signal`: the command's own, 124, 125, 126, 127 or
    /// 128 + n.
    package var status: Int32 {
        if let signal { return 128 + signal }
        return switch ending {
        case .ended(let end): end.shellStatus
        case .timedOut: 124
        case .failed(let failure): failure.status
        case .lost: Self.lostStatus
        }
    }

    /// That of an end by SIGKILL. Never 125: nothing that the command does to who watches over it may pass for a launch of
    /// which nothing ran.
    static let lostStatus = 128 + Signal.kill
}

extension Failure {
    /// 127 where the command was not found, 126 where it was found and could not be executed, 125 for all else.
    package var status: Int32 {
        switch cause {
        case .commandNotFound: 127
        case .interpreterMissing, .loaderMissing, .mountedNoexec, .notExecutable, .isDirectory,
            .outsideLandlock:
            126
        case .kernel: call == .execve ? 126 : 125
        default: 125
        }
    }
}
