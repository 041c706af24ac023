import Kernel

/// A process of the jail that made a refused call, as the host's procfs describes it (proc_pid_status(5)).
struct RefusedProcess {
    /// The name of its program, as it may have set it itself.
    private(set) var program = ""
    /// The process of the thread.
    private(set) var process: Int32 = 0
    /// Its ids from the namespace of procfs inwards.
    private(set) var identifiers: [Int32] = []
    /// Whether SIGSYS has its default action and is not blocked, and so ends it.
    private(set) var diesOfSIGSYS = false

    /// `proc` is the host's procfs, opened before a namespace was joined.
    init(thread: Int32, in proc: HostProc) throws(KernelError) {
        let text = try readText("\(thread)/status", at: proc.descriptor)
        var heeded: UInt64 = 0
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == "\t" || $0 == " " }
            switch line[..<colon] {
            case "Name": program = String(value)
            case "Tgid": process = Int32(value) ?? 0
            case "NSpid": identifiers = value.split(separator: "\t").compactMap { Int32($0) }
            // A set that cannot be read counts as full.
            case "SigBlk", "SigIgn", "SigCgt": heeded |= UInt64(value, radix: 16) ?? .max
            default: break
            }
        }
        // A process that is the first of a pid namespace takes no signal for its default action, pid_namespaces(7).
        diesOfSIGSYS = heeded >> UInt64(Signal.badCall - 1) & 1 == 0 && identifiers.last != 1
    }

    /// Its id in the pid namespace that many levels in.
    func identifier(atDepth depth: Int) -> Int32 {
        depth > 0 && depth <= identifiers.count ? identifiers[depth - 1] : process
    }
}
