import LinuxFacts

/// A call in words, as a person would write it: `ptrace(PTRACE_TRACEME)`, `socket(AF_UNIX, SOCK_STREAM, 0)`.
package enum CallWords {
    /// The name of a call with the arguments that have a meaning, by what a filter is given: `struct seccomp_data`.
    ///
    /// Where `memory` is given, paths and addresses of sockets are shown for the numbers that lead to them.
    package static func call(
        number: Int32, architecture audit: UInt32, arguments: [UInt64], memory: CallMemory? = nil
    ) -> (name: String, arguments: [String]) {
        let native = Architecture.native
        let bits = UInt32(bitPattern: number)
        guard audit == native.auditValue else { return foreign(bits, audit, arguments, memory) }
        let isX32 = native.isX86 && bits & AuditArchitecture.x32Bit != 0
        let plain = Int(isX32 ? bits & ~AuditArchitecture.x32Bit : bits)
        let known = callTable.first { $0.number(on: native) == plain }
        let prefix = isX32 ? "x32 " : ""
        guard let known else { return (prefix + "call \(plain)", arguments.map { numeral($0) }) }
        return (prefix + known.name, words(of: known.name, arguments, memory))
    }

    /// A call of another ABI, where the names of the numbers are known.
    private static func foreign(
        _ bits: UInt32, _ audit: UInt32, _ arguments: [UInt64], _ memory: CallMemory?
    ) -> (String, [String]) {
        let abi = Architecture.name(auditValue: audit)
        if abi == "i386" {
            let names = callsOfI386.split(separator: " ")
            if names.indices.contains(Int(bits)), names[Int(bits)] != "-" {
                let name = String(names[Int(bits)])
                return ("i386 \(name)", words(of: name, arguments, memory))
            }
        }
        return ("\(abi) call \(bits)", arguments.map { numeral($0) })
    }

    private static func words(of name: String, _ arguments: [UInt64], _ memory: CallMemory?) -> [String] {
        var result: [String] = []
        for index in 0..<min(arity(of: name) ?? arguments.count, arguments.count) {
            result.append(memory?.words(name, index, arguments) ?? word(name, index, arguments))
        }
        // Only the request: whatever stands in the other registers is not read.
        if name == "ptrace", result.first == "PTRACE_TRACEME" { return ["PTRACE_TRACEME"] }
        if name == "prctl" { while result.count > 2, result.last == "0" { result.removeLast() } }
        return result
    }

    private static func arity(of name: String) -> Int? {
        callsByArity.first { $0.names.split(separator: " ").contains { $0 == name } }?.count
    }

    /// A family of sockets.
    static func family(_ value: UInt64) -> String { one(value, ["AF_"]) }

    private static func word(_ call: String, _ index: Int, _ arguments: [UInt64]) -> String {
        let value = arguments[index]
        // AT_FDCWD, of which the kernel reads 32 bits.
        if index == 0, value & 0xffff_ffff == 0xffff_ff9c, arity(of: call).map({ $0 > 1 }) == true, call.contains("at")
        {
            return "AT_FDCWD"
        }
        switch (call, index) {
        case ("ptrace", 0): return one(value, ["PTRACE_"])
        case ("prctl", 0): return one(value, ["PR_SET_", "PR_GET_", "PR_CAP", "PR_MCE_", "PR_SCHED_", "PR_TASK_"])
        case ("keyctl", 0): return one(value, ["KEYCTL_"])
        case ("socket", 0), ("socketpair", 0): return one(value, ["AF_"])
        case ("socket", 1), ("socketpair", 1):
            // The low four bits are the type, the others flags.
            let flags = value & ~0xF
            return one(value & 0xF, ["SOCK_"]) + (flags == 0 ? "" : "|" + several(flags, ["SOCK_"]))
        case ("ioctl", 1):
            return one(value & 0xFFFF_FFFF, ["TIOC", "TC", "FIO", "SIOC", "BLK", "KD", "VT_", "FS_", "FI"])
        case ("fcntl", 1): return one(value, ["F_"])
        case ("unshare", 0), ("setns", 1), ("clone", 0): return several(value, ["CLONE_"])
        case ("personality", 0): return several(value, ["PER_", "ADDR_"])
        case ("openat", 2), ("open", 1): return several(value, ["O_"])
        case ("mmap", 2), ("mprotect", 2), ("pkey_mprotect", 2): return several(value, ["PROT_"])
        case ("mmap", 3): return several(value, ["MAP_"])
        case ("mount", 3): return several(value, ["MS_"])
        case ("madvise", 2): return one(value, ["MADV_"])
        case ("memfd_create", 1): return several(value, ["MFD_"])
        default: return numeral(value)
        }
    }

    /// Beginnings of names that share a prefix with those of an argument and stand for something else, and second names of a
    /// number, of which people know the other.
    private static let others = [
        "AF_FILE", "AF_LOCAL", "AF_ROUTE", "CLONE_DETACHED", "F_OK", "F_RDLCK", "F_ULOCK", "F_LOCK", "F_SEAL_",
        "F_WRLCK",
        "F_TLOCK", "F_UNLCK", "F_TEST", "F_EXLCK", "F_SHLCK", "KEYCTL_CAPS", "KEYCTL_SUPPORTS", "KEYCTL_MOVE_EXCL",
        "MAP_ANONYMOUS", "MS_ASYNC", "MS_SYNC", "MS_INVALIDATE", "MS_VERBOSE", "O_NDELAY", "O_FSYNC", "O_RSYNC",
        "PR_SET_MM_", "PR_SET_VMA_", "PR_CAP_AMBIENT_", "PR_MCE_KILL_", "PR_SCHED_CORE_", "SOCK_BUF_", "SOCK_IOC_",
        "SOCK_RCVBUF_", "SOCK_SNDBUF_", "SOCK_TXREHASH_", "SOCK_TYPE_",
    ]

    private static func names(_ prefixes: [String]) -> [(name: String, value: UInt64)] {
        let diverging = divergingConstants.map { constant in
            (name: constant.name, value: Architecture.native.isX86 ? constant.x86_64 : constant.aarch64)
        }
        return (constantTable + diverging).filter { entry in
            prefixes.contains { entry.name.hasPrefix($0) } && !others.contains { entry.name.hasPrefix($0) }
        }
    }

    private static func one(_ value: UInt64, _ prefixes: [String]) -> String {
        names(prefixes).first { $0.value == value }?.name ?? numeral(value)
    }

    private static func several(_ value: UInt64, _ prefixes: [String]) -> String {
        if value == 0 { return one(0, prefixes) }
        var rest = value
        var found: [String] = []
        // The widest first: a name for several bits at once says more than their names.
        let candidates = names(prefixes).filter { $0.value != 0 && $0.value & ~value == 0 }
        for entry in candidates.sorted(by: { $0.value.nonzeroBitCount > $1.value.nonzeroBitCount })
        where entry.value & rest == entry.value {
            found.append(entry.name)
            rest &= ~entry.value
        }
        if rest != 0 { found.append(numeral(rest)) }
        return found.joined(separator: "|")
    }

    /// Small ones in decimal, those just below zero of 32 or 64 bits as such, addresses and masks in hexadecimal.
    private static func numeral(_ value: UInt64) -> String {
        if value < 0x1_0000 { return "\(value)" }
        if value > UInt64.max - 0x1000 { return "\(Int64(bitPattern: value))" }
        if value <= 0xFFFF_FFFF, value > 0xFFFF_F000 { return "\(Int32(bitPattern: UInt32(value)))" }
        return "0x" + String(value, radix: 16)
    }
}
