import Kernel

/// What a process may do, as far as another can see it in procfs: two with the same are on one side of every jail, but for
/// Landlock's rules, which nothing shows: `Token` is for those.
struct Freedom: Equatable {
    /// What it reads, as a person says it.
    private static let names = [
        ("Uid:", "user ids"), ("NSpid:", "pid namespace"), ("NoNewPrivs:", "no_new_privs"), ("Seccomp:", "filter"),
        ("Seccomp_filters:", "filter"), ("CapPrm:", "capabilities"), ("CapEff:", "capabilities"),
        ("CapBnd:", "capability bounding set"),
    ]

    /// Of each line what it is about and what it says, in the kernel's order.
    private var words: [String] = []
    private var lines: [String] = []
    private let users: String

    /// That of a process by its id, or of `self`; ESRCH where there is none.
    init(of process: String, in proc: HostProc) throws(KernelError) {
        for line in try readText("\(process)/status", at: proc.descriptor).split(separator: "\n") {
            guard let (name, word) = Self.names.first(where: { line.utf8.starts(with: $0.0.utf8) }) else { continue }
            words.append(word)
            // Of the ids in nested namespaces only how many there are: the process of a jail has one in the jail's.
            lines.append(name == "NSpid:" ? "\(line.split(separator: "\t").count)" : String(line))
        }
        // As this process reads it: relative to its own user namespace, user_namespaces(7).
        users = try readText("\(process)/uid_map", at: proc.descriptor)
    }

    /// What differs from another process's: `capabilities`; nothing where both may do the same.
    func differences(from other: Freedom) -> [String] {
        guard words == other.words else { return ["status"] }
        var result: [String] = []
        for (index, word) in words.enumerated() where lines[index] != other.lines[index] && !result.contains(word) {
            result.append(word)
        }
        return users == other.users ? result : result + ["user namespace"]
    }

    /// Whether that process is as free as this one, and in the same namespaces.
    static func isShared(with process: Int32, in proc: HostProc) throws(KernelError) -> Bool {
        guard try Freedom(of: "\(process)", in: proc) == Freedom(of: "self", in: proc) else { return false }
        return try sharesNamespaces(process, in: proc)
    }

    /// Whether that process is in the same user, pid and mount namespaces as this one: asked of procfs, which shows the links only
    /// to who may trace it: EACCES for a process in a user namespace below.
    private static func sharesNamespaces(_ process: Int32, in proc: HostProc) throws(KernelError) -> Bool {
        for kind in ["user", "pid", "mnt"] where try !shares(kind, with: process, in: proc) { return false }
        return true
    }

    /// Whether that process is in the same namespace of a kind, by the name of its link in procfs.
    private static func shares(
        _ kind: String, with process: Int32, in proc: HostProc
    ) throws(KernelError) -> Bool {
        let own = try namespaceNumber("self/ns/\(kind)", at: proc.descriptor)
        return try namespaceNumber("\(process)/ns/\(kind)", at: proc.descriptor) == own
    }

    /// Whether all that keeps this process out is that it is in another mount namespace, as far as procfs shows it.
    static func isElsewhere(than process: Int32, in proc: HostProc) -> Bool {
        do throws(KernelError) {
            for kind in ["user", "pid"] where try !shares(kind, with: process, in: proc) { return false }
            return try !shares("mnt", with: process, in: proc)
        } catch {
            return false
        }
    }
}

/// What shows another process that Landlock does not hold this one further in than that one: random bytes in a file in that one's
/// memory, which who is in a domain that the other is not in cannot open, landlock(7): it takes the right to trace the other.
struct Token: ~Copyable {
    static let length = 16

    let bytes: [UInt8]
    private let file: Descriptor

    init() throws(KernelError) {
        let random = try randomBytes(Self.length)
        let made = try makeMemoryFile("immure", random)
        bytes = random
        file = made
    }

    /// The number by which the other process finds it.
    var number: Int32 { file.number }

    /// What another process has under that number; nil where this one may not see that, or it is something else.
    static func read(_ number: Int32, of process: Int32, in proc: HostProc) -> [UInt8]? {
        do throws(KernelError) {
            // Whatever it is: nobody waits for it.
            let mode = OpenMode.read | .nonBlocking | .noTerminal
            let file = try open("\(process)/fd/\(number)", at: proc.descriptor, mode)
            guard try status(of: file.number).isRegular else { return nil }
            let bytes = try readBytes(file.number, at: 0, upTo: length + 1)
            return bytes.count == length ? bytes : nil
        } catch {
            return nil
        }
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
