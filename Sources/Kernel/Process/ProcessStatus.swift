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
        let bytes = text.span
        var start = 0
        while start < bytes.count {
            let end = Self.endOfLine(text, start)
            read(bytes.extracting(start..<end))
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
    private mutating func read(_ line: Span<UInt8>) {
        guard !line.isEmpty else { return }
        /// Where the value begins, in a line of that name. The first letter is known.
        func value(of name: StaticString) -> Int? {
            let length = name.utf8CodeUnitCount
            guard line.count > length, line[length] == UInt8(ascii: ":") else { return nil }
            for index in 1..<length where unsafe line[index] != name.utf8Start[index] { return nil }
            return length + 1
        }
        switch line[0] {
        case UInt8(ascii: "U"):
            if let at = value(of: "Umask") { umask = UInt32(truncatingIfNeeded: Self.number(line, at, 8)) }
            if let at = value(of: "Uid") { users = Self.numbers(line, at) }
        case UInt8(ascii: "G"):
            if let at = value(of: "Gid") { groups = Self.numbers(line, at) }
            if let at = value(of: "Groups") { supplementary = Self.numbers(line, at) }
        case UInt8(ascii: "F"):
            if let at = value(of: "FDSize") { descriptorTable = UInt32(truncatingIfNeeded: Self.number(line, at, 10)) }
        case UInt8(ascii: "S"):
            if let at = value(of: "SigBlk") { blocked = Self.number(line, at, 16) }
            if let at = value(of: "SigIgn") { ignored = Self.number(line, at, 16) }
            if let at = value(of: "Seccomp") { seccomp = UInt32(truncatingIfNeeded: Self.number(line, at, 10)) }
            if let at = value(of: "Seccomp_filters") { filters = UInt32(truncatingIfNeeded: Self.number(line, at, 10)) }
        case UInt8(ascii: "N"):
            if let at = value(of: "NoNewPrivs") {
                noNewPrivileges = UInt32(truncatingIfNeeded: Self.number(line, at, 10))
            }
        case UInt8(ascii: "C"):
            if let at = value(of: "CapInh") { inheritable = Self.number(line, at, 16) }
            if let at = value(of: "CapPrm") { permitted = Self.number(line, at, 16) }
            if let at = value(of: "CapEff") { effective = Self.number(line, at, 16) }
            if let at = value(of: "CapBnd") { bounding = Self.number(line, at, 16) }
            if let at = value(of: "CapAmb") { ambient = Self.number(line, at, 16) }
        default: break
        }
    }

    private static func number(_ line: Span<UInt8>, _ start: Int, _ radix: UInt64) -> UInt64 {
        var value: UInt64 = 0
        for index in start..<line.count {
            guard let digit = digit(line[index]) else { continue }
            value = value &* radix &+ digit
        }
        return value
    }

    private static func numbers(_ line: Span<UInt8>, _ start: Int) -> [UInt32] {
        var result: [UInt32] = []
        var value: UInt64?
        for index in start...line.count {
            if index < line.count, let digit = digit(line[index]) {
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
