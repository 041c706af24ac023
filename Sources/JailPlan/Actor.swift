/// Who carries out a step of a plan.
package enum Actor: String, Equatable, Sendable {
    /// The process that was started by the caller. In a direct launch it becomes the command.
    case launcher
    /// A process outside of the jail, while those inside wait for it: the launcher, or in a direct launch a child that was
    /// forked before.
    case outside
    /// The first process in the new namespaces. Without an init it becomes the command.
    case firstProcess = "first process"
    /// The command's own process, until it is executed.
    case command
}
