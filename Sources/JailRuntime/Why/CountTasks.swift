import Kernel

/// What RLIMIT_NPROC counts.
extension ThreadState {
    /// How many tasks the thread's user has in its user namespace; 0 where the limit binds nobody, as root of the host.
    func tasksOfUser() throws(KernelError) -> UInt64 {
        let users = try readLink("\(number)/ns/user", at: proc.descriptor)
        let own = Tasks(try text("status"))
        guard own.user != 0 else { return 0 }
        let above = try ancestors(of: own)
        var count: UInt64 = 0
        for name in try entries(of: proc.descriptor) where name.utf8.first.map({ 0x30...0x39 ~= $0 }) == true {
            do throws(KernelError) {
                if !above.contains(name), try readLink("\(name)/ns/user", at: proc.descriptor) != users { continue }
                let other = Tasks(try readText("\(name)/status", at: proc.descriptor))
                if other.user == own.user { count += other.threads }
            } catch {
                continue  // it has ended, or is another's
            }
        }
        return count
    }

    /// Those in the same namespace of processes, whose user namespace an ordinary launcher may not look at where they are not dumpable.
    private func ancestors(of tasks: Tasks) throws(KernelError) -> Set<String> {
        var found: Set<String> = []
        var next = tasks.parent
        while !next.isEmpty, next != "0", found.count < 1000 {
            let above = Tasks(try readText("\(next)/status", at: proc.descriptor))
            guard above.depth == tasks.depth else { break }
            found.insert(next)
            next = above.parent
        }
        return found
    }
}

/// A process as proc_pid_status(5) has it: its parent, its real user, its threads, and how many namespaces of processes it is in.
private struct Tasks {
    private(set) var parent = ""
    private(set) var user: UInt32 = 0
    private(set) var threads: UInt64 = 0
    private(set) var depth = 0

    init(_ status: String) {
        for line in status.split(separator: "\n") {
            let words = line.split { $0 == "\t" || $0 == " " }
            guard words.count > 1 else { continue }
            switch words[0] {
            case "PPid:": parent = String(words[1])
            case "Uid:": user = UInt32(words[1]) ?? 0
            case "Threads:": threads = UInt64(words[1]) ?? 0
            case "NSpid:": depth = words.count - 1
            default: break
            }
        }
    }
}
