import JailPlan
import Kernel

/// Whether what was done is read back. Always: only the benchmark builds a launcher without it, to say what it costs.
@inline(__always) var isVerified: Bool {
    #if IMMURE_UNVERIFIED
        false
    #else
        true
    #endif
}

/// What the kernel is compared with, and how it is asked where nothing can be opened any more.
struct Witness {
    /// The numbers of the launcher's own namespaces, by `NamespaceKind.index`; empty where unknown.
    var own: [UInt64] = []
    /// Whether the kernel says who owns a namespace.
    var asksForOwners = false
    /// The kinds that were joined, with their numbers.
    var joined: [(kind: Int, number: UInt64)] = []
    /// What the kernel called the new session keyring.
    var keyring: Int?
    /// What the socket that brought the loopback interface up says of the interfaces.
    var interfaces: (loopbackIsUp: Bool, other: String) = (false, "")
    /// How many filters were in force before the first of the jail's.
    var filters: UInt32 = 0
    /// Whether the session had to stay the caller's.
    var keepsSession = false
    /// Directories that could be listed before the command was kept to its tree.
    var listable: [String] = []
    /// A mount that no rule of Landlock reaches; −1 where there is none.
    var forbidden: Int32 = -1
    /// An abstract socket from before Landlock; −1 where none is needed.
    var listener: Int32 = -1
    /// /proc/PID/status of the command's process, opened before rlimits and Landlock could forbid it.
    var status: Int32 = -1
}

/// What the kernel has shown, for `--explain`.
struct Shown {
    let step: Int
    let what: String
    let promised: String
    let found: String
}

extension Applier {
    /// One promise against the kernel's answer, which is only worded where somebody will read it. The first that is not
    /// kept ends the launch, with the step, and so the line of the spec, that is not in force.
    mutating func hold(
        _ isInForce: Bool, at place: Int? = nil, _ what: @autoclosure () -> String,
        _ promised: @autoclosure () -> String, _ found: @autoclosure () -> String
    ) throws(Failure) {
        let index = place ?? step
        if shown != nil { shown?.append(Shown(step: index, what: what(), promised: promised(), found: found())) }
        guard !isInForce else { return }
        throw Failure(.notInForce, text: "\(what()): promised \(promised()), the kernel says \(found())").at(index)
    }

    /// As a row of `--explain`, for what was compared where it was written.
    mutating func show(_ path: String, _ promised: @autoclosure () -> String) throws(Failure) {
        guard shown != nil else { return }
        let proc = try proc()
        let found = try failing { () throws(KernelError) in try words(readBytes(path, at: proc.descriptor)) }
        try hold(true, "/proc/\(path)", promised(), found.joined(separator: " "))
    }
}
