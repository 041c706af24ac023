import JailPlan
import JailSpec
import Kernel

/// A network of the jail's own, with loopback and nothing else: made beside the steps that do not need it, and entered before
/// the first that does.
extension Applier {
    /// A network of the jail's own begins, where this process was not born into one.
    mutating func beginNetwork() throws(Failure) {
        network = .start()
    }

    /// Before anything is done that would be done to the host's network otherwise.
    mutating func enterNetwork(_ plan: Plan) throws(Failure) {
        let maker = network
        try failing { () throws(KernelError) in try maker?.enter() }
        network = nil
        if isVerified { try checkNumbers(of: compared([.net], plan), plan) }
    }

    mutating func bringUpLoopback() throws(Failure) { witness.interfaces = try failing(Kernel.bringUpLoopback) }

    mutating func checkInterfaces() throws(Failure) {
        let found = witness.interfaces
        try hold(
            found.loopbackIsUp && found.other.isEmpty, "interfaces", "lo is up, no other has an address",
            "lo is \(found.loopbackIsUp ? "up" : "down"), "
                + (found.other.isEmpty ? "no other has an address" : "\(found.other) has an address"))
    }
}
