import Kernel

/// The processes below the jail's first, for when that has been killed and does not end: the kernel has it kill the others
/// first (pid_namespaces(7)), for which it needs the processor, and the command, whose user it is, may have taken that from
/// it: by SCHED_IDLE and many busy processes.
struct Descendants {
    /// The host's, opened before a namespace was joined.
    let proc: HostProc

    /// Kills all that are found. What a process leaves comes below the first one: later rounds find it.
    func kill(below process: Int32) {
        for child in children(of: process) {
            kill(below: child)
            kill(child, of: process)
        }
    }

    /// Through a descriptor, after another look: the id may have become another's.
    private func kill(_ child: Int32, of parent: Int32) {
        do throws(KernelError) {
            let process = try openProcess(child)
            guard try self.parent(of: child) == parent else { return }
            try signal(process.number, Signal.kill)
        } catch {
            return  // it has ended, or is none of ours
        }
    }

    private func children(of process: Int32) -> [Int32] {
        do throws(KernelError) {
            let list = try readText("\(process)/task/\(process)/children", at: proc.descriptor)
            return list.split(separator: " ").compactMap { Int32($0) }
        } catch {
            return []
        }
    }

    /// The fourth field of proc_pid_stat(5), after a name that may hold anything.
    private func parent(of process: Int32) throws(KernelError) -> Int32? {
        let text = try readText("\(process)/stat", at: proc.descriptor)
        guard let name = text.lastIndex(of: ")") else { return nil }
        let fields = text[name...].split(separator: " ")
        return fields.count > 2 ? Int32(fields[2]) : nil
    }
}
