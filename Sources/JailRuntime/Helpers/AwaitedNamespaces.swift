import Kernel

/// Namespaces that are not there yet when a helper starts, and the channel by which they come.
struct AwaitedNamespaces {
    let channel: Int32
    /// In the order in which they are entered.
    let kinds: [NamespaceFlags]

    /// In the helper, which ends where nobody is left to send them.
    func enter() throws(KernelError) {
        for kind in kinds {
            guard let namespace = try receive(from: channel, limit: 1)?.descriptor else { exitNow(125) }
            try join(namespace, kind)
            closeDescriptor(namespace)
        }
        closeDescriptor(channel)
    }

    /// By whoever has them; one that has ended is heard by its end.
    static func send(_ namespaces: [Int32], over channel: Int32) throws(KernelError) {
        do throws(KernelError) {
            for namespace in namespaces { try Kernel.send([0], over: channel, passing: namespace) }
        } catch {
            guard error.errno.meansPeerGone else { throw error }
        }
    }
}
