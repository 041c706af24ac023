/// When what an operation came to is read back from the kernel, by another call than the one that did it.
package enum Verification: Equatable, Sendable {
    /// As soon as it is done.
    case atOnce
    /// With all mounts, once the tree is complete.
    case withTheTree
    /// With the status of the process that is about to be the command, /proc/PID/status.
    case withTheProcess
    /// By what it is good for: if it had not been done, a later step would fail. The words say which.
    case byWhatFollows(String)
    /// Not at all, for this reason.
    case never(String)

    /// In a few words, as `immure plan --json` has it.
    package var words: String {
        switch self {
        case .atOnce: "at once"
        case .withTheTree: "with the tree"
        case .withTheProcess: "with the process"
        case .byWhatFollows(let what): "by what follows: \(what)"
        case .never(let why): "never: \(why)"
        }
    }
}
