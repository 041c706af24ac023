import JailPlan
import JailSpec
import Kernel
import LinuxFacts

/// What the command's own process is like.
extension Applier {
    /// sched_setaffinity(2) takes the processors that are not there out of what it is given, and calls that a success.
    mutating func checkAffinity(_ cpus: [Int]) throws(Failure) {
        let found = try failing(affinity)
        let missing = cpus.filter { !found.contains($0) }
        guard missing.isEmpty || found.contains(where: { !cpus.contains($0) }) else {
            throw Failure(
                telling: "no processor \(ranges(missing)) is there, or is allowed here",
                hint: "process.cpus = \"\(ranges(found))\" names those that are")
        }
        try hold(
            found == cpus, "cpus", cpus.map { "\($0)" }.joined(separator: ","),
            found.map { "\($0)" }.joined(separator: ",")
        )
    }

    mutating func checkInheritedAttributes(_ wanted: InheritedAttributes) throws(Failure) {
        let found = try failing(inheritedAttributes)
        // Since Linux 6.13 a real-time task has no slack, whatever is asked for (kernel/sys.c, rt_or_dl_task_policy).
        let wanted = found.timerSlack == 0 && isRealTime() ? wanted.withoutSlack : wanted
        try hold(found == wanted, "inherited attributes", wanted.text, found.text)
    }

    /// The keyring is the one that the kernel has given, and not one from before. Without keyrings there is none to leak.
    mutating func checkKeyring() throws(Failure) {
        guard let given = witness.keyring else { return try hold(true, "session keyring", "none", "none") }
        let found = sessionKeyring()
        try hold(
            given != 0 && (found ?? given) == given, "session keyring", "a new one, \(given)",
            found.map { "\($0)" } ?? "not asked")
    }

    mutating func checkClocks() throws(Failure) {
        let proc = try proc()
        let (own, next) = try failing { () throws(KernelError) in
            (
                try namespaceNumber(NamespaceKind.time.procLink, at: proc.descriptor),
                try namespaceNumber("self/ns/time_for_children", at: proc.descriptor)
            )
        }
        try hold(next != own && next != 0, "time namespace", "another than \(own)", "\(next)")
        try show("self/timens_offsets", "the offsets")
    }

    mutating func checkSession(_ kind: SessionTerminal) throws(Failure) {
        let (own, process, terminal) = (session(), currentProcess(), terminal)
        let isOwn = own == process || witness.keepsSession
        try hold(isOwn, "session", "its own", "\(own)")
        if terminal >= 0 {
            try hold(session(ofTerminal: terminal) == own, "terminal", "its own", "not the session's")
        }
        for number in [Int32(0), 1, 2] where isTerminal(number) {
            let isOurs = replacement >= 0 && isSameTerminal(number, replacement)
            try hold(isOurs, "descriptor \(number)", "the terminal of the jail", "another terminal")
        }
    }

    mutating func checkLimit(_ resource: Resource, _ soft: UInt64?, _ hard: UInt64?) throws(Failure) {
        let found = try failing { () throws(KernelError) in try resourceLimit(resource.rawValue) }
        try hold(
            found.soft == soft ?? .max && found.hard == hard ?? .max, "rlimit \(resource.name)",
            words([soft ?? .max, hard ?? .max]), words([found.soft, found.hard]))
    }

    mutating func checkDescriptors(_ kept: [Int32], _ plan: Plan) throws(Failure) {
        let status = witness.status
        let directory = hostProc?.descriptor
        let isOwn = plan.hasOwnProc
        let stray = try failing { () throws(KernelError) -> Int32? in
            // One that enters has given the host's procfs up by now: each number of the table is tried then.
            var count = 0
            if isOwn {
                count = try size(of: "/proc/self/fd", at: currentDirectory)
            } else if let directory {
                count = try size(of: "self/fd", at: directory)
            }
            var table: Int32 = 0
            if count == 0 { table = Int32(clamping: ProcessStatus(try readRecord(status)).descriptorTable) }
            return strayDescriptor(keeping: kept, count: count) { table }
        }
        try hold(
            stray == nil, "descriptors", "at most " + ([0, 1, 2] + kept).map { "\($0)" }.joined(separator: ","),
            stray.map { kept.contains($0) ? "\($0) is not kept" : "\($0) is kept, too" } ?? "no other")
    }

    /// In the process that will be the command, before rlimits and Landlock forbid it.
    mutating func openWitness(_ plan: Plan) throws(Failure) {
        guard isVerified else { return }
        let descriptor = plan.hasOwnProc ? nil : try proc().descriptor
        witness.status = try failing { () throws(KernelError) in
            guard let descriptor else {
                let file = try open("/proc/self/status", .read)
                guard try fileSystemMagic(of: file.number) == FileSystemMagic.proc else {
                    throw KernelError(.open, .noDevice, path: "/proc/self/status")
                }
                return file.release()
            }
            return try open("self/status", at: descriptor, .read).release()
        }
    }
}

private func words(_ limits: [UInt64]) -> String {
    limits.map { $0 == .max ? "unlimited" : "\($0)" }.joined(separator: ":")
}

/// Ascending numbers as process.cpus has them: `0-3,6`.
private func ranges(_ numbers: [Int]) -> String {
    var parts: [(first: Int, last: Int)] = []
    for number in numbers {
        if let end = parts.last, end.last + 1 == number {
            parts[parts.count - 1].last = number
        } else {
            parts.append((number, number))
        }
    }
    return parts.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }.joined(separator: ",")
}
