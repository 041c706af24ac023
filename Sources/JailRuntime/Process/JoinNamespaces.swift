import JailPlan
import JailSpec
import Kernel

extension Applier {
    /// Opens every namespace before the first is joined: a path may mean another file afterwards.
    mutating func join(_ joined: [JoinedNamespace], of plan: Plan) throws(Failure) {
        let found = FoundNamespaces()
        try doBeside(plan) { (applier: inout Applier) throws(Failure) in
            for namespace in joined { found.files.append(try applier.openNamespace(namespace.path, of: plan)) }
        }
        let opened = found.files
        try failing { () throws(KernelError) in
            for (namespace, descriptor) in zip(joined, opened) {
                witness.joined.append((namespace.kind.index, try status(of: descriptor).identity.inode))
                do throws(KernelError) {
                    try Kernel.join(descriptor, NamespaceFlags([namespace.kind]))
                } catch {
                    throw KernelError(error.call, error.errno, path: namespace.path)
                }
                closeDescriptor(descriptor)
            }
        }
    }

    /// A namespace behind a path, by links that are followed for a source as well. What is none is not opened, which may do something
    /// (a device), nor given to setns(2), which takes a process for its namespaces (pidfd_open(2)).
    private mutating func openNamespace(_ path: String, of plan: Plan) throws(Failure) -> Int32 {
        let proc = try proc().descriptor
        let place = try reach(path, of: plan).release()
        defer { closeDescriptor(place) }
        let magic = try failing { () throws(KernelError) in try fileSystemMagic(of: place) }
        guard magic == FileSystemMagic.namespaces else {
            throw Failure(telling: "\(path) is no namespace: a file such as /proc/PID/ns/net is one", hint: nil)
        }
        return try failing { () throws(KernelError) in try open("self/fd/\(place)", at: proc, .read).release() }
    }
}

/// What was opened beside the launcher.
private final class FoundNamespaces {
    var files: [Int32] = []
}
