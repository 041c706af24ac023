import CLinux

/// What /proc/PID/status says of a process, proc_pid_status(5): one read for what would be a hundred calls.
package struct ProcessStatus: Equatable, Sendable {
    /// Real, effective, saved and file-system id.
    package var users: [UInt32] = []
    package var groups: [UInt32] = []
    package var supplementary: [UInt32] = []
    package var umask: UInt32 = .max
    package var blocked: UInt64 = .max
    package var ignored: UInt64 = .max
    package var inheritable: UInt64 = .max
    package var permitted: UInt64 = .max
    package var effective: UInt64 = .max
    package var bounding: UInt64 = .max
    package var ambient: UInt64 = .max
    package var noNewPrivileges: UInt32 = .max
    package var seccomp: UInt32 = .max
    /// How many filters are in force; nil before Linux 5.9, which does not say.
    package var filters: UInt32?
    /// The size of the table of descriptors.
    package var descriptorTable: UInt32 = 0

    /// What is not in the text keeps a value that no promise has.
    package init(_ text: [UInt8]) {
        var start = 0
        while start < text.count {
            let end = Self.endOfLine(text, start)
            switch text[start] {
            case UInt8(ascii: "U"), UInt8(ascii: "G"), UInt8(ascii: "F"), UInt8(ascii: "S"), UInt8(ascii: "N"),
                UInt8(ascii: "C"):
                var colon = start
                while colon < end, text[colon] != UInt8(ascii: ":") { colon += 1 }
                read(text, start, colon, end)
            default: break
            }
            start = end + 1
        }
    }

    private static func endOfLine(_ text: [UInt8], _ start: Int) -> Int {
        unsafe text.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, let end = unsafe memchr(base + start, 10, bytes.count - start) else {
                return bytes.count
            }
            return unsafe UnsafeRawPointer(end) - base
        }
    }

    /// One line. The first letter decides most of it: nearly all lines are of no interest.
    private mutating func read(_ text: [UInt8], _ start: Int, _ colon: Int, _ end: Int) {
        func named(_ name: StaticString) -> Bool {
            guard name.utf8CodeUnitCount == colon - start else { return false }
            for index in 0..<name.utf8CodeUnitCount where unsafe text[start + index] != name.utf8Start[index] {
                return false
            }
            return true
        }
        switch text[start] {
        case UInt8(ascii: "U"):
            if named("Umask") { umask = UInt32(truncatingIfNeeded: Self.number(text, colon, end, 8)) }
            if named("Uid") { users = Self.numbers(text, colon, end) }
        case UInt8(ascii: "G"):
            if named("Gid") { groups = Self.numbers(text, colon, end) }
            if named("Groups") { supplementary = Self.numbers(text, colon, end) }
        case UInt8(ascii: "F") where named("FDSize"):
            descriptorTable = UInt32(truncatingIfNeeded: Self.number(text, colon, end, 10))
        case UInt8(ascii: "S"):
            if named("SigBlk") { blocked = Self.number(text, colon, end, 16) }
            if named("SigIgn") { ignored = Self.number(text, colon, end, 16) }
            if named("Seccomp") { seccomp = UInt32(truncatingIfNeeded: Self.number(text, colon, end, 10)) }
            if named("Seccomp_filters") { filters = UInt32(truncatingIfNeeded: Self.number(text, colon, end, 10)) }
        case UInt8(ascii: "N") where named("NoNewPrivs"):
            noNewPrivileges = UInt32(truncatingIfNeeded: Self.number(text, colon, end, 10))
        case UInt8(ascii: "C"):
            if named("CapInh") { inheritable = Self.number(text, colon, end, 16) }
            if named("CapPrm") { permitted = Self.number(text, colon, end, 16) }
            if named("CapEff") { effective = Self.number(text, colon, end, 16) }
            if named("CapBnd") { bounding = Self.number(text, colon, end, 16) }
            if named("CapAmb") { ambient = Self.number(text, colon, end, 16) }
        default: break
        }
    }

    /// The number after the colon.
    private static func number(_ text: [UInt8], _ colon: Int, _ end: Int, _ radix: UInt64) -> UInt64 {
        var value: UInt64 = 0
        for index in (colon + 1)..<max(colon + 1, end) {
            guard let digit = digit(text[index]) else { continue }
            value = value &* radix &+ digit
        }
        return value
    }

    private static func numbers(_ text: [UInt8], _ colon: Int, _ end: Int) -> [UInt32] {
        var result: [UInt32] = []
        var value: UInt64?
        for index in (colon + 1)...max(colon + 1, end) {
            if index < end, let digit = digit(text[index]) {
                value = (value ?? 0) &* 10 &+ digit
            } else if let number = value {
                result.append(UInt32(truncatingIfNeeded: number))
                value = nil
            }
        }
        return result
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
        default: nil
        }
    }
}

/// Whether an open file of procfs says `text`, however the kernel sets its words apart; false also where it is too long to
/// tell without reading it all. The corresponding C function is `pread`.
package func echoes(_ descriptor: Int32, _ text: [UInt8]) -> Bool {
    unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { answer in
        let length = unsafe pread(descriptor, answer.baseAddress, answer.count, 0)
        guard length >= 0, length < answer.count else { return false }
        let said = unsafe UnsafeBufferPointer(rebasing: answer[..<length])
        return unsafe text.withUnsafeBufferPointer { unsafe haveSameWords($0, said) }
    }
}

/// Reads an open file of procfs or cgroupfs from its beginning: it is made anew by every read. The corresponding C function is `pread`.
package func readRecord(_ descriptor: Int32) throws(KernelError) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
        let offset = bytes.count
        let piece = try unsafe filled(.read, upTo: 4096) { unsafe pread(descriptor, $0, $1, offset) }
        if bytes.isEmpty { bytes = piece } else { bytes += piece }
        // A file that is one record comes whole, a table about a page at a time: what is short of half of one is all.
        if piece.isEmpty || bytes.count < 2048 { return bytes }
    }
}
