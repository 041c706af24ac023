package import SpecFile
import SystemCallFilter

extension Plan {
    /// Has the launcher asked about every call that names a file or an address and every call that the filter refuses, so that it
    /// can say at the end what the jail kept from the command. Throws where it has no way to be asked.
    package mutating func watch() throws(Diagnostic) {
        guard let filter else {
            throw Diagnostic("--why: without a filter of system calls nothing is asked about", at: filterOrigin)
        }
        guard case .supervised = shape else {
            throw Diagnostic("--why: a jail without namespaces of its own has no launcher to hear of calls", at: nil)
        }
        guard supervision.hasInit || filter.leavesAlone("sendmsg") else {
            throw Diagnostic(
                "--why: without an init the command would have to call sendmsg(2), which is refused", at: nil)
        }
        (isWatched, listens) = (true, true)
    }
}
