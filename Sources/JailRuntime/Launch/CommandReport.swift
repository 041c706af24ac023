import Kernel

/// What the command's process leaves to the reaper in the memory that they share until it executes: once its filter holds
/// it may be unable to make any call at all.
@safe final class CommandReport {
    /// Why the command could not be executed.
    var failure: Failure?
    /// Where the filter's listener is; nil where none is wanted.
    let listener: ListenerSlot?
    /// Why there is none though it is wanted.
    var unheard: Errno?

    init(listens: Bool) { listener = listens ? ListenerSlot() : nil }
}
