import JailPlan
import JailSpec
import Kernel

extension Applier {
    /// In the jail's first process, while it still may do everything with its network.
    mutating func awaitNetwork(_ provision: NetworkProvision) throws(Failure) {
        let message = try failing { () throws(KernelError) in try receive(from: channel, limit: Message.limit) }
        guard let message, case .done(step)? = Message(message.bytes) else { throw Failure(.outsideGone) }
        if provision.names != nil { _ = try failing(Kernel.bringUpLoopback) }
        try failing { () throws(KernelError) in
            try awaitDefaultRoutes(four: provision.leadsOut.four, six: provision.leadsOut.six)
        }
    }

    /// The rules hold where the kernel refuses what they refuse: what it says of them is not asked.
    mutating func checkNetwork(_ provision: NetworkProvision) throws(Failure) {
        if provision.names != nil { try checkResolver() }
        if let link = provision.link { try checkLink(link) }
        for isIPv6 in [false, true] where isIPv6 ? provision.leadsOut.six : provision.leadsOut.four {
            guard let (address, port) = provision.rules.refused(isIPv6: isIPv6) else { continue }
            let found = try failing { () throws(KernelError) in
                try refusal(of: address.bytes, port: port, milliseconds: 2000)
            }
            try hold(
                found == .connectionRefused, "connection to \(address) port \(port)", "ECONNREFUSED",
                found?.name ?? "connected")
        }
    }
}
