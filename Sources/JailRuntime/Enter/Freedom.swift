import Kernel

/// What a process may do, as far as another can see it in procfs: two with the same are on one side of every jail.
struct Freedom: Equatable {
    private let lines: [String]
    private let users: String

    /// That of a process by its id, or of `self`; ESRCH where there is none.
    init(of process: String, in proc: HostProc) throws(KernelError) {
        let names = ["Uid:", "NSpid:", "NoNewPrivs:", "Seccomp:", "Seccomp_filters:"]
        var lines: [String] = []
        for line in try readText("\(process)/status", at: proc.descriptor).split(separator: "\n") {
            guard let name = names.first(where: { line.utf8.starts(with: $0.utf8) }) else { continue }
            // Of the ids in nested namespaces only how many there are: the process of a jail has one in the jail's.
            lines.append(name == "NSpid:" ? "\(line.split(separator: "\t").count)" : String(line))
        }
        self.lines = lines
        // As this process reads it: relative to its own user namespace, user_namespaces(7).
        users = try readText("\(process)/uid_map", at: proc.descriptor)
    }

    /// Whether that process is in the same user, pid and mount namespaces as this one: asked of procfs, which shows the links only
    /// to who may trace it: EACCES for a process in a user namespace below.
    static func sharesNamespaces(_ process: Int32, in proc: HostProc) throws(KernelError) -> Bool {
        for kind in ["user", "pid", "mnt"] {
            let own = try namespaceNumber("self/ns/\(kind)", at: proc.descriptor)
            if try namespaceNumber("\(process)/ns/\(kind)", at: proc.descriptor) != own { return false }
        }
        return true
    }
}

/// The fourth line of a pidfd's fdinfo: the id that the process has for the reader, −1 once it has been waited for, pidfd_open(2).
func processID(of pidfd: Int32, in proc: HostProc) throws(KernelError) -> Int32 {
    for line in try readText("self/fdinfo/\(pidfd)", at: proc.descriptor).split(separator: "\n") {
        guard line.utf8.starts(with: "Pid:".utf8) else { continue }
        return line.split(separator: "\t").last.flatMap { Int32($0) } ?? -1
    }
    return -1
}
