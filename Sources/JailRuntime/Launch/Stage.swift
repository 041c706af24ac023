import Kernel

/// How far a launch has come: one page for the launcher, the jail's first process and the command, in which whoever comes first
/// decides whether the command runs.
///
/// What can fail before the command is executed ends as a launch of which nothing ran, whoever it fails for: the launcher gives
/// the launch up in one step that the command's process must find not to have been taken. Nothing of the command's can write
/// here: exec leaves the page, and the reaper that keeps it can be neither read nor traced.
struct Stage {
    enum State: UInt32 {
        /// Nothing of the command has run.
        case preparing
        /// It is being executed: nobody but the kernel knows whether it runs.
        case executing
        /// It runs, or has run.
        case running
        /// Nothing of it will ever run.
        case abandoned
    }

    private enum Place {
        static let state = 0
        static let step = 1
        static let watched = 2
    }

    private let words: SharedWords

    init() throws(KernelError) { words = try SharedWords() }

    var state: State { State(rawValue: words[Place.state]) ?? .abandoned }

    /// The step that those inside have come to.
    var step: Int {
        get { Int(words[Place.step]) }
        nonmutating set { words[Place.step] = UInt32(truncatingIfNeeded: newValue) }
    }

    /// The launcher's: nothing of the command is to run. False where that is too late.
    func abandon() -> Bool { words.exchange(Place.state, State.preparing.rawValue, for: State.abandoned.rawValue) }

    /// The launcher's: the same of a command that is being executed, for which that takes too long.
    func abandonExecution() -> Bool {
        words.exchange(Place.state, State.executing.rawValue, for: State.abandoned.rawValue)
    }

    /// The command's, right before it is executed: false where the launch has been given up.
    func beginExecution() -> Bool {
        words.exchange(Place.state, State.preparing.rawValue, for: State.executing.rawValue)
    }

    /// The reaper's: the command has been executed. False where the launch has been given up.
    func noteRunning() -> Bool { words.exchange(Place.state, State.executing.rawValue, for: State.running.rawValue) }

    /// The launcher's: it watches from now on, and whatever could keep it from that has not.
    func noteWatched() {
        let hadToWait = !words.exchange(Place.watched, 0, for: 2)
        words[Place.watched] = 2
        if hadToWait { words.wake(Place.watched) }
    }

    /// The command's: waits until the launcher watches, which it mostly has for long. Its end ends the waiting process.
    func awaitWatcher() {
        guard words.exchange(Place.watched, 0, for: 1) || words[Place.watched] == 1 else { return }
        words.wait(Place.watched, while: 1)
    }
}
