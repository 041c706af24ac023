import JailPlan
import Kernel
import LinuxFacts

/// Landlock rules on their way into the kernel.
struct Landlock {
    /// The ruleset while it is made; −1 before and after.
    fileprivate var ruleset: Int32 = -1
    /// Whether execution is closed but below these.
    fileprivate var closesExecution = false
    fileprivate var executable: [FileIdentity] = []
    fileprivate var handled = LandlockHandled()
    /// Whether a rule is for the root, or for a procfs: where the host's tree is the jail's, its procfs may be allowed.
    fileprivate(set) var allowsProc = false
}

extension Applier {
    mutating func createRuleset(_ handled: LandlockHandled, of plan: Plan) throws(Failure) {
        let files = handled.leavesMoves ? handled.files | .refer : handled.files
        landlock.ruleset = try failing { () throws(KernelError) in
            try makeRuleset(files: files.rawValue, network: handled.network, scopes: handled.scopes).release()
        }
        if handled.leavesMoves { try leaveMoves(in: landlock.ruleset, of: plan) }
        landlock.handled = handled
        landlock.closesExecution = handled.files.contains(.execute)
    }

    mutating func allow(_ path: String, _ access: FileAccess) throws(Failure) {
        let found = try failing { () throws(KernelError) in
            let file = try open(path, .path)
            let found = try status(of: file.number)
            // Rights that only directories have are EINVAL on anything else.
            let possible = found.isDirectory ? access : access & .ofFiles
            try Kernel.allow(possible.rawValue, beneath: file.number, in: landlock.ruleset)
            if try fileSystemMagic(of: file.number) == FileSystemMagic.proc { landlock.allowsProc = true }
            return found
        }
        if path == "/" { landlock.allowsProc = true }
        if access.contains(.execute) { landlock.executable.append(found.identity) }
    }

    mutating func allow(_ port: UInt16, _ use: PortUse) throws(Failure) {
        try failing { () throws(KernelError) in try Kernel.allow(use.rawValue, port: port, in: landlock.ruleset) }
    }

    mutating func enforceRuleset(of plan: Plan) throws(Failure) {
        try prepareForbidden(landlock.handled)
        try holdForEntries(landlock.ruleset, of: plan)
        try failing { () throws(KernelError) in try enforce(landlock.ruleset) }
        closeDescriptor(landlock.ruleset)
        landlock.ruleset = -1
    }

    /// Whether a rule lets that file be executed: one for it, or for a directory above it, links resolved as the kernel
    /// does. Opening by `O_PATH` is never refused by Landlock.
    func mayExecute(_ path: String) throws(KernelError) -> Bool {
        guard landlock.closesExecution else { return true }
        let root = try open("/", .path | .directory)
        var walk = Walk(root: root.number)
        guard try walk.descend(absolute(path)).isEmpty else { return false }
        for place in walk.places {
            let identity = try status(of: place).identity
            if landlock.executable.contains(where: { $0.device == identity.device && $0.inode == identity.inode }) {
                return true
            }
        }
        return false
    }

    private func absolute(_ path: String) throws(KernelError) -> String {
        path.utf8.first == UInt8(ascii: "/") ? path : try workingDirectory() + "/" + path
    }
}
